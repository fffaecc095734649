"""Why these recipients or paper, and what became of each mail."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.in_force import email_in_force, landlord_in_force, link_in_force
from database.tables import (
    bounce,
    delivery,
    delivery_plan,
    paper,
    print_batch,
    recipient,
    suppressed_address,
)
from domain.accounts import AccountStatus
from domain.deliveries import DeliveryStatus, MessageKind, PaperReason, RecipientSource
from office.lookup.why.bill import is_held_back
from office.lookup.why.sentences import Case, Sentence, Sentences, Topic, say_day

SOURCES = {
    RecipientSource.CUSTOMER_RECORD: ("its address stands on the customer record", ("21", "23")),
    RecipientSource.PORTAL_USER: ("it is a portal user linked to the account", ("24", "25", "26")),
    RecipientSource.LANDLORD: ("it is the landlord's portal user", ("29", "ruling 6")),
}
PAPER = {
    PaperReason.SEND_PAPER: ("the account asks for paper (send_paper is set)", ("31", "ruling 1")),
    PaperReason.NO_EBILL: (
        "nobody chose paperless: neither the e-bill field nor a linked portal user",
        ("23", "34"),
    ),
    PaperReason.NO_VALID_EMAIL: (
        "it is paperless, and there is no valid address to mail to",
        ("21", "ruling 1"),
    ),
    PaperReason.EBILL_BOUNCED: ("mails to all its addresses came back", ("20",)),
    PaperReason.PASSWORD_MISSING: ("there is nothing to lock the e-mailed bill with", ("20",)),
    PaperReason.EBILL_TOO_LARGE: ("its bill is too large for a mail", ("20",)),
}
KINDS = {
    MessageKind.BILL: ("the e-bill", ("20",)),
    MessageKind.PAYMENT_DUE: ("the payment-due mail", ("90", "93")),
    MessageKind.PAST_DUE: ("the past-due mail", ("90", "92")),
    MessageKind.AUTOPAY_SCHEDULED: ("the word before a draw", ("83", "98")),
    MessageKind.AUTOPAY_FAILED: ("the mail that autopay did not pay", ("83", "ruling 3")),
    MessageKind.RECEIPT: ("the receipt", ("196",)),
    MessageKind.ARRANGEMENT: ("the word about its payment arrangement", ("90",)),
    MessageKind.COMMUNICATION: ("a communication", ("109",)),
    MessageKind.USAGE_EXPORT: ("the link to a usage export", ("183",)),
    MessageKind.ACCESS: ("a mail about access to the portal", ("144",)),
    MessageKind.METHOD_EXPIRING: ("the word that a card expires", ("99",)),
    MessageKind.ALERT: ("an alert", ("187",)),
}


def why_delivery(case: Case) -> Sentences:
    """Say who gets the period's bill and how, and each mail's fate."""
    yield from _of_the_plan(case)
    yield from _of_addresses_left_out(case)
    for row in case.rows(_papers(case)):
        yield _of_paper(case, row)
    for row in case.rows(_mails(case)):
        yield _of_mail(case, row)
        yield from _of_bounces(case, row)


def _of_the_plan(case: Case) -> Sentences:
    rows = delivery_plan.c
    plan = case.books.execute(
        sa.select(rows.paperless, rows.paper).where(
            rows.period == case.period, rows.account_key == case.account_key
        )
    ).first()
    if plan is None:
        yield Sentence(Topic.DELIVERY, "How its bill goes out was not decided yet", ("20",))
        return
    if case.account.status is AccountStatus.CLOSED:
        yield Sentence(Topic.DELIVERY, "The account is closed: it gets neither mail nor paper", ())
        return
    if plan.paperless:
        yield Sentence(
            Topic.DELIVERY, f"It is paperless: {_why_paperless(case)}", ("23", "24", "34")
        )
    else:
        yield Sentence(
            Topic.DELIVERY,
            "It is not paperless: the e-bill field is not set, and no linked portal user chose it",
            ("23", "34"),
        )
    gets = "gets the bill"
    if is_held_back(case):
        gets = "will get the bill once it is released (it is held back)"
    for row in case.rows(_recipients(case)):
        reason, rules = SOURCES[row.source]
        text = f"{row.address} {gets}, because {reason}"
        yield Sentence(Topic.DELIVERY, text, rules, f"recipient/{case.period}/{row.mailbox}")


def _why_paperless(case: Case) -> str:
    if case.account.ebill:
        return "the customer record's e-bill field is set"
    row = link_in_force.c
    chose = case.books.scalars(
        sa.select(row.address)
        .where(row.period == case.period, row.account_key == case.account_key, row.paperless)
        .order_by(row.address)
    ).all()
    if chose:
        return f"{', '.join(chose)} chose so in the portal"
    if case.account.exported_ebill:
        return "the customer record's e-bill field was set when the close decided it"
    return "a linked portal user had chosen so when the close decided it"


def _of_addresses_left_out(case: Case) -> Sentences:
    """Say of each address that belongs to the account why it is no recipient of the bill."""
    getting = {row.mailbox for row in case.rows(_recipients(case))}
    came_back = _suppressed(case)
    for address, fault, place in _known_addresses(case):
        if address.casefold() in getting:
            continue
        if fault:
            text = f"{address} {place} is no address to mail to: {fault}"
            yield Sentence(Topic.DELIVERY, text, ("22", "ruling 7"), f"address/{address}")
        elif (back := came_back.get(address.casefold())) is not None:
            day = case.say_time(back.since)
            text = f"{address} is written to no more since {day}: {back.reason}"
            yield Sentence(Topic.DELIVERY, text, (), f"address/{address}")


def _suppressed(case: Case) -> dict[str, Any]:
    mailboxes = [address.casefold() for address, _, _ in _known_addresses(case)]
    query = sa.select(suppressed_address).where(suppressed_address.c.mailbox.in_(mailboxes))
    return {row.mailbox: row for row in case.rows(query)}


def _known_addresses(case: Case) -> list[tuple[str, str | None, str]]:
    """List the account's addresses, each with why it is none and where it stands."""
    record, link, lets = email_in_force.c, link_in_force.c, landlord_in_force.c
    queries = (
        sa.select(
            record.address, record.fault, sa.literal("on the customer record").label("place")
        ).where(record.period == case.period, record.account_key == case.account_key),
        sa.select(
            link.address, link.fault, sa.literal("of a linked portal user").label("place")
        ).where(link.period == case.period, link.account_key == case.account_key),
        sa.select(lets.portal_user, lets.fault, sa.literal("of the landlord").label("place")).where(
            lets.period == case.period, lets.cosigner_id == case.account.cosigner_id
        ),
    )
    return [tuple(row) for query in queries for row in case.rows(query)]


def _recipients(case: Case) -> sa.Select[Any]:
    rows = recipient.c
    query = sa.select(rows.mailbox, rows.address, rows.source)
    return query.where(rows.period == case.period, rows.account_key == case.account_key)


def _papers(case: Case) -> sa.Select[Any]:
    batch = sa.and_(
        print_batch.c.period == paper.c.period,
        print_batch.c.part == paper.c.part,
        print_batch.c.form == paper.c.form,
    )
    return (
        sa.select(paper, sa.func.min(print_batch.c.written_at).label("written_at"))
        .outerjoin(print_batch, batch)
        .where(paper.c.period == case.period, paper.c.account_key == case.account_key)
        .group_by(*paper.c)
    )


def _of_paper(case: Case, row: Any) -> Sentence:
    reason, rules = PAPER[row.reason]
    where = f"in part {row.part} of the print batch, number {row.sequence}"
    if row.part is None:
        where = "and waits for the next part of the print batch"
    elif row.written_at is not None:
        where += f", written {case.say_time(row.written_at)}"
    text = f"The {row.form} goes on paper, because {reason}; it is {where}"
    if row.part is None:
        text = f"The {row.form} goes on paper, because {reason}, {where}"
    return Sentence(
        Topic.DELIVERY, text, rules, f"paper/{case.period}/{row.form}/{row.account_key}"
    )


def _mails(case: Case) -> sa.Select[Any]:
    """Select the mails of the period; those of no period belong to the newest."""
    rows = delivery.c
    of_period = rows.period == case.period
    if case.is_newest:
        of_period = sa.or_(of_period, rows.period.is_(None))
    return (
        sa.select(delivery)
        .where(rows.account_key == case.account_key, of_period)
        .order_by(rows.queued_at, rows.key)
    )


def _of_mail(case: Case, row: Any) -> Sentence:
    what, rules = KINDS[row.kind]
    topic = Topic.REMINDER if row.kind in _REMINDERS else Topic.DELIVERY
    whence = f", because {SOURCES[row.source][0]}" if row.source is not None else ""
    text = f"{what.capitalize()} to {row.address}{whence}: {_fate(case, row)}"
    return Sentence(topic, text, rules, row.key)


_REMINDERS = (MessageKind.PAYMENT_DUE, MessageKind.PAST_DUE)


def _fate(case: Case, row: Any) -> str:
    match row.status:
        case DeliveryStatus.SENT:
            fate = f"the mail server took it {case.say_time(row.sent_at)}"
            if row.possible_duplicate:
                fate += "; it may have arrived twice, because we were interrupted while sending"
        case DeliveryStatus.DEFERRED:
            fate = f"the mail server put it off ({row.error}); it is tried again {_when(case, row)}"
        case DeliveryStatus.FAILED:
            fate = f"it did not arrive: {row.error}"
        case DeliveryStatus.IN_DOUBT:
            fate = "it may have left or not, because the answer was lost"
        case DeliveryStatus.SENDING:
            fate = "it is just being sent"
        case _:
            fate = f"it was recorded {case.say_time(row.queued_at)} and waits in the outbox"
    if row.bounced_at is not None:
        fate += f"; it came back {case.say_time(row.bounced_at)}"
    return fate


def _when(case: Case, row: Any) -> str:
    return f"from {case.say_time(row.next_try_at)} on"


def _of_bounces(case: Case, row: Any) -> Sentences:
    for back in case.rows(sa.select(bounce).where(bounce.c.delivery_key == row.key)):
        said = f"{back.status} {back.diagnostic}".strip()
        text = (
            f"Something came back for the mail to {row.address} on "
            f"{say_day(back.received_at.astimezone(case.zone).date())}, {back.kind}: {said}"
        )
        yield Sentence(Topic.DELIVERY, text, (), back.id)
