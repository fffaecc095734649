"""A register is read and worked at in pieces: how large they are changes nothing that is found."""

from __future__ import annotations

import random

import pandas as pd
import pytest

from data_checks.register import reading, usual
from data_checks.register.catalog import LIMITS
from data_checks.register.figures import list_figures, list_lines
from data_checks.register.limits import Limits
from data_checks.register.reviewing import JudgedLines, review_accounts
from tests.data_checks.register.town import LAST, a_line, build_town

PIECES = (1, 7, 10**6)


def spoil(seed):
    """Let anything change that a register tells of a line, in any month."""
    dice = random.Random(seed)

    def change(month, house, line, rows):
        if house % 5 == 1:
            rows.append(a_line("SEWER", amount=500 + round(40 * line["usage"]), rate_code="SR"))
        if house % 7 == 2:
            tax = round(0.05 * (10_00 + 100 * max(line["usage"], 0)))
            rows.append(a_line("TAX", amount=tax))
        if dice.random() > 0.15:
            return None
        kind = dice.choice(("use", "zero", "meter", "rate", "price", "twice", "gone", "days"))
        if kind in ("use", "zero"):
            line["usage"] = 0.0 if kind == "zero" else line["usage"] * dice.choice((0.1, 3, -1))
        elif kind == "meter":
            rows.append(dict(line, meter=f"X{house}", amount=12_00, current_read=5.0))
            rows[-1]["previous_read"] = 1.0
        elif kind == "rate":
            line["rate_code"] = dice.choice(("", "WR2"))
        elif kind == "price":
            line["amount"] = dice.randrange(-50_00, 90_00)
        elif kind == "twice":
            rows.append(dict(rows[1]))
        elif kind == "gone":
            rows.pop(1)
        else:
            line["days"], line["read_type"] = dice.choice((9, 61)), "estimated"
        return dice.choice(("active", "closed", "final"))

    return change


def reviewed(database):
    limits = Limits(LIMITS)
    with database.reading() as books:
        register, found = review_accounts(books, LAST, limits)
    judged = JudgedLines(register)
    pairs = zip(register.frame["account_key"], register.frame["service"], strict=True)
    frames = register.frame, list_lines(register)
    return frames, (found, list_figures(register, limits), [pair in judged for pair in pairs])


@pytest.mark.parametrize("seed", range(4))
def test_pieces_of_any_size_give_the_same_findings(database, monkeypatch, seed):
    build_town(database, spoil(seed), houses=80)
    results = []
    for size in PIECES:
        monkeypatch.setattr(usual, "ROWS", size)
        monkeypatch.setattr(reading, "AT_ONCE", size)
        results.append(reviewed(database))

    whole = results.pop()

    frames, told = whole
    assert sum(map(len, told[0].values())) >= 3
    for other_frames, others in results:
        for frame, other in zip(frames, other_frames, strict=True):
            pd.testing.assert_frame_equal(frame, other)
        assert told == others


def test_lines_that_are_judged_are_those_with_months_of_their_own(database):
    def change(month, house, line, rows):
        if house == 3 and month < 11:
            rows.clear()

    build_town(database, change)

    with database.reading() as books:
        register, _ = review_accounts(books, LAST, Limits(LIMITS))
    judged = JudgedLines(register)

    assert ("A7", "WATER") in judged
    for stranger in (
        ("A7", "GARBAGE"),
        ("A3", "WATER"),
        ("A7", "GAS"),
        ("B7", "WATER"),
        "A7",
        ("A7",),
    ):
        assert stranger not in judged
