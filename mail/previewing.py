"""A look at a mail before anybody gets it: with an account's own facts, or with invented ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default

from domain.deliveries import MessageKind
from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from mail.bill_facts import find_facts_of_bill
from mail.bill_mail import BillRenderer, Sender, Stamp, bill_file_stem, compose_mail
from mail.compose import Templates
from mail.headers import Unsubscribe
from mail.keys import delivery_key, message_id
from mail.letters import Letter
from mail.mime import Attachment
from mail.notice_facts import find_facts_of_notice
from mail.notice_mail import NoticeRenderer
from mail.outbox import Delivery
from mail.preview_subject import Subject, Wanted, find_subject
from mail.samples import sample_letter, sample_pdf

SAMPLE_MOMENT = datetime.fromisoformat("2026-11-02T06:00:00-07:00")


@dataclass(frozen=True, slots=True)
class Look:
    """A mail that nobody gets, and whose it would be."""

    content: bytes
    subject: Subject


def look_at(
    wanted: Wanted,
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
            f"{subject.run.run}: {failure}; try --sample.",
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
    known = find_facts_of_notice(
        bills.database,
        key=row.key,
        run=row.run,
        account_key=row.account_key,
        address=row.address,
        source=subject.reader.source,
    )
    if known is None:
        raise PermanentFailure("its period is not in the books")
    letter, attachment = notices.to_letter(row, known)
    return notices.compose(row, letter, Stamp.of(row, known.timezone), attachment, to)


def _a_delivery(subject: Subject, now: datetime, sender: Sender) -> Delivery:
    """Make what would be recorded; its names are of this look alone, so that nothing mixes."""
    run, reader = subject.run.run, subject.reader
    moment = f"{reader.mailbox}/{now.isoformat()}"
    key = delivery_key("preview", run, subject.form, subject.account, moment)
    return Delivery(
        key=key,
        run=run,
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
