"""The two mails to the office of a trouble: when it begins, and when it is over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.postings import count_unposted
from database.tables import bill_run, delivery, gateway_payment, incident, posting, service_health
from domain.deliveries import DeliveryStatus, MessageKind
from domain.failures import PermanentFailure
from domain.money import ZERO
from domain.payments import PaymentState, PostingKind, PostingState
from domain.troubles import AT_A_TERMINAL, page_of_trouble, say_service, say_trouble
from domain.words import say_count
from mail.letters.communications import AlertLetter
from mail.outbox.deliveries import Delivery
from mail.rendering.notice_facts import NoticeFacts


def find_alert_facts(database: Database, period: str | None) -> tuple[str, ...]:
    """
    Return a sentence for each thing that waits for a person in a run, or in all of them.

    The dearest comes first: what does not answer (rules 186, 187), money that was taken and is
    not booked (rules 84-86), a payment that nobody knows the outcome of, mail that did not leave.
    """
    payments, mails = gateway_payment.c, delivery.c
    unposted = _count(payments.period, period, posting.join(gateway_payment)).where(
        posting.c.state != PostingState.POSTED
    )
    is_receipt = posting.c.kind == PostingKind.RECEIPT  # reversals and fees are no payments
    unknown = _count(payments.period, period, gateway_payment).where(
        payments.state == PaymentState.UNKNOWN
    )
    unsent = _count(mails.period, period, delivery).where(mails.kind != MessageKind.ALERT)
    with database.reading() as books:
        counts = (
            (unposted.where(is_receipt), "payment", "taken and not posted in cash receipting"),
            (unposted.where(~is_receipt), "posting", "of a returned payment, not entered there"),
            (unknown, "payment", "asked for without an answer"),
            (unsent.where(mails.status == DeliveryStatus.FAILED), "mail", "not sent for good"),
            (unsent.where(mails.status == DeliveryStatus.IN_DOUBT), "mail", "perhaps sent"),
        )
        found = [(books.scalar(query), noun, what) for query, noun, what in counts]
        down = tuple(_silent_services(books))
    return down + tuple(
        f"{say_count(number, noun)}: {what}." for number, noun, what in found if number
    )


def _count(
    column: sa.ColumnElement[Any], period: str | None, rows: sa.FromClause
) -> sa.Select[tuple[int]]:
    query = sa.select(sa.func.count()).select_from(rows)
    return query.where(column == period) if period else query


def _silent_services(books: Connection) -> list[str]:
    query = (
        sa.select(service_health.c.service)
        .where(service_health.c.down_since.is_not(None))
        .order_by(service_health.c.service)
    )
    return [f"{say_service(name)} does not answer." for name in books.scalars(query)]


DOWN, BACK = "alert-cash-receipting-down", "alert-cash-receipting-back"
BEGAN, ENDED = "alert-health-began", "alert-health-ended"
RUNBOOK = "docs/runbook"  # a page for each kind of trouble, in the folder of the program
SERVICE_FORMS = (DOWN, BACK)
HEALTH_FORMS = (BEGAN, ENDED)
NO_UTILITY = "The billing office"  # before the first import nothing says what it is called


PENDING, POST_NOW = "/office/payments/pending", "billclose retry-postings --now"


def say_where(what: str, staff_url: str, path: str, command: str) -> tuple[str, ...]:
    """
    Say where something is done: by a browser, and what is typed for it.

    `staff_url` is where the office's pages are; empty where nobody reaches them by a browser.
    """
    typed = f"{AT_A_TERMINAL} {command}"
    return (f"{what}: {staff_url}{path}", typed) if staff_url else (typed,)


def service_letter(database: Database, form: str, utility: str, staff_url: str = "") -> AlertLetter:
    """
    Say that cash receipting is down or back, and what waits (rules 186-188).

    Customers are not named: the mail may be forwarded to IT.
    """
    left = count_unposted(database)
    waits = f"{left}, {'taken and ' if left.are_payments else ''}not posted."
    findings: tuple[str, ...]
    ways: tuple[str, ...]
    if form == DOWN:
        title = "cash receipting does not answer"
        findings = (
            waits,
            "They are posted by themselves when it answers; nobody is charged again.",
        )
        remedy = (
            "Ask IT to restart the cash-receipting service on the server (Caselle Online Web "
            "Service), then post what waits."
        )
        ways = say_where("Post it", staff_url, PENDING, POST_NOW)
    else:
        title = "cash receipting answers again"
        findings = (waits,) if left.count else ("Every payment that was taken is posted.",)
        remedy, ways = "Nothing to do.", ()
        if left.count:
            remedy = "See which they are."
            ways = say_where("Pending", staff_url, PENDING, "billclose list pending-payments")
    return AlertLetter(
        form=form, utility=utility, title=title, findings=findings, remedy=remedy, ways=ways
    )


def health_letter(
    database: Database, form: str, key: str, utility: str, timezone: str, staff_url: str = ""
) -> AlertLetter:
    """
    Say that a trouble began or is over; `key` is that of its incident.

    `staff_url` is as in say_pages.

    It says what is known when the mail leaves: where mail was down, that may be much later.
    Raises PermanentFailure for an incident that is not in the books.
    """
    with database.reading() as books:
        row = books.execute(sa.select(incident).where(incident.c.key == key)).one_or_none()
    if row is None:
        raise PermanentFailure("what it tells of is no longer in the books")
    title = say_trouble(row.condition)
    since = f"Since {_local(row.since, timezone)}."
    over = f"It is over since {_local(row.ended_at, timezone)}." if row.ended_at else ""
    if form == BEGAN:
        findings, remedy, command = (row.detail, since, over), row.remedy, row.command
    else:
        title, findings = f"over: {title}", (over, f"It was: {row.detail}", since)
        remedy = command = ""
    return AlertLetter(
        form=form,
        utility=utility,
        title=title,
        findings=tuple(filter(None, findings)),
        remedy=remedy or "Nothing to do.",
        ways=tuple(say_ways(row.condition, remedy, command, staff_url)),
    )


def say_ways(condition: str, remedy: str, command: str, staff_url: str) -> Iterator[str]:
    """Say on which pages a remedy is found, and what is typed for it; nothing for no remedy."""
    if remedy:
        yield from say_pages(condition, staff_url)
    if command:
        yield f"{AT_A_TERMINAL} {command}"


def say_pages(condition: str, staff_url: str) -> Iterator[str]:
    """
    Say where a trouble is put right, and where more is read about it.

    `staff_url` is where the office's pages are; empty where nobody reaches them by a browser.
    """
    kind = condition.partition("/")[0]
    if not staff_url:
        yield f"More: {RUNBOOK}/{kind}.md"
        return
    page = page_of_trouble(condition)
    if page is not None:
        yield f"{page.does}: {staff_url}{page.path}"
    yield f"More: {staff_url}/office/runbook/{kind}"


def facts_of_alerts(database: Database, deliveries: Sequence[Delivery]) -> dict[str, NoticeFacts]:
    """
    Return the facts of alerts that belong to no period, by their keys.

    The office is told of a trouble before the first close as well.
    """
    alerts = [row for row in deliveries if row.kind is MessageKind.ALERT and row.period is None]
    if not alerts:
        return {}
    return dict.fromkeys((row.key for row in alerts), facts_without_period(database))


def facts_without_period(database: Database) -> NoticeFacts:
    """Return what a mail that belongs to no period knows: the utility and its time zone."""
    utility, timezone = newest_utility(database)
    return NoticeFacts(
        utility=utility,
        timezone=timezone,
        period="",
        customer="",
        service_address="",
        amount_due=None,
        added=ZERO,
        paid=ZERO,
        due_on=date.min,
        payment=None,
        method=None,
        last4="",
    )


def newest_utility(database: Database) -> tuple[str, str]:
    """Return the utility's name and time zone as the newest export has them, if there is one."""
    with database.reading() as books:
        return newest_utility_in(books)


def newest_utility_in(books: Connection) -> tuple[str, str]:
    """Return the same by a transaction that is open."""
    row = books.execute(_NEWEST).one_or_none()
    return (NO_UTILITY, "UTC") if row is None else (row.utility, row.timezone)


_NEWEST = (
    sa.select(bill_run.c.utility, bill_run.c.timezone)
    .order_by(bill_run.c.imported_at.desc())
    .limit(1)
)


def _local(moment: datetime, timezone: str) -> str:
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{local:%Y-%m-%d %H:%M} {local.tzname() or timezone}"
