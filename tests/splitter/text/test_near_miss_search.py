"""Which pages are surely nobody's, without asking a second engine."""

from __future__ import annotations

import pytest

from splitter.text.normalizing import normalized
from splitter.text.page_facts import NearMissSearch, Reading, label_of
from splitter.text.patterns import compile_patterns
from tests.splitter.pdf_builders import a_bulk_file


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param(r"Account:\s*([0-9.\-]+)", "account:", id="a label and a value"),
        pytest.param(r"Customer\s+No\.\s*([0-9]+)", "customerno.", id="of two words"),
        pytest.param(r"(\d{2}-\d{6}-\d{2})", "", id="a value alone"),
        pytest.param(r"Account:([0-9]+)|Acct:([0-9]+)", "", id="one of two labels"),
        pytest.param(r"(?:Account|Acct): ([0-9]+)", ":", id="one of two labels in a group"),
        pytest.param(r"Accounts?: *([0-9]+)", "account", id="a sign that may be missing"),
        pytest.param(r"[Aa]ccount \(new\) ([0-9]+)", "ccount(new)", id="a choice of signs"),
        pytest.param(r"No+te{2}r ([0-9]+)", "no", id="signs that repeat"),
        pytest.param(r"[A)|(]ccount([0-9]+)", "ccount", id="brackets in a choice of signs"),
    ],
)
def test_the_label_of_a_pattern_is_what_every_match_holds(pattern, expected):
    assert expected == label_of(pattern)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Usage details\nWater 3.2", True, id="it names nothing like the label"),
        pytest.param("Usage details ACC OUNT :", False, id="the label is there, broken"),
        pytest.param("Usage details\n:tnuoccA", False, id="the label is there, backwards"),
        pytest.param("Usage \ufffd details", False, id="a sign has no meaning"),
        pytest.param("", False, id="there is no text"),
        pytest.param("\n".join("Usage details"), False, id="letters stand in lines"),
    ],
)
def test_a_page_surely_names_no_account_when(text, expected):
    search = NearMissSearch.of(compile_patterns(a_bulk_file()))

    assert expected == search.surely_names_none(Reading(normalized(text), normalized(text)))


@pytest.mark.parametrize(
    "pattern", [r"(\d{2}-\d{6}-\d{2})", r"(?x) Account: ([0-9]+)", "No([0-9])"]
)
def test_without_a_label_no_page_is_sure(pattern):
    search = NearMissSearch.of(compile_patterns(a_bulk_file(account=pattern)))

    assert not search.surely_names_none(Reading("Usage details", "Usage details"))
