"""Paperless or on paper: how the bills of an account come (rules 24, 25, 31-36; ruling 1)."""

from __future__ import annotations

from starlette.responses import Response

from identity.paperless import choose_paperless, delivery_of
from web.customers.accounts import my_known_account
from web.layout import missing, show
from web.visits import Visit, redirect

DONE = {
    "paperless": "You chose paperless. The billing office is told.",
    "paper": "You chose paper bills. The billing office is told.",
}
# Kept word for word with each choice (15 U.S.C. 7001(c)): what is agreed to, and the way back.
CONSENT = (
    "I agree to get the bills of account %(number)s by e-mail as PDF documents at %(address)s "
    "instead of on paper. I could open the PDF of a bill on my own device. I may go back to paper "
    "at any time on this page or by telling the billing office, free of charge. I keep my e-mail "
    "address up to date."
)


def show_paperless(visit: Visit, status: int = 200) -> Response:
    """Show how the bills come, what a change does, and how many others get them (rule 25)."""
    mine = my_known_account(visit)
    if mine is None:
        return missing(visit)
    with visit.office.database.reading() as books:
        delivery = delivery_of(books, mine.account_key, visit.user.address)
    return show(
        visit,
        "paperless.html",
        status,
        mine=mine,
        delivery=delivery,
        chosen_on=delivery.chosen_at and delivery.chosen_at.astimezone(visit.zone),
        consent=_consent(visit, mine.account),
        done=DONE.get(visit.request.query_params.get("done", ""), ""),
    )


def take_paperless(visit: Visit) -> Response:
    """Take the choice down; a landlord does not choose for the tenant."""
    mine = my_known_account(visit)
    if mine is None:
        return missing(visit)
    choice = visit.text("choice")
    if mine.is_landlords or choice not in DONE:
        return show_paperless(visit, 403 if mine.is_landlords else 422)
    consent = _consent(visit, mine.account) if choice == "paperless" else ""
    with visit.office.database.writing() as books:
        choose_paperless(
            books,
            visit.user,
            mine.account_key,
            mine.account,
            choice == "paperless",
            consent,
            visit.now,
        )
    return redirect(f"/accounts/{mine.account_key}/paperless?done={choice}")


def _consent(visit: Visit, number: str) -> str:
    return visit.say(CONSENT, number=number, address=visit.user.address)
