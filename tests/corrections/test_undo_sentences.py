"""What an undo of a close says: a line for each thing there is, and none for what is not."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from corrections.undo.looking import (
    StandingDraw,
    UndoBoundary,
    UndoPlan,
    UndoRefused,
    look_at_undo,
    say_taken_back,
    say_what_is_done_instead,
    say_what_stands,
)
from domain.failures import Refused
from domain.money import ZERO, Money
from domain.payments import PaymentState
from tests.builders import RUN, a_household, stage_run

BARE = UndoPlan(
    period=RUN, number=1, closed_at=datetime(2026, 11, 2, 15, tzinfo=UTC), closed_by="anna",
    last_day=date(2026, 11, 6), bills=1, balances=2, amount=Money(100_00), payments=0,
    payments_amount=ZERO, draws=(), mails={}, mails_out={}, print_files=(), fetched=(),
    paper_bills=0, corrections=0, postings=0, posted=ZERO,
)  # fmt: skip
FULL = replace(
    BARE, bills=3, balances=1, payments=2, payments_amount=Money(40_00),
    draws=(StandingDraw("1", Money(5_00), PaymentState.SUCCEEDED, "SB1"),
           StandingDraw("2", Money(6_00), PaymentState.UNKNOWN, "")),
    mails={"bill": 1, "past-due": 2}, mails_out={"bill": 1}, print_files=("a.pdf", "b.pdf"),
    fetched=("b.pdf",), paper_bills=1, corrections=1, postings=1, posted=Money(5_00),
)  # fmt: skip
CORRECT = f"`billclose correct ACCOUNT --period {RUN} --bundle FOLDER` replaces one bill at a time"


def test_of_a_bare_close_only_its_bills_are_told_of():
    assert [
        "1 bill is not shown any more; 2 balances go back, $100.00 of them due"
    ] == say_taken_back(BARE)
    assert [] == say_what_stands(BARE)
    assert [
        f"1 bill shows, $100.00 due on 2 balances: {CORRECT}, with its balance and its payment"
    ] == say_what_is_done_instead(BARE)


def test_what_is_taken_back_is_told_a_line_each():
    assert [
        "3 bills are not shown any more; 1 balance goes back, $100.00 of them due",
        "2 scheduled payments cancelled, $40.00",
        "3 mails taken out of the outbox (1 bill, 2 past due)",
        "print batches removed: a.pdf",
        "1 correction goes with its bill",
    ] == say_taken_back(FULL)


def test_what_stands_is_told_with_what_is_done_about_it():
    assert [
        "2 draws, $11.00: they stay with their customers' accounts and count as paid when the "
        "period is closed again; nothing is drawn a second time. `billclose refund CONFIRMATION` "
        "gives one back",
        "1 mail that left or may have left (1 bill): the next close mails a corrected bill to "
        "whoever had one that it changes",
        "print batches that somebody has: b.pdf; ask that they are not posted. The next close "
        "prints all paper bills anew",
    ] == say_what_stands(FULL)
    assert [
        "whoever has copied a print batch already has to be told: say with the yes where the "
        "printer has it"
    ] == say_what_stands(replace(BARE, print_files=("a.pdf",)))


def test_of_a_close_that_stays_it_is_told_what_is_done_instead():
    assert [
        f"3 bills show, $100.00 due on 1 balance: {CORRECT}, with its balance and its payment",
        "2 payments not drawn yet, $40.00: a correction draws the new amount instead, or nothing",
        "2 payments drawn, $11.00: a correction counts what was drawn; `billclose refund "
        "CONFIRMATION` gives one back",
        "1 posting in cash receipting, $5.00: a refund is posted there as well",
        "1 mail that left or may have left (1 bill): a correction mails a bill that is marked as "
        "corrected and says what changed",
        "1 bill on paper, given out: b.pdf: a correction of one goes on paper too, with the next "
        "`billclose print`",
    ] == say_what_is_done_instead(FULL)


def test_a_refusal_comes_whole_out_of_another_process():
    refusal = pickle.loads(pickle.dumps(UndoRefused("undo-too-late", "It is too late.", FULL)))

    assert ("undo-too-late", "It is too late.", FULL) == (
        refusal.code, refusal.message, refusal.plan,
    )  # fmt: skip


def test_nothing_is_taken_back_of_a_period_that_is_not_closed(database):
    stage_run(database, a_household("1"))
    boundary = UndoBoundary(3, date(2026, 11, 3))

    said = f"^Period {RUN} is not closed"
    with pytest.raises(Refused, match=said) as refused, database.reading() as books:
        look_at_undo(books, RUN, boundary, lambda _file: False)

    assert "period-open" == refused.value.code
