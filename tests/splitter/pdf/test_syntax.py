"""PDF objects cut into items as raw bytes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from splitter.pdf.syntax import (
    UnsupportedPdf,
    dictionary,
    items,
    names,
    references,
    renumbered,
    spelled,
    string_bytes,
)


def test_a_dictionary_keeps_its_values_as_they_are_written():
    written = b"<</Type/Page /Kids [1 0 R 2 0 R]/A<</B (x >> \\) y)>>/C<0a >/D -1.5/E null>>"

    assert dictionary(written) == {
        b"/Type": b"/Page",
        b"/Kids": b"[1 0 R 2 0 R]",
        b"/A": b"<</B (x >> \\) y)>>",
        b"/C": b"<0a >",
        b"/D": b"-1.5",
        b"/E": b"null",
    }


@pytest.mark.parametrize(
    "written",
    [
        b"<</A 1",
        b"[1 2",
        b"<</A>>",
        b"<</A [1 >> ]>>",
        b"<</A (a(b)c)>>",
        b"[1 % two\n]",
        b"7",
        b"",
    ],
)
def test_what_is_not_written_plainly_is_odd(written):
    with pytest.raises(UnsupportedPdf):
        dictionary(written)


def test_references_in_strings_are_none():
    assert references(b"<</A (1 0 R) /B 5 0 R /C<31 30> /D[6 1 R]>>") == [5, 6]


def test_every_reference_gets_its_new_number():
    assert renumbered(b"[1 0 R (1 0 R) 2 0 R]", lambda old: old + 10) == b"[11 0 R (1 0 R) 12 0 R]"


def test_items_are_told_apart_from_references():
    assert items(b"[1 2 0 R /R 3 0/X]") == [b"1", b"2 0 R", b"/R", b"3", b"0", b"/X"]


def test_names_are_compared_without_their_escapes():
    assert {b"Im1", b"F 1"} == names(b"/Im#31 Do /F#201 9 Tf")
    assert spelled(b"F 1") == b"/F#201"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (rb"(a\(b\)\\\053\n)", b"a(b)\\+\n"),
        (b"<68 6 9>", b"hi"),
        (b"<6>", b"`"),
        (b"(a\\\nb)", b"ab"),
    ],
)
def test_a_string_is_read(written, meant):
    assert meant == string_bytes(written)


SCRAPS = (
    b"<<", b">>", b"[", b"]", b"/", b"/A", b"/B1", b"(", b")", b"(a)", b"%", b"{", b"}", b" ",
    b"\n", b"\0", b"\x0b", b"R", b"0", b"5 0 R", b"5 0 Rx", b"12", b"-1.5", b"true", b"<0a>",
    b"#", b"/A 1", b"/A[1 2]", b"/A<</B 1>>", b"/A<</B<</C[1]>>>>",
)  # fmt: skip


@given(st.lists(st.sampled_from(SCRAPS), max_size=12).map(b"".join))
@example(b"/Filter/Fl e")
@example(b"/A//B 1")
@example(b"/A 5 0 R/B<</C<</D<</E 1>>>>>>")
def test_a_dictionary_that_is_cut_at_a_stroke_is_cut_like_any_other(inside):
    written = b"<<" + inside + b">>"
    try:
        parts = items(written)
    except UnsupportedPdf:
        parts = [b"a key without a value"]
    if len(parts) % 2:
        with pytest.raises(UnsupportedPdf):
            dictionary(written)
    else:
        expected = dict(zip(parts[::2], parts[1::2], strict=True))
        assert list(expected.items()) == list(dictionary(written).items())
