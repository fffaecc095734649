"""The mailboxes of a mass mail, written down before anything is sent to them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.books import Database, insert_rows
from database.tables import mass_mailing, mass_recipient
from domain.accounts import account_key
from domain.failures import Refused
from domain.words import say_count
from mail.mass_audience import Audience, Resolved, resolve
from mail.mass_mailing import Mailing, count_mailboxes, form_of, get_mailing
from mail.mass_wording import to_paragraphs, uses
from rules.communications import LeftOut


def write_down_readers(
    database: Database,
    number: int,
    count: int,
    *,
    to_landlords: bool,
    token_of: Callable[[str], str | None],
    now: datetime,
    who: str,
) -> Mailing:
    """
    Write down the mailboxes of a mailing, all of them or none, where that was not done before.

    They stand from then on: whoever moves in or closes an account while it is being sent changes
    nothing. `count` is what a person has confirmed, `token_of` gives each mailbox's way out.
    Raises Refused (`wrong-count`) where they are not so many.
    """
    mailing = get_mailing(database, number)
    if mailing.resolved_at is not None:
        require_count(count, count_mailboxes(database, number))
        return mailing
    names_account = uses(to_paragraphs(mailing.body), "account_number")
    audience = Audience.from_json(mailing.audience)
    found = resolve(database, audience, to_landlords=to_landlords, names_account=names_account)
    require_count(count, len(found.readers))
    with database.writing() as books:
        row = mass_mailing.c.number == number
        lock = sa.select(mass_mailing.c.resolved_at).where(row).with_for_update()
        if books.execute(lock).scalar() is None:
            _write_readers(books, number, found, token_of)
            books.execute(
                mass_mailing.update().where(row).values(resolved_at=now, left_out=_to_json(found))
            )
            detail = f"{audience.kind}: {say_count(count, 'mailbox', 'mailboxes')}"
            record_audit(books, now, who, "send communication", form_of(number), detail)
    return get_mailing(database, number)


def require_count(confirmed: int, found: int) -> None:
    """Raise Refused (`wrong-count`) where a person has confirmed another number of mailboxes."""
    if confirmed != found:
        raise Refused(
            "wrong-count",
            f"{say_count(found, 'mailbox', 'mailboxes')} would be written to, not {confirmed:,}; "
            "nothing was sent. Look at the audience again and confirm its count.",
        )


def count_left_out(left_out: Counter[LeftOut], unreachable: int) -> dict[str, int]:
    """Count what is left out, by why, as programs read it."""
    counted = {reason.value: left_out[reason] for reason in LeftOut if left_out[reason]}
    return counted | ({"accounts-without-address": unreachable} if unreachable else {})


def _write_readers(
    books: Connection, number: int, found: Resolved, token_of: Callable[[str], str | None]
) -> None:
    columns = ["mailing", "mailbox", "address", "account_key", "account", "source", "token"]
    rows = (
        (
            number, one.recipient.mailbox, one.recipient.address, account_key(one.account),
            one.account, one.recipient.source, token_of(one.recipient.mailbox),
        )
        for one in found.readers
    )  # fmt: skip
    insert_rows(books, mass_recipient, columns, rows)


def _to_json(found: Resolved) -> str:
    return json.dumps(count_left_out(found.left_out, found.unreachable))
