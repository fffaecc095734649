"""What became of a bill after its close: made anew, or its close taken back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.corrections import correction, period_undo, replaced_bill
from domain.corrections import Replacing
from office.lookup.why.sentences import Case, Sentence, Sentences, Topic, say_day


def why_afterwards(case: Case) -> Sentences:
    """Say of each correction and each undo of the period what it did, who did it and why."""
    for row in case.rows(_corrections(case)):
        yield _of_a_correction(case, row)
    undone = sa.select(period_undo).where(period_undo.c.period == case.period)
    for row in case.rows(undone.order_by(period_undo.c.number)):
        yield _of_an_undo(case, row)
    for row in case.rows(_replaced(case)):
        yield _of_a_replaced_bill(case, row)


def _corrections(case: Case) -> sa.Select[Any]:
    rows = correction.c
    mine = rows.period == case.period, rows.account_key == case.account_key
    return sa.select(correction).where(*mine).order_by(rows.number)


def _of_a_correction(case: Case, row: Any) -> Sentence:
    """Say what the bill asked for and asks for; a correction's own sentences tell the rest."""
    was = f"{row.amount_before.dollars()}, due {say_day(row.due_before)}"
    now = f"{row.amount_due.dollars()}, due {say_day(row.due_on)}"
    text = (
        f"The {row.form} was corrected {case.say_time(row.corrected_at)} by {row.corrected_by}, "
        f"from {was}, to {now}: {row.reason}"
    )
    if row.undone is not None:
        text += "; it went with its bill when the close was taken back"
    elif row.said:
        text += f". {' '.join(row.said)}".rstrip(".")
    about = f"correction/{row.period}/{row.account_key}/{row.number}"
    return Sentence(Topic.BILL, text, ("10",), about)


def _of_an_undo(case: Case, row: Any) -> Sentence:
    why = f": {row.reason.rstrip('.')}" if row.reason else ""
    text = (
        f"The close of {case.say_time(row.closed_at)} by {row.closed_by} was taken back "
        f"{case.say_time(row.undone_at)} by {row.undone_by}{why}; its bill did not show any more, "
        "its balance was again that of the bill before, and what was not drawn, mailed or printed "
        "yet was taken back with it"
    )
    return Sentence(Topic.BILL, text, ("10",), f"undo/{row.period}/{row.number}")


def _replaced(case: Case) -> sa.Select[Any]:
    rows = replaced_bill.c
    mine = rows.period == case.period, rows.account_key == case.account_key
    return sa.select(replaced_bill).where(*mine).order_by(rows.form, rows.edition)


def _of_a_replaced_bill(case: Case, row: Any) -> Sentence:
    by = {Replacing.CORRECTION: "a corrected bill", Replacing.UNDO: "what the close brings anew"}
    text = (
        f"The {row.form} of {row.amount_due.dollars()}, due {say_day(row.due_on)}, stood until "
        f"{case.say_time(row.replaced_at)} and was replaced by {by[row.replaced_by]}; its document "
        "is kept"
    )
    about = f"replaced/{row.period}/{row.form}/{row.account_key}/{row.edition}"
    return Sentence(Topic.BILL, text, ("10",), about)
