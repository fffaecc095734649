"""The ledger's cases by number: what is given, and which tests show what is right then."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CARRYING = "billing_system/test_carrying.py"
CHECKS = "billing_system/test_boundary_checks.py"
PLANS = "billing_system/test_boundary_plans.py"
RULES = "rules/test_export_boundary.py"
FEED = "billing_system/feed/test_taking_in.py"
BACK = "payments/outcomes/test_money_back.py"
DRAWS = "payments/collecting/test_between_closes.py"

# An export is written on November 30 at 17:00 and closed the next morning: what the account of
# 100.00 (October) and 160.00 (November) owes when this has happened.
CASES: dict[int, tuple[str, tuple[str, ...]]] = {
    1: (
        "drawn after the export was written",
        (CARRYING, PLANS, DRAWS, "scenarios/test_evening_draw.py"),
    ),
    2: ("drawn, posted and in the export", (CARRYING, PLANS)),
    3: ("drawn before it, posted after it", (CARRYING, PLANS)),
    4: ("the same, and cash of that amount at the counter", (CARRYING, RULES)),
    5: ("returned after the export was written", (CARRYING, DRAWS)),
    6: ("returned after the close", (CARRYING, BACK, DRAWS)),
    7: ("drawn and returned after it", (CARRYING, RULES)),
    8: ("drawn and returned before it, neither is in it", (CARRYING, RULES)),
    9: ("one of ours in several lines", (RULES,)),
    10: ("two of ours in one line", (RULES,)),
    11: ("booked with another amount", (PLANS, CHECKS)),
    12: ("booked on another account", (CARRYING, CHECKS)),
    13: ("booked twice", (CHECKS,)),
    14: ("a line with the number of a declined draw", (CHECKS,)),
    15: ("paid at the counter before the draw", (FEED, DRAWS)),
    16: (
        "the same file twice, the same movement with another amount",
        (FEED, "flows/test_feed.py"),
    ),
    17: ("our own receipt comes back", (FEED, RULES)),
    18: ("our receipt is taken out there", (FEED, "billing_system/feed/test_deciding.py")),
    19: ("a file of before the export comes after the close", (CARRYING, FEED)),
    20: ("two alike, one line", (CARRYING, FEED, RULES)),
    21: ("told, then deleted there", (CARRYING, CHECKS, RULES)),
    22: ("a file is missing, two cycles", (DRAWS,)),
    23: ("a fee that is not in the balance due", (CARRYING, FEED)),
    24: ("equal pay: paid before the close, heard at once or later", (CARRYING, DRAWS)),
    25: ("equal pay: returned after the close", (CARRYING, DRAWS)),
    26: ("two disputes of a part, one is won", (BACK,)),
    27: ("a decline is told again", (BACK,)),
    28: ("a bank's no to a draw without an answer", (BACK,)),
    29: ("refunded at the gateway's desk", (BACK,)),
    30: ("our refund, killed after the answer", (BACK,)),
    31: ("a refund, then a dispute of all", (BACK,)),
    32: ("a second draw lands and is given back", (BACK,)),
    33: ("a payment before the account's first close", (CARRYING, FEED)),
    34: ("a forgotten older period is closed later", (CARRYING,)),
    35: ("cycle A is closed between two draws of cycle B", (CARRYING,)),
    36: (
        "a block by the feed, an export says none",
        ("payments/collecting/test_collecting.py", "database/definitions/test_account_changes.py"),
    ),
    37: ("the close is taken back", ("corrections/test_undone_balances.py",)),
    38: ("two sessions at once", ("payments/collecting/test_races.py",)),
    39: ("the machine was off on the day of the draw", ("flows/test_remind.py",)),
    40: ("written in the hour that clocks show twice", (CHECKS,)),
    41: ("a draw between the dry run and the close", (PLANS,)),
}


@cache
def read_tests(path: str) -> list[str]:
    """Return the text of each test of a file, with what stands beside its name."""
    text = (TESTS / path).read_text("utf-8")
    lines = text.splitlines()
    return [
        "\n".join(
            lines[min([one.lineno, *(d.lineno for d in one.decorator_list)]) - 1 : one.end_lineno]
        )
        for one in ast.parse(text).body
        if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")
    ]


def test_every_case_of_the_ledger_is_listed():
    assert list(range(1, 42)) == list(CASES)


@pytest.mark.parametrize("number", CASES)
def test_a_case_is_shown_by_tests_that_name_it(number):
    _, paths = CASES[number]
    named = re.compile(rf"\bcase {number}\b|test_case_{number}_", re.IGNORECASE)

    missing = [path for path in paths if not any(map(named.search, read_tests(path)))]

    assert paths and [] == missing
