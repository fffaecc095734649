"""Clues of lines are found once for all lines alike, and say the same as looking at each page."""

from __future__ import annotations

import dataclasses
import re

from hypothesis import given
from hypothesis import strategies as st

from splitter.association.clues import ClueTaker
from splitter.association.line_clues import (
    BROKEN,
    PLAIN,
    SPACED,
    LineShapes,
    line_shapes,
    long_numbers,
    tokens_on,
)
from splitter.association.names import NO_NAMES

# The expressions as they stand, for a whole page at once: what lines are compared with.
ALONE = r"(?<![\w.,$/+-]"
CORE = re.compile(
    rf"[A-Z\d]{ALONE}.)(?:(?<=\d)|(?<=[A-Z])[A-Z]{{0,2}}\d)(?:[-._/]?[A-Z]?\d){{3,}}(?![\w%]|[.,]\d|-\d)"
)
SPACED_NUMBER = re.compile(
    rf"\d{ALONE}\d)\d{{0,9}}(?: ?[-._]? ?\d{{1,10}}){{1,9}}(?![\w%/]|[.,]\d)"
)
BROKEN_NUMBER = re.compile(
    r"(?<![\w.,$/+-])(\d{1,8}(?:[-.]\d{1,8})*[-.])\n(\d{1,8}(?:[-.]\d{1,8})*)(?![\w%/]|[.,]\d)"
)
LONG = re.compile(rf"\d{ALONE}\d)[\d.-]{{5,}}(?![\w%/]|,\d)")
LETTERED = re.compile(r"\d(?<=[A-Z-]\d)[\d.-]{5,}(?![\w%/]|,\d)")
OTHER = re.compile(
    r"\d{4}-\d\d-\d\d|\d\d?-\d\d?-\d{4}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{5}-\d{4}"
    r"|(?:1[-. ])?\d{3}[-. ]\d{3}[-. ]\d{4}|\d{3}[-.]\d{4}|\d+\.\d\d"
)

number = st.from_regex(r"[A-Z]{0,3}-?[0-9]{1,6}(?:[-. _/][0-9]{1,5}){0,3}", fullmatch=True)
telephone = st.sampled_from(
    ["1-555-010-0142", "2-555-010-0142", "1 555 010 0142", "555 010 0142", "555-0142", "1.5"]
)
word = st.sampled_from(
    [
        "Account:",
        "Page",
        "of",
        "Cuenta",
        "Dear",
        "kWh",
        "İZMİR",
        "straße",
        "-",
        "$",
        "%",
        "page 1 of 3",
    ]
)
line = st.lists(st.one_of(number, telephone, word), max_size=5).map(" ".join)
page = st.lists(line, max_size=7).map("\n".join)


def on_the_whole_page(text):
    tokens = {}
    for match in CORE.finditer(text):
        if not OTHER.fullmatch(match[0]):
            tokens[match[0], PLAIN] = None
    for match in SPACED_NUMBER.finditer(text):
        told = match[0]
        if " " in told and sum(map(str.isdigit, told)) >= 4:
            if len(told) in (12, 14) and OTHER.fullmatch(told):
                continue
            tokens[told, SPACED] = None
    for match in BROKEN_NUMBER.finditer(text):
        tokens[match[1] + match[2], BROKEN] = None
    return list(tokens)


@given(page)
def test_numbers_of_lines_are_those_of_the_page(text):
    lines = text.split("\n")
    clues = LineShapes("account:").of(lines, text)
    written = tokens_on(text, lines, clues)
    columns = [column.split("\n") for column in written.split("\t")] if written else []
    told = zip(*columns, strict=True)
    found = dict.fromkeys((number, how) for number, how, _ in told)
    assert list(found) == on_the_whole_page(text)


@given(page)
def test_long_numbers_of_lines_are_those_of_the_page(text):
    lines = text.split("\n")
    found = long_numbers(lines, LineShapes("").of(lines, text))
    expected = [n for n in LONG.findall(text) if not OTHER.fullmatch(n)]
    for match in LETTERED.finditer(text):
        before = re.search(
            r"(?:^|[^\w.,$/+-])([A-Z]{1,3}-?)\Z", text[max(0, match.start() - 5) : match.start()]
        )
        if before and (match.start() <= 5 or before.start(1) > 0):
            expected.append(before[1] + match[0])
    keys = [n.encode().translate(None, b" -._/") for n in expected]
    assert found == keys


@given(page, page, st.sampled_from(["", "account:", "acct2:"]), st.booleans())
def test_clues_do_not_depend_on_the_pages_before(text, before, label, is_named):
    taker = ClueTaker(label, NO_NAMES)
    line_shapes.cache_clear()
    alone = taker.take(text, 0, 1, is_named=is_named)
    line_shapes.cache_clear()
    figures_moved = before.translate(str.maketrans("0123456789", "1234567890"))
    for other in (before, figures_moved, text.translate(str.maketrans("01289", "10900"))):
        taker.take(other, 0, 1, is_named=is_named)
    assert dataclasses.astuple(taker.take(text, 0, 1, is_named=is_named)) == dataclasses.astuple(
        alone
    )
