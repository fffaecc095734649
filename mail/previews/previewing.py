"""A look at a mail before anybody gets it: with an account's own facts, or with invented ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes
from email.policy import default

import sqlalchemy as sa

from database.books import Database
from database.definitions.in_force import email_in_force
from database.runs import Run, get_run
from database.tables import account, bill, bill_run, recipient
from domain.accounts import account_key
from domain.deliveries import MessageKind, Recipient, RecipientSource
from domain.failures import Misuse, OutcomeUnknown, PermanentFailure, TemporaryFailure
from mail.keys import delivery_key, message_id
from mail.letters.bill import Letter
from mail.letters.notices import Notice
from mail.letters.samples import sample_letter, sample_pdf
from mail.letters.templates import Templates
from mail.message.mime import Attachment, Unsubscribe
from mail.outbox.deliveries import Delivery
from mail.port import Mailer, OutgoingMessage, Result
from mail.rendering.bill_facts import find_facts_of_bill
from mail.rendering.bills import BillRenderer, Sender, Stamp, bill_file_stem, compose_mail
from mail.rendering.notice_facts import find_facts_of_notice
from mail.rendering.notices import NoticeRenderer
from mail.rendering.texts import TextWords

UTILITY_BILL = "utility-bill"


@dataclass(frozen=True, slots=True)
class PreviewSubject:
    """What is to be looked at; empty: the newest run, the kind's own form."""

    kind: MessageKind
    account: str
    period: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was found for it."""

    kind: MessageKind
    form: str
    run: Run
    account: str
    account_key: str
    reader: Recipient  # as whom it is looked at


def find_subject(database: Database, wanted: PreviewSubject, office: str) -> Subject:
    """
    Find what is wanted; `office` is the address that stands in where the account has none.

    Raises Misuse where there is no such run or account.
    """
    period = _find_run(database, wanted)
    number, key = _find_account(database, period, wanted)
    form = wanted.form or _own_form(database, wanted.kind, period, key)
    reader = _first_recipient(database, period, key, office)
    return Subject(wanted.kind, form, period, number, key, reader)


def _find_run(database: Database, wanted: PreviewSubject) -> Run:
    if wanted.period:
        return get_run(database, wanted.period)
    newest = (
        sa.select(account.c.period)
        .join(bill_run, bill_run.c.period == account.c.period)
        .where(account.c.account_key == account_key(wanted.account))
        .order_by(bill_run.c.ends_on.desc(), account.c.period.desc())
        .limit(1)
    )
    with database.reading() as books:
        period = books.scalar(newest)
    if period is None:
        raise Misuse(
            f"No period in the books has an account {wanted.account}; see `billclose list bills "
            "--staged`, or give --sample.",
            "unknown-account",
        )
    return get_run(database, period)


def _find_account(database: Database, run: Run, wanted: PreviewSubject) -> tuple[str, str]:
    key = account_key(wanted.account)
    query = sa.select(account.c.account).where(
        account.c.period == run.period, account.c.account_key == key
    )
    with database.reading() as books:
        number = books.scalar(query)
    if number is None:
        raise Misuse(
            f"Period {run.period} has no account {wanted.account}; check its number.",
            "unknown-account",
        )
    return number, key


def _own_form(database: Database, kind: MessageKind, run: Run, key: str) -> str:
    """Return the form of the account's bill, the utility bill first; a notice's is its kind."""
    if kind is not MessageKind.BILL:
        return kind.value
    query = sa.select(bill.c.form).where(bill.c.period == run.period, bill.c.account_key == key)
    with database.reading() as books:
        forms = sorted(books.scalars(query), key=lambda form: (form != UTILITY_BILL, form))
    return forms[0] if forms else UTILITY_BILL


def _first_recipient(database: Database, run: Run, key: str, office: str) -> Recipient:
    """Return who is planned to get it; else an address of the record; else the office itself."""
    planned = sa.select(recipient.c.address, recipient.c.source).where(
        recipient.c.period == run.period, recipient.c.account_key == key
    )
    record = (
        sa.select(email_in_force.c.address)
        .where(
            email_in_force.c.period == run.period,
            email_in_force.c.account_key == key,
            email_in_force.c.fault.is_(None),
        )
        .order_by(email_in_force.c.position)
    )
    order = list(RecipientSource)
    with database.reading() as books:
        found = [Recipient(address, source) for address, source in books.execute(planned)]
        written = books.scalar(record.limit(1))
    if found:
        return min(found, key=lambda one: (order.index(one.source), one.mailbox))
    return Recipient(written or office, RecipientSource.CUSTOMER_RECORD)


SAMPLE_MOMENT = datetime.fromisoformat("2026-11-02T06:00:00-07:00")


@dataclass(frozen=True, slots=True)
class Look:
    """A mail that nobody gets, and whose it would be."""

    content: bytes
    subject: Subject


def look_at(
    wanted: PreviewSubject,
    bills: BillRenderer,
    notices: NoticeRenderer,
    now: Callable[[str], datetime],
    send_to: str = "",
) -> Look:
    """
    Render a mail as the account's first recipient would get it; nothing is recorded or sent.

    Facts come from the books, of a closed run or of one that is only staged. With `send_to` it is
    addressed to somebody else, and still says what the customer would read. `now` tells the moment
    by the utility's time zone. Raises Misuse where there is no such run, account or mail.
    """
    subject = find_subject(bills.database, wanted, bills.sender.address)
    row = _a_delivery(subject, now(subject.run.timezone), bills.sender)
    try:
        content = _render(row, subject, bills, notices, send_to or subject.reader.address)
    except (PermanentFailure, TemporaryFailure) as failure:
        raise Misuse(
            f"There is no {wanted.kind} to show of account {subject.account} in "
            f"{subject.run.period}: {failure}; try --sample.",
            "nothing-to-show",
        ) from None
    return Look(content, subject)


def render_sample(
    form: str,
    templates: Templates | None = None,
    letter: Letter | None = None,
    *,
    kind: MessageKind = MessageKind.BILL,
    sender: Sender | None = None,
    to: str = "ann@customer.example",
    sent_on: datetime = SAMPLE_MOMENT,
) -> bytes:
    """Return the mail that a form's templates make of sample facts, attachment included."""
    shown = letter or sample_letter(kind, form)
    from_whom = sender or Sender("billing@larkspur.example", "bounces@larkspur.example")
    key = delivery_key(kind, "sample", form, "01.1037.1", f"{to}/{sent_on.isoformat()}")
    stamp = Stamp(key, message_id(key, from_whom.address.rpartition("@")[2]), sent_on)
    name = f"{bill_file_stem(form)}-01.1037.1-2026-10.pdf"
    is_news = kind is MessageKind.COMMUNICATION
    return compose_mail(
        templates or Templates(),
        shown,
        from_whom,
        to,
        stamp,
        Attachment(name, sample_pdf()) if kind is MessageKind.BILL else None,
        Unsubscribe("https://larkspur.example/unsubscribe/0f3a9c") if is_news else None,
    )


def html_of(content: bytes) -> str:
    """Return the page in a mail."""
    body = message_from_bytes(content, policy=default).get_body(("html",))
    return "" if body is None else str(body.get_content())


def _render(
    row: Delivery,
    subject: Subject,
    bills: BillRenderer,
    notices: NoticeRenderer,
    to: str,
) -> bytes:
    if row.kind is MessageKind.BILL:
        is_planned = not subject.run.is_closed
        source = subject.reader.source
        facts = find_facts_of_bill(bills.database, row, source, is_planned=is_planned)
        if facts is None:
            raise PermanentFailure(f"it has no bill of the form {row.form}")
        return bills.compose(row, facts, to)
    letter, attachment, zone = _notice_of(row, subject, notices)
    return notices.compose(row, letter, Stamp.of(row, zone), attachment, to)


def text_of(wanted: PreviewSubject, words: TextWords, now: Callable[[str], datetime]) -> str:
    """Return what a customer who chose texts would read; raises as `look_at` does."""
    subject = find_subject(words.database, wanted, words.notices.sender.address)
    row = _a_delivery(subject, now(subject.run.timezone), words.notices.sender)
    try:
        letter, _, _ = _notice_of(row, subject, words.notices)
        return words.word(letter)
    except (PermanentFailure, TemporaryFailure) as failure:
        raise Misuse(f"There is no text to show: {failure}.", "nothing-to-show") from None


def _notice_of(
    row: Delivery, subject: Subject, notices: NoticeRenderer
) -> tuple[Notice, Attachment | None, str]:
    """Return what is said, what goes with it, and the utility's time zone."""
    known = find_facts_of_notice(
        notices.database,
        key=row.key,
        period=row.period,
        account_key=row.account_key,
        address=row.address,
        source=subject.reader.source,
    )
    if known is None:
        raise PermanentFailure("its period is not in the books")
    return *notices.to_letter(row, known), known.timezone


def _a_delivery(subject: Subject, now: datetime, sender: Sender) -> Delivery:
    """Make what would be recorded; its names are of this look alone, so that nothing mixes."""
    period, reader = subject.run.period, subject.reader
    moment = f"{reader.mailbox}/{now.isoformat()}"
    key = delivery_key("preview", period, subject.form, subject.account, moment)
    return Delivery(
        key=key,
        period=period,
        account_key=subject.account_key,
        account=subject.account,
        kind=subject.kind,
        form=subject.form,
        address=reader.address,
        message_id=message_id(key, sender.address.rpartition("@")[2]),
        attempts=0,
        queued_at=now,
        possible_duplicate=False,
    )


PREFIX = "[Test] "


def as_test(sender: Sender) -> Sender:
    """Return the sender of test mails: their subjects say so, their bounces are nobody's bill."""
    return replace(sender, subject_prefix=PREFIX, verp=None)


def send_test(mailer: Mailer, sender: Sender, recipient: str, key: str, content: bytes) -> None:
    """
    Send one mail now, once.

    Raises TemporaryFailure, PermanentFailure or OutcomeUnknown for what came of it.
    """
    message_id = str(message_from_bytes(content, policy=default)["Message-ID"])
    message = OutgoingMessage(key, sender.envelope_from, recipient, message_id, content)
    try:
        (outcome,) = mailer.deliver([message])
    finally:
        mailer.close()
    if outcome.result is Result.IN_DOUBT:
        raise OutcomeUnknown(f"the test mail was handed over without an answer: {outcome.error}")
    if outcome.result is Result.DEFERRED:
        raise TemporaryFailure(f"the mail server put the test mail off: {outcome.error}")
    if outcome.result is Result.FAILED:
        raise PermanentFailure(f"the mail server refused the test mail: {outcome.error}")
