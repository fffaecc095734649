"""What the books know of one account's autopay now."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.account_changes import IN_FORCE, account_in_force
from database.definitions.in_force import landlord_in_force, link_in_force, wallet_in_force
from database.definitions.wallet import brand_of
from database.ledger.locking import lock_balances
from database.queries.arrangements.deferred import deferred
from database.queries.balances import open_balance
from database.queries.mandates import mandates_in_force
from database.queries.outsorted import is_outsorted
from database.queries.periods import newest_first
from database.tables import (
    account,
    balance_due,
    bill_run,
    draw,
    scheduled_payment,
)
from domain.accounts import AccountStatus, account_key
from domain.failures import Misuse
from domain.money import ZERO, Money
from domain.payments import DrawState, Mandate, MethodKind, PaymentState
from domain.runs import RunState
from rules.money.autopay import Payable

# May have been asked for, whatever the payment's own state says.
OPEN_DRAWS = (DrawState.ASKED, DrawState.APPROVED)
# Nothing was taken, and nothing is on its way: these may be scheduled, or scheduled anew.
STILL_OPEN = (PaymentState.SCHEDULED, PaymentState.DECLINED, PaymentState.CANCELLED)


@dataclass(frozen=True, slots=True)
class CurrentPayment:
    """The one payment of an account in the current period."""

    key: str
    pay_on: date
    amount: Money
    state: PaymentState
    number: int  # in its period; 2, 3: of one that came back
    may_be_asked: bool  # a draw of it is open or approved

    @property
    def waits(self) -> bool:
        """Tell whether it is scheduled and surely not asked for yet."""
        return self.state is PaymentState.SCHEDULED and not self.may_be_asked

    @property
    def is_processed(self) -> bool:
        """Tell whether this period's payment is taken or on its way (rule 58)."""
        return self.may_be_asked or self.state not in STILL_OPEN


@dataclass(frozen=True, slots=True)
class EnrollmentFacts:
    """
    An account, its mandate in force, and its current period: the newest closed one with a bill.

    What can be paid with is as the newest export says, closed or not; what is blocked, too, or as
    the feed told since.
    """

    key: str
    newest: str  # the run of the newest export that knows the account
    utility: str
    payable: Payable
    period: str | None  # None: no period of the account has been closed yet
    due_on: date | None
    mandate: Mandate | None
    enrollment_id: int | None  # None: the mandate is the export's
    payment: CurrentPayment | None
    payer: str = field(default="", repr=False)  # whose wallet the mandate draws from; "": unknown

    @property
    def account(self) -> str:
        return self.payable.account


def read_enrollment_facts(
    books: Connection, number: str, today: date | None = None
) -> EnrollmentFacts:
    """
    Find an account; raises Misuse where no export that was not refused knows it.

    What a payment arrangement puts off on the local day of `today` is nothing that autopay draws;
    without a day, which only matters to who plans a draw, the whole plan is taken for it.
    """
    key = account_key(number)
    known = books.execute(_newest(), {"key": key}).first()
    if known is None:
        raise Misuse(
            "No export has that account; give its number as `billclose list bills` shows it.",
            "unknown-account",
        )
    put_off = deferred(balance_due.c.account_key, today or date.min)
    owed = sa.select(balance_due, open_balance().label("open_balance"), put_off.label("put_off"))
    due = books.execute(owed.where(balance_due.c.account_key == key)).first()
    payment = None if due is None or due.period is None else _payment(books, due.period, key)
    agreed, enrollment_id, payer = _mandate(books, known, key)
    return EnrollmentFacts(
        key=key,
        newest=known.period,
        utility=known.utility,
        payable=_payable(books, known, due, payment),
        period=None if due is None else due.period,
        due_on=None if due is None else due.due_on,
        mandate=agreed,
        enrollment_id=enrollment_id,
        payment=payment,
        payer=payer,
    )


def lock_enrollment(books: Connection, number: str) -> None:
    """
    Let one at a time enroll, cancel, schedule or close in the runs that concern an account.

    And nobody move its money meanwhile: what is drawn at once is decided by what is owed.
    """
    key = account_key(number)
    due = sa.select(balance_due.c.period).where(balance_due.c.account_key == key)
    runs = set(books.scalars(due))
    newest = books.execute(_newest(), {"key": key}).first()
    if newest is not None:
        runs.add(newest.period)
    books.execute(
        sa.select(bill_run.c.period)
        .where(bill_run.c.period.in_(runs))
        .order_by(bill_run.c.period)
        .with_for_update()
    )
    lock_balances(books, [key])


@cache
def _newest() -> sa.Select[Any]:
    """Select an account as its newest export has it; to say it takes longer than to find it."""
    told = [name.value for name in IN_FORCE]
    return (
        sa.select(
            *(column for column in account.c if column.name not in told),
            *(account_in_force(account, name).label(name.value) for name in IN_FORCE),
            bill_run.c.utility,
        )
        .join(bill_run, bill_run.c.period == account.c.period)
        .where(account.c.account_key == sa.bindparam("key"), bill_run.c.state != RunState.REFUSED)
        .order_by(*newest_first())
        .limit(1)
    )


def _payable(books: Connection, known: Any, due: Any, payment: CurrentPayment | None) -> Payable:
    held, equal = False, False
    if due is not None and due.period is not None:
        mine = sa.and_(account.c.period == due.period, account.c.account_key == due.account_key)
        billed = books.execute(sa.select(account).where(mine)).one()
        equal = billed.status is AccountStatus.ACTIVE and billed.equal_pay_amount is not None
        key = sa.literal(due.account_key)
        held = bool(books.scalar(sa.select(is_outsorted(due.period, key))))
    return Payable(
        account=known.account,
        status=known.status,
        balance=ZERO if due is None else due.open_balance - due.put_off,
        pays_equal_amount=equal,
        direct_pay=known.direct_pay,
        block_ach=known.block_ach,
        block_card=known.block_card,
        is_held=held,
        already_processed=payment is not None and payment.is_processed,
        is_arranged=due is not None and due.put_off > ZERO and due.open_balance > ZERO,
    )


def _payment(books: Connection, period: str, key: str) -> CurrentPayment | None:
    rows = scheduled_payment.c
    is_open = sa.exists().where(draw.c.payment_key == rows.key, draw.c.state.in_(OPEN_DRAWS))
    query = sa.select(
        rows.key, rows.pay_on, rows.amount, rows.state, rows.number, is_open.label("is_open")
    )
    mine = query.where(rows.period == period, rows.account_key == key)
    is_off = rows.state == PaymentState.CANCELLED
    found = books.execute(mine.order_by(is_off, rows.number.desc())).first()
    return None if found is None else CurrentPayment(*found)


@cache
def _mandates() -> sa.Select[Any]:
    """Select one account's mandate of a run, said once: it takes longer to say than to find."""
    run, key = (sa.bindparam(name, type_=sa.String()) for name in ("run", "key"))
    return sa.select(mandates_in_force(run, key))


def _mandate(books: Connection, known: Any, key: str) -> tuple[Mandate | None, int | None, str]:
    row = books.execute(_mandates(), {"run": known.period, "key": key}).first()
    if row is None:
        return None, None, ""
    agreed = Mandate(
        account=known.account,
        method_token=row.method_token,
        method_kind=row.method_kind,
        last4=row.last4,
        days_prior=row.days_prior,
        maximum=row.maximum,
        enrolled_on=row.enrolled_on,
        pays_up_to_maximum=row.pays_up_to_maximum,
        brand=row.brand,
    )
    return agreed, row.enrollment_id, row.portal_user.casefold() or _owner(books, known.period, row)


def _owner(books: Connection, period: str, agreed: Any) -> str:
    """Return in whose wallet the method of a mandate is that names nobody."""
    rows = wallet_in_force.c
    query = sa.select(rows.portal_user).where(
        rows.period == period, rows.token == agreed.method_token
    )
    return str(books.scalar(query) or "").casefold()


LAST4 = 4


@dataclass(frozen=True, slots=True)
class Method:
    """A saved card or bank account and whose it is."""

    portal_user: str = field(repr=False)  # the mailbox, its case folded
    token: str = field(repr=False)
    kind: MethodKind
    last4: str
    brand: str = ""


def find_method(books: Connection, period: str, portal_user: str, wanted: str) -> Method:
    """
    Find a payment method in one portal user's wallet, as a run's export holds it.

    `wanted` is its token, or its last four digits where just one in that wallet ends so. What is
    in somebody else's wallet is not found: it belongs to them, a clerk's included (rule 119).
    Raises Misuse; what was typed is not repeated, for it may be a card number.
    """
    rows = wallet_in_force.c
    owner = portal_user.strip().casefold()
    if not owner:
        raise Misuse("Say whose payment method it is: a portal user's e-mail address.", "no-user")
    query = sa.select(rows.portal_user, rows.token, rows.kind, rows.last4, brand_of(rows.token))
    wallet = [
        Method(*row)
        for row in books.execute(
            query.where(rows.period == period, rows.portal_user == owner).order_by(rows.token)
        )
    ]
    if not wallet:
        raise Misuse(
            "That portal user has no payment method in the newest export; the customer adds one in "
            "the portal first.",
            "no-wallet",
        )
    return _choose(wallet, wanted.strip())


def _choose(wallet: list[Method], wanted: str) -> Method:
    by_token = [method for method in wallet if method.token == wanted]
    by_last4 = [method for method in wallet if method.last4 == wanted and len(wanted) == LAST4]
    found = by_token or by_last4
    if len(found) > 1:
        raise Misuse(
            f"{len(found)} payment methods in that wallet end in {wanted}; give the token.",
            "several-methods",
        )
    if not found:
        raise Misuse(
            "That portal user's wallet has no such payment method; give its token or its last four "
            "digits. A method in somebody else's wallet is theirs alone.",
            "unknown-method",
        )
    return found[0]


def is_linked(books: Connection, period: str, account_key: str, portal_user: str) -> bool:
    """Tell whether a portal user sees the account: linked to it, or its landlord (rule 133)."""
    links = link_in_force.c
    linked = sa.select(links.mailbox).where(
        links.period == period, links.account_key == account_key, links.mailbox == portal_user
    )
    lets = (
        sa.select(landlord_in_force.c.cosigner_id)
        .join(
            account,
            sa.and_(
                account.c.period == period, account.c.cosigner_id == landlord_in_force.c.cosigner_id
            ),
        )
        .where(
            landlord_in_force.c.period == period,
            sa.func.lower(landlord_in_force.c.portal_user) == portal_user,
            account.c.account_key == account_key,
        )
    )
    return any(books.execute(query).first() is not None for query in (linked, lets))
