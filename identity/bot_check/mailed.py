"""A mailed link in the place of the check: for whoever's browser cannot run it (rule 68)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from domain.identity import LinkKind, PortalMail, mailbox_of
from identity.attempts.counting import count_bad, record_attempt
from identity.bot_check.passing import GOOD_FOR, let_pass
from identity.bot_check.port import BotVerdict
from identity.one_time_links import find_link, make_link, use_link
from identity.tokens import LinkTokens, token_hash

MOST_MAILS = 3  # a day to one mailbox, whoever asks
SHOWS = frozenset({LinkKind.PERSON})
_DAY = timedelta(days=1)
_HASHED = 40  # signs of what stands for a mailbox


def mail_check(
    books: Connection, tokens: LinkTokens, address: str, leads_to: str, language: str, now: datetime
) -> PortalMail | None:
    """
    Return the mail whose link takes a browser for a person's; None: that mailbox had enough.

    `leads_to` is the first of the pages behind the check. Who reads the mailbox, and is not sent
    more than three links a day, has shown as much as who let a browser count.
    """
    hashed = token_hash(mailbox_of(address))[:_HASHED]
    if count_bad(books, "person", [hashed], now, _DAY) >= MOST_MAILS:
        return None
    record_attempt(books, "person", [hashed], now, good=False)
    about = f"{language} {leads_to} {hashed}"
    return PortalMail(
        "person", address, 0, make_link(books, tokens, LinkKind.PERSON, now, about=about)
    )


def leads_to(books: Connection, token: str, now: datetime) -> str | None:
    """Return where a link leads while it is good; looking changes nothing."""
    link = find_link(books, token, SHOWS, now)
    return link.about.split(" ")[1] if link else None


def pass_by_link(books: Connection, token: str, guest: str, now: datetime) -> str | None:
    """Let the browser in which the button was pressed pass, once; return where to, None: over."""
    link = find_link(books, token, SHOWS, now)
    if link is None or not use_link(books, link, now):
        return None
    let_pass(books, BotVerdict(True, f"link/{link.key}", now + GOOD_FOR), guest, now)
    return link.about.split(" ")[1]
