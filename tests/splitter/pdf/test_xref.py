"""The table of objects of a file that is written as the book says."""

from __future__ import annotations

import mmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitter.pdf.xref import read_xref_table


def table_of(tmp_path, rows, trailer=b"/Root 2 0 R"):
    """Return what is read of a table with these rows, in a file that has nothing else."""
    path = tmp_path / "table.pdf"
    table = b"xref\n0 %d\n" % len(rows) + b"".join(rows)
    end = b"trailer\n<</Size %d%b>>\nstartxref\n9\n%%%%EOF\n" % (len(rows), trailer)
    path.write_bytes(b"%PDF-1.4\n" + table + end)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return read_xref_table(mapped)


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**10 - 1)), min_size=1, max_size=9))
def test_a_table_tells_where_objects_stand_and_which_are_free(tmp_path_factory, places):
    rows = [
        b"0000000000 65535 f \n" if place is None else b"%010d 00000 n \n" % place
        for place in places
    ]
    offsets, root = table_of(tmp_path_factory.mktemp("table"), rows)
    expected = {number: place for number, place in enumerate(places) if place is not None}

    assert 2 == root
    assert expected == dict(offsets.items())
    assert len(expected) == len(offsets)
    for number in (-1, *range(len(places) + 2), 10**12):
        assert expected.get(number) == offsets.get(number)
        assert (number in expected) == (number in offsets)


def test_a_table_with_an_object_of_another_generation_is_left_to_a_library(tmp_path):
    assert table_of(tmp_path, [b"0000000000 65535 f \n", b"0000000009 00001 n \n"]) is None


@pytest.mark.parametrize(
    ("trailer", "root"),
    [
        (b"% made by (nobody\n/Root 2 0 R", 2),
        (b"% made by (somebody)\n/Root 2 0 R", 2),
        (b"/X (100 % sure)/Root 2 0 R", 2),
        (b"/X (a (b) % c)/Root 2 0 R", None),
        (b"% made by nobody >>\n/Root 2 0 R", 2),
        (b"% /Root 3 0 R\r/Root 2 0 R", 2),
        (b"/ID[<00><00>]\n% a comment\n\n/Root 2 0 R", 2),
        (b"/Root 2 0 R % /Encrypt 4 0 R\n", 2),
        (b"/Root 2 0 R % a comment\n/Encrypt 4 0 R", None),
    ],
)
def test_comments_in_a_trailer_say_nothing(tmp_path, trailer, root):
    found = table_of(tmp_path, [b"0000000000 65535 f \n"], trailer)
    assert root == (found and found[1])
