"""A customer is enrolled by the office: nobody is before what would be drawn was read to them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from sqlalchemy.engine import Connection
from starlette.responses import Response

from database.audit import record_audit
from domain.failures import Misuse, Refused
from identity.activity import record_activity
from office.procedures.portal.autopay_mails import mail_enrolled
from office.procedures.portal.enrollment_terms import enrollment_terms
from office.procedures.portal.method_link import send_method_link
from payments.enrollment.ending import find_enrollment_facts
from payments.enrollment.enrolling import Offer, enroll, offer_enrollment, require_free
from payments.enrollment.wording import say_mandate, say_outcome
from rules.money.autopay import OverMaximum
from web.customers.autopay.form import read_wish, seal_of
from web.customers.autopay.words import say_always, say_first
from web.office.enrollment.payers import Payer, address_of, known_payers, payer_of, read_address
from web.office.layout import show_office
from web.visits import LONGEST_REASON, Visit, redirect

ENROLL = "/office/autopay/enroll"
SENT = {
    "mailed": "The link is on its way by mail. Once the customer has added a method there, look "
    "again: it stands below.",
    "texted": "The link is on its way by text. Once the customer has added a method there, look "
    "again: it stands below.",
}


def show_enrolling(visit: Visit) -> Response:
    """Ask which account and whose wallet; with both in the address, ask for the terms."""
    asked = visit.request.query_params
    account = asked.get("account", "").strip()
    address = address_of(visit, asked.get("user", ""))
    if not account or not address:
        return _ask_who(visit, account, {})
    try:
        payer = payer_of(visit, account, address)
    except Misuse as refused:
        return _ask_who(visit, "", {"account": refused.message})
    return _ask_terms(visit, payer, said=SENT.get(asked.get("done", ""), ""))


def take_payer(visit: Visit) -> Response:
    """Go on to the terms once it is known who pays."""
    problems: dict[str, str] = {}
    found = _read_payer(visit, problems)
    if found is None:
        return _ask_who(visit, visit.text("account"), problems)
    if found.user is not None:
        return redirect(_page_of(found.standing.account, found.number))
    return _ask_terms(visit, found)


def take_link(visit: Visit) -> Response:
    """Send the customer a link to add a method: no number is heard or typed by staff (rule 64)."""
    problems: dict[str, str] = {}
    found = _read_payer(visit, problems)
    if found is None:
        return _ask_who(visit, visit.text("account"), problems)
    account, way = found.standing.account, "texted" if visit.text("way") == "text" else "mailed"
    try:
        number = send_method_link(
            visit.office, account, found.standing.key, found.address, texted=way == "texted"
        )
    except Refused as refused:
        return _ask_terms(visit, found, problems={"link": refused.message})
    visit.wake_mail()
    return redirect(_page_of(account, number, way))


def take_terms(visit: Visit) -> Response:
    """Show what would happen, in the words that are read to the customer; nothing is changed."""
    return _with_offer(visit, _offer_page)


def take_yes(visit: Visit) -> Response:
    """Enroll as was read out; where anything differs by now, it is shown again instead."""
    return _with_offer(visit, _agree)


def _with_offer(visit: Visit, go_on: Any) -> Response:
    problems: dict[str, str] = {}
    payer = _read_payer(visit, problems)
    if payer is None:
        return _ask_who(visit, visit.text("account"), problems)
    wish = read_wish(visit, payer.standing.account, payer.address, payer.usable)
    if wish.request is None:
        return _ask_terms(visit, payer, problems=wish.problems)
    try:
        offer = offer_enrollment(
            visit.office.database, wish.request, **enrollment_terms(visit.office, visit.today)
        )
        answer: Response = go_on(visit, payer, offer)
    except (Refused, Misuse) as refused:
        return _ask_terms(visit, payer, problems={"method": refused.message})
    return answer


def _agree(visit: Visit, payer: Payer, offer: Offer) -> Response:
    reason = visit.text("reason")[:LONGEST_REASON]
    if seal_of(offer) != visit.text("seal"):
        changed = "Something has changed since this was shown: read it out again."
        return _offer_page(visit, payer, offer, {"reason": changed})
    if not reason:
        return _offer_page(visit, payer, offer, {"reason": "Say how the customer agreed."})
    enroll(
        visit.office.database,
        offer,
        now=visit.office.moment(),
        who=visit.office.who,
        alongside=lambda books, done: _tell(visit, books, payer, done, reason),
        **enrollment_terms(visit.office, visit.today),
    )
    visit.wake_mail()
    return redirect("/office/autopay?done=enrolled")


def _tell(visit: Visit, books: Connection, payer: Payer, done: Offer, reason: str) -> None:
    """Keep how the customer agreed, and mail them the very text, in the same transaction."""
    office, now, account = visit.office, visit.office.moment(), done.standing.account
    record_audit(books, now, office.who, "take down a customer's yes", account, reason)
    if payer.user is not None:
        record_activity(
            books,
            payer.number,
            "enrolled in autopay",
            now,
            account_key=done.standing.key,
            detail=f"{say_mandate(done.mandate)}; {say_outcome(done.planned)}",
            by=office.who,
        )
    mail_enrolled(office, books, done.standing, payer.address, payer.number)


def _read_payer(visit: Visit, problems: dict[str, str]) -> Payer | None:
    """Return who pays, if nothing is wrong; an account that cannot be enrolled is one problem."""
    address, office = read_address(visit, problems), visit.office
    try:
        if not visit.text("account"):
            raise Misuse("Enter the number of the account.")
        standing = find_enrollment_facts(office.database, visit.text("account"))
        require_free(standing, visit.today, office.bank_days, office.autopay_policy)
    except (Misuse, Refused) as refused:
        problems["account"] = refused.message
    return None if problems else payer_of(visit, visit.text("account"), address)


def _page_of(account: str, number: int, done: str = "") -> str:
    asked = {"account": account, "user": str(number)} | ({"done": done} if done else {})
    return f"{ENROLL}?{urlencode(asked)}"


def _ask_who(visit: Visit, account: str, problems: dict[str, str]) -> Response:
    return show_office(
        visit,
        "enroll-who.html",
        422 if problems else 200,
        account=account,
        known=known_payers(visit, account) if account else [],
        problems=problems,
        values=visit.form or {"account": account},
    )


def _ask_terms(
    visit: Visit, payer: Payer, said: str = "", problems: dict[str, str] | None = None
) -> Response:
    caps = visit.office.autopay_policy.over_maximum is OverMaximum.CAP
    return show_office(
        visit,
        "enroll-terms.html",
        422 if problems else 200,
        payer=payer,
        methods=[(one, visit.say_saved(one)) for one in payer.usable],
        unusable=[(visit.say_saved(one), why) for one, why in payer.unusable],
        has_portal="customers" in visit.office.settings.web.serves,
        again=_page_of(payer.standing.account, payer.number) if payer.user else "",
        caps=caps,
        said=said,
        problems=problems or {},
        values=visit.form,
    )


def _offer_page(
    visit: Visit, payer: Payer, offer: Offer, problems: dict[str, str] | None = None
) -> Response:
    return show_office(
        visit,
        "enroll-offer.html",
        422 if problems else 200,
        payer=payer,
        offer=offer,
        method=visit.say_method(offer.method.kind, offer.method.last4, offer.method.brand),
        first=say_first(visit, offer),
        always=say_always(visit, offer),
        seal=seal_of(offer),
        problems=problems or {},
        values=visit.form,
    )
