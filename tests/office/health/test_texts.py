"""Texts that do not leave are told of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from database.definitions.texts import text_message
from domain.deliveries import DeliveryStatus, MessageKind
from domain.identity import UserState
from identity.users import make_user
from mail.texts.readers import TextReader
from mail.texts.recording import PlannedText, queue_texts
from office.health.conditions import Looking, State
from office.health.texts import waiting_texts
from tests.builders import NOW
from tests.office.health_builders import an_office_at


@pytest.fixture
def office(tmp_path, database):
    return an_office_at(tmp_path, database, "2026-11-03T09:00")


def a_text(database):
    with database.writing() as books:
        user = make_user(books, "ann@x.example", NOW, UserState.ACTIVE)
        reader = TextReader(user, "ann@x.example", "+14355550142", "en")
        kind = MessageKind.PAYMENT_DUE
        text = PlannedText(kind, "2026-11-20", reader, "ann@x.example", form="payment-due")
        queue_texts(books, [text], NOW)


def found(office, after=timedelta()):
    (condition,) = waiting_texts(Looking(office, NOW + after, "America/Denver"))
    return condition


def test_nothing_is_watched_where_nobody_is_told_by_text(office):
    assert State.NOT_WATCHED is found(office).state


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (DeliveryStatus.QUEUED, State.TROUBLE),
        (DeliveryStatus.DEFERRED, State.TROUBLE),
        (DeliveryStatus.IN_DOUBT, State.TROUBLE),
        (DeliveryStatus.SENT, State.WELL),
        (DeliveryStatus.FAILED, State.WELL),
    ],
)
def test_a_text_that_waits_for_more_than_a_day_needs_a_person(office, database, status, state):
    a_text(database)
    with database.writing() as books:
        books.execute(text_message.update().values(status=status, error="the account is refused"))

    night, later = found(office, timedelta(hours=20)), found(office, timedelta(hours=25))

    assert (State.WELL, state) == (night.state, later.state)
    assert ("the account is refused" in later.detail) == (state is State.TROUBLE)
