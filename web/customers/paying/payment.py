"""A payment by hand on the pages: to be checked, on its way, what became of it."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from database.inserting import one_after_the_other
from database.queries.payment_events import moved_of
from domain.checkout import CAME_TO_NOTHING, Checkout, CheckoutEnd
from domain.languages import say_day
from domain.ledger import EntryKind
from domain.money import ZERO
from domain.payments import PaymentKind
from identity.attempts.counting import count_bad, record_attempt
from mail.letters.phrases import MONEY_MOVED, say_decline
from office.procedures import checkout
from payments.checkout.facts import read_payable
from web.customers.paying.payers import PagePayer, payer_of
from web.customers.paying.words import say_refusal, say_stale
from web.layout import missing, show
from web.visits import Visit, redirect

DAY = timedelta(hours=24)
TRIED = "guest-payment"  # the kind of attempt
TOO_MANY = (
    "Payments without signing in were tried too often from here. Sign in, try again in "
    "24 hours, or call us. Nothing was taken."
)


def show_payment(visit: Visit) -> Response:
    """Show a payment by hand as it stands, to whoever makes it and to nobody else."""
    payer = payer_of(visit)
    one = checkout.find(visit.office, visit.path("key"), payer.owner)
    if one is None:
        return missing(visit)
    end = one.end(visit.now)
    if end is CheckoutEnd.OPEN:
        return _check(visit, payer, one)
    reason, remedy = say_decline(one.error, one.advice) if one.error else ("", "")
    why = (
        say_refusal(visit, one.refusal, whole=len(one.lines) > 1)
        if one.refusal
        else visit.say(reason)
    )
    moved, is_disputed = _say_moved(visit, one)
    return show(
        visit,
        "payment.html",
        payer=payer,
        one=one,
        end=end.value,
        why=why,
        remedy=visit.say(remedy),
        begins_again=end in CAME_TO_NOTHING and not is_disputed and _is_there(visit, payer, one),
        moved=moved,
        message=visit.messages["payment_complete"],
        taken_at=one.taken_at.astimezone(visit.zone) if one.taken_at else None,
    )


def confirm_payment(visit: Visit) -> Response:
    """Draw by the customer's yes, once; then show what is, however often it was pressed."""
    payer, key = payer_of(visit), visit.path("key")
    one = checkout.find(visit.office, key, payer.owner)
    if one is None:
        return missing(visit)
    is_open = one.end(visit.now) is CheckoutEnd.OPEN
    if payer.is_guest and is_open and not _may_try(visit, key):
        return show(visit, "pay-stopped.html", 429, sentence=visit.say(TOO_MANY))
    checkout.confirm(visit.office, key, payer.owner, f"{payer.base}/payments/{key}/returned")
    visit.wake_mail()
    return redirect(f"{payer.base}/payments/{key}")


def return_from_bank(visit: Visit) -> Response:
    """
    Show what a payment came to whose customer comes back from their bank.

    They come by a link, which anybody can make: all of it is asked of the gateway.
    """
    return _look_again(visit)


def give_up(visit: Visit) -> Response:
    """Take off a payment that its customer's bank waits for; it may have been drawn already."""
    return _look_again(visit, gives_up=True)


def _look_again(visit: Visit, *, gives_up: bool = False) -> Response:
    payer, key = payer_of(visit), visit.path("key")
    if checkout.come_back(visit.office, key, payer.owner, gives_up=gives_up) is None:
        return missing(visit)
    visit.wake_mail()
    return redirect(f"{payer.base}/payments/{key}")


def back_to_payment(visit: Visit) -> Response:
    """Lead who signed in again in mid-payment to the payment as it stands: nothing acts here."""
    return redirect(f"{payer_of(visit).base}/payments/{visit.path('key')}")


def begin_again(visit: Visit) -> Response:
    """Lead to where a payment that came to nothing is made anew, with all that was to be paid."""
    payer, key = payer_of(visit), visit.path("key")
    one = checkout.find(visit.office, key, payer.owner)
    if one is None:
        return missing(visit)
    place = _again(payer, one)
    if place.endswith("/cart"):
        checkout.begin_again(visit.office, key, payer.owner)
    return redirect(place)


def _check(visit: Visit, payer: PagePayer, one: Checkout) -> Response:
    """Show all of it, the fee too, before anything is taken (rule 194)."""
    with visit.office.database.reading() as books:
        accounts = read_payable(books, payer.owner, one.account_keys)
    ahead = [
        line
        for line in one.lines
        if line.account_key in accounts and line.amount > max(accounts[line.account_key].owed, ZERO)
    ]
    return show(
        visit,
        "pay-check.html",
        payer=payer,
        one=one,
        ahead=bool(ahead),
        change=_again(payer, one),
        stale=say_stale(visit, accounts.values()),
        message=visit.messages["payment"],
    )


def _say_moved(visit: Visit, one: Checkout) -> tuple[list[str], bool]:
    """
    Say what became of a payment after it was taken, and whether it ended in a dispute.

    What a bank holds in dispute is not begun again: it may be decided for the customer or for us,
    and who pays it anew meanwhile has paid twice.
    """
    if one.payment is None:
        return [], False
    with visit.office.database.reading() as books:
        moved = moved_of(books, f"{PaymentKind.CHECKOUT}/{one.key}")
    said = [
        visit.say(
            MONEY_MOVED[event.kind],
            amount=event.amount.dollars(),
            day=say_day(event.happened_at.astimezone(visit.zone), visit.language),
        )
        for event in moved
    ]
    return said, bool(moved) and moved[-1].kind is EntryKind.DISPUTE


def _again(payer: PagePayer, one: Checkout) -> str:
    """Say where a payment is begun again."""
    if payer.is_guest:
        return "/guest/cart"
    if len(one.lines) == 1 and one.lines[0].account_key:
        return f"/accounts/{one.lines[0].account_key}/pay"
    return "/cart"


def _is_there(visit: Visit, payer: PagePayer, one: Checkout) -> bool:
    """Tell whether the place where a payment is begun again still is: an account may be gone."""
    if payer.is_guest or _again(payer, one).endswith("/cart"):
        return True
    with visit.office.database.reading() as books:
        return bool(read_payable(books, payer.owner, one.account_keys))


def _may_try(visit: Visit, key: str) -> bool:
    """
    Count a guest's payment against their network; cards are tried out where nobody counts.

    One that was let through counts once, however often its button is pressed: whoever is told
    that nothing was taken must not have paid by the press before.
    """
    most, this = visit.office.settings.checkout.guest_attempts, f"pay/{key}"
    with visit.office.database.writing() as books:
        one_after_the_other(books, visit.network)
        if count_bad(books, TRIED, [this], visit.now, DAY):
            return True
        if count_bad(books, TRIED, [visit.network], visit.now, DAY) >= most:
            return False
        record_attempt(books, TRIED, [visit.network, this], visit.now, good=False)
    return True
