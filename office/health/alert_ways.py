"""Alerts beside mail: Slack, Teams, PagerDuty and webhooks by Apprise, each told once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.inserting import insert_new
from database.tables import alert_post
from office.equipment.office import Office
from office.secrets.redaction import remember

LOGGER = logging.getLogger("prefect.billclose")
TOO_OLD = timedelta(days=3)  # a way that was dead for longer is told nothing of then
LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class AlertWay:
    """One URL of alerts.urls; `key` tells it apart in the books without showing it."""

    url: str

    @property
    def key(self) -> str:
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]

    @property
    def kind(self) -> str:
        """Return what may be shown of it: its scheme."""
        return urlsplit(self.url).scheme

    def tell(self, title: str, text: str) -> bool:
        """Post a message; tell whether it was taken. Nothing that goes wrong is raised."""
        from apprise import Apprise  # loads long

        post = Apprise()
        return bool(post.add(self.url)) and bool(post.notify(body=text, title=title))


def ways_of(office: Office) -> tuple[AlertWay, ...]:
    """Return the ways that the settings name; a rehearsal has none."""
    if office.rehearses:
        return ()
    urls = office.settings.alerts.urls.get_secret_value().split()
    remember(urls)
    return tuple(AlertWay(url) for url in urls)


def queue_posts(
    books: Connection, office: Office, about: str, form: str, title: str, text: str, now: datetime
) -> int:
    """Record what each way is told of a trouble, once; return how many are new."""
    row = {
        "about": about[:160],
        "form": form,
        "title": title[:LONGEST_TITLE],
        "text": text,
        "queued_at": now,
    }
    insert = insert_new(books.dialect.name, alert_post)
    ways = ways_of(office)
    return sum(books.execute(insert.values(row | {"way": way.key})).rowcount for way in ways)


def send_posts(office: Office, now: datetime) -> tuple[int, int]:
    """
    Tell each way what it was not told yet; return how many were taken and how many not.

    A way that is dead is tried again at the next look, and keeps no other waiting. A kill between
    the post and its mark tells twice: better than not at all.
    """
    told = failed = 0
    for way in ways_of(office):
        for row in list(_waiting(office, way, now)):
            if not way.tell(row.title, row.text):
                failed += 1
                LOGGER.warning("an alert by %s was not taken; it is tried again", way.kind)
                break
            _mark_told(office, row, now)
            told += 1
    return told, failed


def _waiting(office: Office, way: AlertWay, now: datetime) -> Iterator[sa.Row[tuple[str, ...]]]:
    post = alert_post.c
    query = sa.select(post.about, post.form, post.way, post.title, post.text).where(
        post.way == way.key, post.told_at.is_(None), post.queued_at > now - TOO_OLD
    )
    with office.database.reading() as books:
        yield from books.execute(query.order_by(post.queued_at, post.about)).all()


def _mark_told(office: Office, row: sa.Row[tuple[str, ...]], now: datetime) -> None:
    post = alert_post.c
    about, form, way, *_ = row
    mine = alert_post.update().where(post.about == about, post.form == form, post.way == way)
    with office.database.writing() as books:
        books.execute(mine.values(told_at=now))
