"""Patterns that can work, and those that cannot."""

from __future__ import annotations

import pytest

from domain.failures import Misuse
from splitter.text.patterns import compile_patterns
from tests.splitter.pdf_builders import a_bulk_file


def test_the_patterns_of_a_bulk_file_find_their_values():
    patterns = compile_patterns(a_bulk_file(separator="BATCH  SEPARATOR"))

    assert patterns.account.search("Account: 01.1037.1")[1] == "01.1037.1"
    assert patterns.separator == "BATCHSEPARATOR"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        pytest.param({"account": "Account: ([0-9"}, "account", id="it is no regular expression"),
        pytest.param({"account": r"Account: \d+"}, "account", id="it has no group"),
        pytest.param({"amount_due": r"\$\d+"}, "amount_due", id="the amount has no group"),
        pytest.param({"due_on": "("}, "due_date", id="the due date is no expression"),
        pytest.param({"region": (300, 0, 100, 50)}, "region", id="the region has no area"),
        pytest.param({"separator": "  "}, "separator", id="the separator is only white space"),
    ],
)
def test_a_pattern_is_misuse_when(changes, named):
    with pytest.raises(Misuse) as misuse:
        compile_patterns(a_bulk_file(**changes))

    assert named in misuse.value.message
