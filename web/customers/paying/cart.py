"""The cart: what is paid in one payment, with what, and where the receipt goes (rule 195)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from starlette.responses import Response

from domain.checkout import NotTaken, PayableAccount, PayLine, PayWallet
from domain.failures import PermanentFailure
from domain.money import Money
from domain.payment_methods import method_key
from mail.message.addresses import to_envelope_address
from office.procedures import checkout
from office.procedures.portal.method_capture import finish_guest_capture
from payments.checkout.confirming import PayWish
from payments.checkout.facts import read_payable, read_wallet
from rules.money.checkout import offered_methods, payable_kinds
from web.customers.paying.capturing import (
    NO_ANSWER,
    NO_PAGE,
    send_guest_to_capture,
    send_to_capture,
)
from web.customers.paying.payers import PagePayer, payer_of
from web.customers.paying.words import (
    CHOOSE,
    NEW_METHOD,
    NO_WAY,
    WHY,
    consent_in,
    say_refusal,
    say_stale,
)
from web.customers.robots import find_robot
from web.layout import missing, show
from web.visits import Visit, redirect, row_number

ADDRESS = "Enter the email address that the receipt is to go to."
Lines = list[tuple[int, PayLine]]


def show_cart(visit: Visit) -> Response:
    """Show what was gathered, its sum, and what it can be paid with; fees come on the next page."""
    return _cart(visit, payer_of(visit))


def take_out(visit: Visit) -> Response:
    """Take one line out of the cart."""
    payer, number = payer_of(visit), row_number(visit.text("line"))
    if number is not None:
        checkout.take_out(visit.office, payer.owner, number)
    return redirect(f"{payer.base}/cart")


def take_cart(visit: Visit) -> Response:
    """Take the whole cart to a check page, or first to the gateway's page for a new method."""
    payer = payer_of(visit)
    lines = checkout.cart_of(visit.office, payer.owner)
    if not lines:
        return redirect(f"{payer.base}/cart")
    if not checkout.is_possible(visit.office):
        return _cart(visit, payer, {"": visit.say(WHY[NotTaken.NOT_YET])})
    if payer.is_guest:
        return _take_guests(visit, payer, lines)
    token = visit.text("method")
    accounts, wallet = _facts(visit, payer, lines)
    if token == NEW_METHOD:
        kinds = payable_kinds(accounts)
        return send_to_capture(visit, "/cart", kinds) if kinds else _blocked(visit, payer)
    if wallet.method(token) is None:
        return _cart(visit, payer, {"method": visit.say(CHOOSE)})
    return _draft(visit, payer, lines, token)


def _take_guests(visit: Visit, payer: PagePayer, lines: Lines) -> Response:
    if problems := find_robot(visit):
        return _cart(visit, payer, problems)
    address = visit.text("email")
    try:
        to_envelope_address(address)
    except PermanentFailure:
        return _cart(visit, payer, {"email": visit.say(ADDRESS)})
    guest = replace(payer, owner=replace(payer.owner, address=address))
    accounts, _ = _facts(visit, payer, lines)
    kinds = payable_kinds(accounts)
    return send_guest_to_capture(visit, guest, kinds) if kinds else _blocked(visit, payer)


def _blocked(visit: Visit, payer: PagePayer) -> Response:
    """Say that what stands in the cart can be paid together in no way that the office lets."""
    return _cart(visit, payer, {"": visit.say(NO_WAY)})


def take_guests_method(visit: Visit) -> Response:
    """Go on with what a guest gave on the gateway's page, which leads back here by a GET."""
    payer = payer_of(visit)
    if visit.request.method != "GET":
        return redirect("/guest/cart")
    try:
        given = finish_guest_capture(visit.office, payer.owner.guest, visit.path("key"))
    except LookupError:
        return missing(visit)
    except NO_ANSWER:
        return _cart(visit, payer, {"": visit.say(NO_PAGE)})
    lines = checkout.cart_of(visit.office, payer.owner)
    if given is None or not lines:
        return redirect("/guest/cart")
    owner, token = given
    return _draft(visit, replace(payer, owner=owner), lines, token)


def _draft(visit: Visit, payer: PagePayer, lines: Lines, token: str) -> Response:
    paid = tuple(line for _, line in lines)
    wish = PayWish(payer.owner, paid, token, visit.language)
    key, refusal = checkout.draft(visit.office, wish, partial(consent_in, visit))
    if refusal is None:
        return redirect(f"{payer.base}/payments/{key}")
    accounts, _ = _facts(visit, payer, lines)
    return _cart(visit, payer, {"": say_refusal(visit, refusal, accounts, whole=True)})


def _facts(visit: Visit, payer: PagePayer, lines: Lines) -> tuple[list[PayableAccount], PayWallet]:
    keys = [line.account_key for _, line in lines if line.account_key]
    with visit.office.database.reading() as books:
        accounts = list(read_payable(books, payer.owner, keys).values())
        return accounts, read_wallet(books, payer.owner, accounts)


def _cart(visit: Visit, payer: PagePayer, problems: dict[str, str] | None = None) -> Response:
    lines = checkout.cart_of(visit.office, payer.owner)
    accounts, wallet = _facts(visit, payer, lines)
    settings = visit.office.settings
    values = dict(visit.form)
    added = visit.request.query_params.get("method", "")  # on the gateway's page just now
    for one in wallet.methods:
        if method_key(one.token) == added:
            values["method"] = one.token
    return show(
        visit,
        "cart.html",
        422 if problems else 200,
        payer=payer,
        lines=lines,
        total=Money.total(line.amount for _, line in lines),
        methods=[] if payer.is_guest else offered_methods(accounts, wallet),
        stale=say_stale(visit, accounts),
        has_cart=settings.checkout.cart,
        has_other=bool(settings.other_payments.offered),
        message=visit.messages["cart"] or visit.messages["payment"],
        values=values,
        problems=problems or {},
    )
