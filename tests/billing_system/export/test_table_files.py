"""Records read many at a time are those read one by one, with their lines and faults."""

from __future__ import annotations

import csv
import io
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_system.export.table_files import RawRow, TableFile
from tests.builders import examples

HEADINGS = ("account_number", "name")
CELLS = st.sampled_from(["", " ", "01.1037.1", "Ann", "two\nlines", "NA", 'a "word"', "a,b"])


class Files:
    """One file, which is text."""

    def __init__(self, content: str) -> None:
        self._content = content.encode()

    @contextmanager
    def open(self, _file):
        yield io.BytesIO(self._content)


def table(content):
    return TableFile(Files(content), "accounts.csv", "utf-8", ",", HEADINGS, 1)


def one_by_one(content):
    """What the csv module says of each record below the heading, read alone."""
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    found = []
    while True:
        row = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return found
        except csv.Error:
            found.append((row, []))
            continue
        if row > 1 and any(cell.strip() for cell in cells):
            found.append((row, cells))


def written(records):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([HEADINGS, *records])
    return out.getvalue()


@examples
@given(
    st.lists(st.lists(CELLS, min_size=0, max_size=3), max_size=12),
    st.integers(1, 5),
    st.sets(st.integers(0, 12), max_size=3),
)
def test_blocks_of_any_size_have_the_rows_of_a_file_read_row_by_row(records, at_once, broken):
    lines = written(records)
    for place in sorted(broken):  # a quote that ends amid a cell
        lines += f'"0{place}"x,Ann\r\n'

    rows = [row for block in table(lines).blocks(at_once) for row in block.rows()]

    assert one_by_one(lines) == [(row.row, row.cells) for row in rows]
    for row in rows:
        assert bool(row.fault) == (len(row.cells) != len(HEADINGS))
    assert rows == list(table(lines).rows())


@pytest.mark.parametrize("record", [["", ""], [" ", ""], ["1"], ["1", "2", "3"]])
def test_a_block_with_a_record_that_is_no_row_is_not_sound(record):
    records = [["01.1037.1", "Ann"], record, ["02.2048.2", "Bob"]]

    blocks = list(table(written(records)).blocks(1))

    assert [True, False, True] == [block.is_sound for block in blocks]
    assert [RawRow(2, records[0])] == blocks[0].rows()


def test_the_heading_leaves_the_first_block_sound():
    (block,) = table(written([["01.1037.1", "Ann"], ["02.2048.2", "Bob"]])).blocks(100)

    assert (True, [2, 3]) == (block.is_sound, [row.row for row in block.rows()])
