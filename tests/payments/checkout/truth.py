"""What must be true of payments by hand in the end: gateway, books and cash receipting agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.checkout import checkout, checkout_line
from database.ledger.entries import find_wrong_sums
from database.ledger.tables import payment_event
from database.queries.balances import read_on_its_way
from database.tables import balance_due, draw, gateway_payment, posting
from domain.checkout import CheckoutState
from domain.payments import MethodKind, PaymentKind, PaymentState, PostingKind, PostingState
from payments.outcomes.returns import COMES_BACK
from rules.money.checkout import FeeKind
from tests.payments.checkout.customers import Payers, Press
from tests.payments.simulated_truth import gateway_rows
from tests.payments.simulation import World

TIMEZONE = "America/Denver"  # of every run of the builders
DONE = {
    PaymentState.SUCCEEDED, PaymentState.DECLINED, PaymentState.CANCELLED, PaymentState.RETURNED,
    PaymentState.RETURNED_IN_PART,
}  # fmt: skip
SIGNS = {
    PostingKind.RECEIPT: 1, PostingKind.SERVICE_FEE: 1, PostingKind.REVERSAL: -1,
    PostingKind.SERVICE_FEE_BACK: -1, PostingKind.FEE: 0,
}  # fmt: skip


def faults_of(world: World, payers: Payers) -> Iterator[str]:
    """Say everything that is not equal in the three books, and what never came to an end."""
    yield from world.alarms
    yield from _draws(world)
    yield from _entries(world)
    yield from _ends(world)
    yield from _rules(world, payers)


def _draws(world: World) -> Iterator[str]:
    """Each payment took money once or never, as much as its lines and fee; both books agree."""
    rows = gateway_rows(world.gateway_file, "SELECT key, cents FROM draw WHERE state = 'approved'")
    drawn = Counter({row["key"].rpartition("/")[0]: row["cents"] for row in rows})
    if len(drawn) != len(rows):
        yield "drawn twice: one payment"
    nothing = (PaymentState.DECLINED, PaymentState.CANCELLED)
    with world.books.reading() as books:
        for row in books.execute(sa.select(gateway_payment)):
            if _waits_for_its_day(world, row):
                continue
            taken = 0 if row.state in nothing else row.amount.cents
            if drawn.pop(row.key, 0) != taken:
                yield f"the gateway and the books differ: {row.key} is {row.state}"
        paid = checkout_line.c.amount
        lines = (
            sa.select(checkout.c.payment_key, sa.func.sum(paid, type_=paid.type).label("lines"))
            .join(checkout_line, checkout_line.c.checkout == checkout.c.key)
            .group_by(checkout.c.payment_key)
            .subquery()
        )
        sums = (
            sa.select(gateway_payment.c.key, gateway_payment.c.amount, lines.c.lines)
            .add_columns(gateway_payment.c.service_fee)
            .outerjoin(lines, lines.c.payment_key == gateway_payment.c.key)
            .where(gateway_payment.c.kind == PaymentKind.CHECKOUT)
        )
        for key, amount, of_lines, fee in books.execute(sums):
            if of_lines is None:
                yield f"drawn for no checkout: {key}"
            elif amount != fee + of_lines:
                yield f"lines and fee are not the amount: {key}"
    yield from (f"drawn for nobody: {key}" for key in drawn)


def _waits_for_its_day(world: World, row: sa.Row) -> bool:
    """
    Tell an autopay payment that was declined and is drawn again on a day to come.

    The day is the utility's own (rule 47): on the first evening hours of its clocks it is tomorrow
    by UTC's already, and what is drawn tomorrow waits rightly still.
    """
    today = world.now.astimezone(ZoneInfo(TIMEZONE)).date()
    return row.state is PaymentState.SCHEDULED and row.pay_on > today


def _entries(world: World) -> Iterator[str]:
    """What cash receipting has of a payment is what the gateway has kept of it, line by line."""
    found = world.entries()
    entered = {entry.key: entry for entry in found}
    if len(entered) != len(found):
        yield "posted twice: something"
    posted, kept = Counter[str](), Counter[str]()
    with world.books.reading() as books:
        refused = _refused_rightly(books)
        for row in books.execute(sa.select(posting)):
            entry = entered.pop(row.key, None)
            if row.key not in refused and (entry is None or entry.cents != row.amount.cents):
                yield f"cash receipting lacks or has otherwise: {row.key}"
            posted[row.payment_key] += SIGNS[row.kind] * row.amount.cents
        for row in books.execute(sa.select(draw).where(draw.c.state == "approved")):
            kept[row.payment_key] += row.amount.cents
        moved = sa.select(payment_event.c.kind, payment_event.c.amount, draw.c.payment_key)
        for kind, amount, key in books.execute(moved.join(draw)):
            kept[key] += amount.cents if kind in COMES_BACK else -amount.cents
    for key in {*kept, *posted}:
        if kept[key] != posted[key]:
            yield f"kept and posted differ: {kept[key]} and {posted[key]} of {key}"
    yield from (f"posted for nothing: {key}" for key in entered)
    given = gateway_rows(world.gateway_file, "SELECT COALESCE(SUM(refunded), 0) AS cents FROM draw")
    with world.books.reading() as books:
        query = sa.select(payment_event.c.amount).where(payment_event.c.kind == "refund")
        ours = sum(amount.cents for amount in books.scalars(query))
    if given[0]["cents"] != ours:
        yield f"refunds differ: {given[0]['cents']} at the gateway, {ours} in the books"


def _refused_rightly(books: Connection) -> set[str]:
    """
    Find reversals of more than their receipt has left, which wait for a person.

    What the office refunded may be returned by the bank as well: it went back twice in fact.
    """
    amounts, refused = Counter[tuple[str, int]](), dict[str, tuple[str, int]]()
    for row in books.execute(sa.select(posting)):
        line = (row.payment_key, row.line)
        if row.kind in (PostingKind.RECEIPT, PostingKind.REVERSAL):
            amounts[line] += SIGNS[row.kind] * row.amount.cents
        if row.kind is PostingKind.REVERSAL and row.state is PostingState.REJECTED:
            refused[row.key] = line
    return {key for key, line in refused.items() if amounts[line] < 0}


def _ends(world: World) -> Iterator[str]:
    """Nothing waits for ever, and the sums of every account are those of its entries."""
    with world.books.reading() as books:
        yield from (f"sums are wrong: {account}" for account in find_wrong_sums(books))
        for row in books.execute(sa.select(gateway_payment)):
            if row.state not in DONE and not _waits_for_its_day(world, row):
                yield f"never ended: {row.key} is {row.state}"
        refused = _refused_rightly(books)
        for row in books.execute(sa.select(posting).where(posting.c.state != PostingState.POSTED)):
            if row.key in refused:
                continue
            yield f"not posted: {row.key} is {row.state}: {row.error}"
        open_ones = sa.select(draw.c.key).where(draw.c.state.in_(("created", "asked")))
        if books.scalar(open_ones.limit(1)) is not None:
            for key in books.scalars(sa.select(balance_due.c.account_key)):
                if read_on_its_way(books, key):
                    yield f"on its way for ever: {key}"


def _rules(world: World, payers: Payers) -> Iterator[str]:
    """What was accepted is what the rules accept, told from what was so just before each press."""
    with world.books.reading() as books:
        rows = {row.key: row for row in books.execute(sa.select(checkout))}
        lines: dict[str, list[sa.Row]] = {}
        for line in books.execute(sa.select(checkout_line)):
            lines.setdefault(line.checkout, []).append(line)
        guests = Counter(
            row.method_token
            for row in rows.values()
            if row.guest and row.state is CheckoutState.SUBMITTED
        )
    yield from (f"a guest's method paid twice: {token}" for token, n in guests.items() if n > 1)
    accepted: dict[str, Press] = {}
    for press in payers.presses:
        if press.first and press.key in accepted:
            yield f"accepted twice: {press.key}"
        if press.was_draft and not press.is_draft and not press.is_of_owner:
            yield f"somebody else's press did something: {press.key}"
        has_moved = press.was_draft and not press.is_draft  # else it died before it was written
        if press.is_of_owner and has_moved and press.key not in accepted:
            accepted[press.key] = press
    for key, press in accepted.items():
        row = rows[key]
        if row.state is CheckoutState.SUBMITTED:
            yield from _of_one(row, lines[key], press, payers)


def _of_one(row: sa.Row, lines: list[sa.Row], press: Press, payers: Payers) -> Iterator[str]:
    if row.submitted_at >= row.expires_at:
        yield f"taken after it had expired: {row.key}"
    if row.service_fee.cents != _fee(row, lines, press):
        yield f"another fee than the office's: {row.key}"
    for line in lines:
        if not line.account_key:
            continue
        if line.amount.cents > press.payable[line.account_key] and not press.policy.pays_ahead:
            yield f"more than could be paid: {row.key}"
        if row.method_kind is MethodKind.CARD and line.account_key in payers.blocked:
            yield f"a blocked way was taken: {row.key}"


def _fee(row: sa.Row, lines: list[sa.Row], press: Press) -> int:
    """Reckon the fee anew, by hand: half a cent is rounded up."""
    total = 0
    for kind in FeeKind:
        cents = sum(one.amount.cents for one in lines if bool(one.account_key) is (kind == "bill"))
        steps = press.policy.fees.get((kind, row.method_kind), ())
        if cents and steps:
            total += (cents * steps[0].thousandths + 50_000) // 100_000 + steps[0].fixed.cents
    return total
