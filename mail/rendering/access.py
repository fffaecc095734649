"""The facts of mails about signing in: from the one-time link that a delivery is about."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from database.books import Database
from database.definitions.identity import one_time_link
from database.tables import enrollment
from domain.deliveries import MessageKind
from domain.failures import PermanentFailure
from domain.identity import LinkKind
from domain.languages import ENGLISH
from mail.letters.access import AccessLetter, PortalLinks, local_moment
from mail.outbox.deliveries import Delivery
from mail.rendering.alerts import facts_without_period, newest_utility
from mail.rendering.notice_facts import NoticeFacts

WITH_CODE = (LinkKind.VERIFY, LinkKind.NEW_ADDRESS)  # six digits do what the link does
ENROLLED = "enrollment"  # what the mail about a mandate that the office took down is about


def to_access_letter(
    database: Database, row: Delivery, links: PortalLinks, language: str
) -> AccessLetter:
    """
    Return what an access mail says; its link is made now, and stands in no book.

    Raises PermanentFailure where nobody knows the portal's address, or the link is over.
    """
    if not links.url:
        raise PermanentFailure("web.url is empty; set it to the address of the portal")
    utility, timezone = newest_utility(database)
    table = one_time_link.c
    with database.reading() as books:
        found = books.execute(sa.select(one_time_link).where(table.key == row.about)).one_or_none()
    if found is None:
        return AccessLetter(
            form=row.form,
            utility=utility,
            account=row.account,
            link=links.to("/sign-in"),
            language=language,
            agreed=_find_agreed(database, row),
        )
    if found.used_at is not None or found.revoked_at is not None:
        raise PermanentFailure("its link was used, or another one took its place")
    if found.kind is LinkKind.PERSON and language == ENGLISH:
        language = found.about.split(" ")[0]  # nobody's mailbox: of the page on which it was asked
    return AccessLetter(
        form=row.form,
        utility=utility,
        account=row.account,
        link=links.one_time(found.kind.value, found.key),
        code=links.code(found.key) if found.kind in WITH_CODE else "",
        language=language,
        expires=local_moment(found.expires_at, timezone, language),
    )


def _find_agreed(database: Database, row: Delivery) -> tuple[str, ...]:
    """Return the very text that was agreed to, of a mail about an enrollment; else nothing."""
    what, _, number = row.about.partition("/")
    if what != ENROLLED or not number.isdigit():
        return ()
    agreed = enrollment.c
    with database.reading() as books:
        query = sa.select(agreed.consent_text).where(agreed.id == int(number))
        return tuple((books.scalar(query) or "").split("\n\n"))


def facts_of_access(database: Database, deliveries: Sequence[Delivery]) -> dict[str, NoticeFacts]:
    """Return the facts of access mails, which belong to no period, by their keys."""
    keys = [row.key for row in deliveries if row.kind is MessageKind.ACCESS]
    if not keys:
        return {}
    return dict.fromkeys(keys, facts_without_period(database))
