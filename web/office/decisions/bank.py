"""The bank's file beside the gateway's payouts: taken in, what differs, and settling it."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from domain.failures import Misuse
from office.procedures.bank.matching import (
    bank_standing,
    is_bank_item,
    settle_bank_item,
    take_bank_file,
)
from payments.bank.keeping import TakenFile
from rules.money.bank_matching import BankDifference, say_group
from web.guarding import BANK
from web.office.layout import show_office
from web.office.pages import groups
from web.office.permissions import Permission, may
from web.visits import LONGEST_REASON, Visit, redirect

SAID = {
    BankDifference.NOT_HERE: "in the bank, and no payout here",
    BankDifference.NOT_IN_BANK: "a payout here, and not in the bank",
    BankDifference.NEAR_AMOUNT: "another amount in the bank",
    BankDifference.NEAR_DATE: "the same amount, far from its day",
    BankDifference.SEVERAL_WAYS: "lines and payouts add up in several ways: a person has to say "
    "which belong together",
}


def show_bank(
    visit: Visit, problems: dict[str, str] | None = None, taken: TakenFile | None = None
) -> Response:
    """Show how bank and payouts agree, by all files that were taken in."""
    return show_office(
        visit,
        "bank.html",
        422 if problems else 200,
        group=groups()["deposits"],
        standing=bank_standing(visit.office),
        said=SAID,
        say_group=say_group,
        taken=taken,
        texts=visit.office.settings.bank.texts,
        upload=BANK,
        may_decide=may(visit.user.role, Permission.DECIDE),
        problems=problems or {},
        values=visit.form,
        is_settled=visit.request.query_params.get("done") == "settled",
    )


def take_file(visit: Visit, file: Any) -> Response:
    """Take in the bank's file; what is wrong with it is said with its row."""
    try:
        if not isinstance(file, UploadFile) or not file.filename:
            raise Misuse("Choose the bank's file: BAI2 or CSV.")
        taken = take_bank_file(visit.office, file.filename, file.file.read())
    except Misuse as refused:
        return show_bank(visit, {"file": refused.message})
    return show_bank(visit, taken=taken)


def take_settled_line(visit: Visit) -> Response:
    """Take a person's word that a difference with the bank is settled; audited."""
    item, reason = visit.text("item"), visit.text("reason")[:LONGEST_REASON]
    problems = {} if is_bank_item(item) else {"item": "Choose the line that is settled."}
    if not reason:
        problems["reason"] = "Say how it was settled: it is audited."
    if problems:
        return show_bank(visit, problems)
    try:
        settle_bank_item(visit.office, item, reason)
    except Misuse as refused:
        return show_bank(visit, {"item": refused.message})
    return redirect(f"{BANK}?done=settled")
