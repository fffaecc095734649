"""The quick audit takes an element for one whether it saw others that are alike or not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitter.copying import tag_rules
from splitter.copying.tag_rules import TagsSeen
from splitter.pdf.syntax import references

ELEMENTS = (
    b"<</Type/StructElem/S/NonStruct/P 12 0 R/Pg 4 0 R/K 17>>",
    b"<</Type/StructElem/S/H1/P 12 0 R/K[13 0 R 14 0 R 3]/Lang(en-US)/Alt<feff0031>>>",
    b"<</Type/StructElem/S/Link/P 12 0 R"
    b"/K[<</Type/MCR/Pg 40 0 R/MCID 3>> <</Type/OBJR/Obj 7 0 R>>]>>",
    b"<</Type/StructElem/S/TD/P 9 0 R/Pg 4 0 R/K 1/ID(h3)"
    b"/A[<</O/Table/RowSpan 2/Headers[(h1)(h2)]>>]>>",
    b"<</Type/StructElem/S/Figure/P 9 0 R/A[<</O/Layout/BBox[1 2.5 30 4]>>]>>",
)
ALONE = b"<</Type/StructElem/S/P/P 12 0 R/K 1>>"


def seen(*bodies):
    tags = TagsSeen()
    named = [tags.take(number, body) for number, body in enumerate(bodies, start=100)]
    return tags, named


def spoiled(body, at, sign):
    return body[: at % len(body)] + sign + body[at % len(body) + 1 :]


DIGIT = st.sampled_from([b"%d" % digit for digit in range(10)])
SIGN = st.one_of(DIGIT, DIGIT, st.sampled_from([b" ", b"R", b"/", b"<", b">", b"(", b"#", b"-"]))
CHANGES = st.lists(st.tuples(st.integers(0, 200), SIGN), min_size=1, max_size=4)


@given(st.sampled_from(ELEMENTS), CHANGES)
def test_an_element_is_taken_as_if_no_other_had_been(element, changes):
    body = element
    for at, sign in changes:
        body = spoiled(body, at, sign)
    tag_rules._element_alike.cache_clear()
    is_one = tag_rules._ELEMENT.fullmatch(body) is not None

    tags, (_, named) = seen(element, body)

    assert is_one == (named is not None)
    if named is not None:
        assert references(body) == list(named)
        assert named[0] == tags.elements[101]
        links, pages = tag_rules.TagsSeen(), set(tags.pages)
        assert links.take(101, body) == named
        assert links.pages <= pages
        assert links.links <= tags.links


@pytest.mark.parametrize("element", ELEMENTS)
def test_a_reference_to_another_generation_is_no_elements(element):
    """Readers differ in what they find there, so nobody has looked at it."""
    for at in [place for place in range(len(element)) if element.startswith(b" 0 R", place)]:
        other = spoiled(element, at + 1, b"5")

        _, (first, second) = seen(element, other)

        assert first is not None
        assert second is None


def test_what_elements_name_is_told_apart():
    tags, _ = seen(*ELEMENTS)

    assert {4, 40} == tags.pages
    assert {7} == tags.links
    assert {100: 12, 101: 12, 102: 12, 103: 9, 104: 9} == tags.elements


def test_elements_that_are_written_alike_are_looked_through_once():
    tag_rules._element_alike.cache_clear()

    seen(*(ALONE.replace(b"12", b"%d" % number) for number in range(10, 60)))

    assert 1 == tag_rules._element_alike.cache_info().misses
