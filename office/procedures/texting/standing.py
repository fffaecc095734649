"""How text messages stand: by status, who reads them, who has stopped them."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from database.counting import count_by
from database.definitions.texts import text_consent, text_message
from domain.deliveries import DeliveryStatus
from mail.texts.readers import has_stopped, select_readers
from office.equipment.office import Office


@dataclass(frozen=True, slots=True)
class TextStanding:
    """Texts by status, customers who are told by text, phones that have answered STOP."""

    texts: dict[str, int]
    readers: int
    stopped: int


def read_standing(office: Office) -> TextStanding:
    phones = sa.select(text_consent.c.phone).where(has_stopped(text_consent.c.phone)).distinct()
    with office.database.reading() as books:
        found = count_by(books, text_message.c.status)
        readers = sa.select(sa.func.count()).select_from(select_readers().subquery())
        stopped = sa.select(sa.func.count()).select_from(phones.subquery())
        return TextStanding(
            {status.value: found.get(status, 0) for status in DeliveryStatus},
            books.execute(readers).scalar_one(),
            books.execute(stopped).scalar_one(),
        )
