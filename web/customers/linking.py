"""Linking an account with what stands on a bill, and taking it off again (rules 123-128)."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import Response

from domain.accounts import account_key
from identity.account_links import LinkWish, link_account, unlink_account
from identity.activity import CUSTOMER
from identity.users import find_user
from office.procedures.mailing.portal_mail import queue_portal_mails
from web.customers.accounts import my_account
from web.layout import missing, show
from web.visits import Visit, redirect

NO_ACCOUNT = (
    "We found no account with that number and that name or amount. Check both against your last "
    "bill: the number with or without its dashes, the last name as it stands there."
)
TOO_MANY = (
    "That was tried too often. Try again in 24 hours, or call the billing office: "
    "they can link the account for you."
)


def show_linking(visit: Visit) -> Response:
    return show(visit, "link.html")


def take_linking(visit: Visit) -> Response:
    """Link an account; everything that is wrong gets one answer, so that nothing can be guessed."""
    problems: dict[str, str] = {}
    if not account_key(visit.text("number")):
        problems["number"] = visit.say("Enter the account number that stands on your bill.")
    if not visit.text("proof"):
        problems["proof"] = visit.say(
            "Enter your last name as it stands on the bill, or the amount of your last bill."
        )
    if problems:
        return show(visit, "link.html", 422, problems=problems)
    wish = LinkWish(visit.text("number"), visit.text("proof"), visit.network)
    office = visit.office
    with office.database.writing() as books:
        user = find_user(books, visit.user.number)
        if user is None:
            return missing(visit)
        answer = link_account(books, office.link_tokens, user, wish, visit.now)
        queue_portal_mails(office, books, answer.mails)
    if answer.mails:
        visit.wake_mail()
    if not answer.account:
        sentence = visit.say(TOO_MANY if answer.too_many else NO_ACCOUNT)
        return show(visit, "link.html", 422, problems={"number": sentence})
    return redirect(f"/?done=linked&account={quote(account_key(answer.account))}")


def show_unlinking(visit: Visit) -> Response:
    """Ask before an account is taken off; what a landlord sees the office ends (rule 133)."""
    mine = my_account(visit)
    if mine is None:
        return missing(visit)
    return show(visit, "unlink.html", account=mine.account, is_landlords=mine.is_landlords)


def take_unlinking(visit: Visit) -> Response:
    mine = my_account(visit)
    if mine is None:
        return missing(visit)
    if mine.is_landlords:
        return show(visit, "unlink.html", 403, account=mine.account, is_landlords=True)
    with visit.office.database.writing() as books:
        unlink_account(books, visit.user.number, mine.account_key, visit.now, CUSTOMER)
    return redirect("/")
