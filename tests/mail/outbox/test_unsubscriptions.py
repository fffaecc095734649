"""Who wants no communications: by a link, by mail, by a call; and what that takes back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.tables import audit, delivery, mass_recipient, unsubscribed_address
from domain.deliveries import UNSUBSCRIBED, DeliveryStatus, MessageKind
from domain.failures import Misuse
from mail.embedded import Rehearsal
from mail.letters.links import Unsubscribing
from mail.letters.templates import Templates
from mail.outbox.deliveries import COLUMNS, Delivery
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_messages
from mail.outbox.sending import send_due
from mail.port import OutgoingMessage
from mail.recipients.unsubscribed import (
    Unsubscription,
    record_unsubscription,
    resubscribe,
    token_in_mail,
    unsubscribe_address,
)
from mail.rendering.notices import Communication, NoticeRenderer
from tests.builders import NOW, RUN, a_household
from tests.mail.mass_builders import WAYS, a_mailing, a_town, outbox, queue
from tests.mail.notices.test_notices import SENDER

ANN, BEN = "ann@x.example", "ben@x.example"
TOKEN = WAYS.token(ANN)


@pytest.fixture
def books(database, tmp_path):
    """Ann and Ben have a mass mail in the outbox, and Ann a bill."""
    a_town(database, a_household("01.1", email="Ann@X.example"), a_household("01.2", email=BEN))
    a_mailing(database, tmp_path)
    queue(database)
    bill = PlannedMessage(MessageKind.BILL, RUN, "Ann@X.example", None, "01.1", RUN, "utility-bill")
    with database.writing() as connection:
        queue_messages(connection, [bill], now=NOW, message_domain="larkspur.example")
    return database


def record(database, token: str = TOKEN, ways: Unsubscribing = WAYS) -> Unsubscription:
    return record_unsubscription(database, token, unsubscribing=ways, now=NOW, who="web")


def unsubscribed(database) -> list[str]:
    with database.reading() as connection:
        return list(connection.scalars(sa.select(unsubscribed_address.c.mailbox)))


def a_renderer(database) -> NoticeRenderer:
    text = Communication("Leaves", ("Hello.",))
    return NoticeRenderer(database, Templates(), SENDER, WAYS, lambda _form: text)


def test_a_token_takes_back_what_waits_and_leaves_the_bill(books):
    first, second = record(books), record(books, f" {TOKEN.upper()}\n")

    assert (Unsubscription.RECORDED, Unsubscription.BEFORE) == (first, second)
    assert [ANN] == unsubscribed(books)
    assert [BEN] == [row.address for row in outbox(books)]
    with books.reading() as connection:
        kinds = connection.scalars(sa.select(delivery.c.kind).order_by(delivery.c.kind)).all()
        acts = connection.execute(
            sa.select(audit.c.who, audit.c.subject).where(audit.c.action == "unsubscribe")
        ).all()
    assert [MessageKind.BILL, MessageKind.COMMUNICATION] == kinds
    assert [("web", "01.1")] == [tuple(row) for row in acts]


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("a" * 24, id="nobody's"),
        pytest.param(TOKEN[:-1], id="cut short"),
        pytest.param("", id="nothing"),
        pytest.param("' OR 1=1 --\r\nBcc: x", id="hostile"),
        pytest.param(Unsubscribing(b"other").token(ANN), id="another office's"),
        pytest.param(WAYS.token("nobody@x.example"), id="of a mailbox never written to"),
    ],
)
def test_a_token_that_is_nobodys_changes_nothing(books, token):
    assert Unsubscription.UNKNOWN == record(books, token)
    assert ([], 2) == (unsubscribed(books), len(outbox(books)))


def test_a_token_is_known_though_none_was_set_up_when_the_mailing_was_recorded(books):
    with books.writing() as connection:
        connection.execute(mass_recipient.update().values(token=None))

    assert Unsubscription.UNKNOWN == record(books, ways=Unsubscribing(b"secret"))
    assert Unsubscription.RECORDED == record(books)


def test_an_old_token_is_known_after_the_secret_was_made_anew(books):
    renewed = Unsubscribing(b"renewed", WAYS.url)

    assert Unsubscription.RECORDED == record(books, ways=renewed)


def test_who_calls_is_unsubscribed_by_address_and_subscribed_again(books):
    done = unsubscribe_address(books, " BEN@x.example", now=NOW, who="anna")
    gone = unsubscribed(books)
    resubscribe(books, "Ben@X.example", "he called", now=NOW, who="anna")

    assert (Unsubscription.RECORDED, [BEN], []) == (done, gone, unsubscribed(books))
    with pytest.raises(Misuse, match="not unsubscribed"):
        resubscribe(books, BEN, "again", now=NOW, who="anna")


def test_who_unsubscribes_while_the_mail_is_on_its_way_out_does_not_get_it(books):
    with books.reading() as connection:
        rows = [
            Delivery(*row)
            for row in connection.execute(
                sa.select(*COLUMNS).where(delivery.c.kind == MessageKind.COMMUNICATION)
            )
        ]
    with books.writing() as connection:  # as if a sender had claimed them
        connection.execute(delivery.update().values(status=DeliveryStatus.SENDING))
    messages = list(a_renderer(books)(rows))
    record(books)

    outcomes = {row.key: row for row in Rehearsal().deliver(messages)}  # type: ignore[arg-type]
    told = {row.address.casefold(): outcomes[row.key] for row in rows}
    assert all(isinstance(message, OutgoingMessage) for message in messages)
    assert ("failed", UNSUBSCRIBED) == (told[ANN].result, told[ANN].error)
    assert ("sent", "") == (told[BEN].result, told[BEN].error)


def test_who_unsubscribes_between_queueing_and_sending_gets_nothing(books, tmp_path):
    record(books)
    sent = send_due(
        books, Rehearsal(), {MessageKind.COMMUNICATION: a_renderer(books)},
        journals=tmp_path, clock=lambda: NOW, owner="me",
    )  # fmt: skip

    assert (1, 0) == (sent.sent, sent.unsent)
    assert [(BEN, DeliveryStatus.SENT)] == [(row.address, row.status) for row in outbox(books)]


def test_a_mail_that_may_have_left_is_kept(books):
    with books.writing() as connection:
        connection.execute(delivery.update().values(possible_duplicate=True))
    record(books)

    assert 2 == len(outbox(books))


@pytest.mark.parametrize(
    ("subject", "token"),
    [
        pytest.param(f"unsubscribe {TOKEN}", TOKEN, id="as the link has it"),
        pytest.param(f"Unsubscribe  {TOKEN.upper()} ", TOKEN, id="as people write"),
        pytest.param(f"unsubscribe\n {TOKEN}", TOKEN, id="folded"),
        pytest.param("unsubscribe", "", id="without a token"),
        pytest.param(f"Re: unsubscribe {TOKEN}", "", id="an answer to one"),
        pytest.param("Undelivered Mail Returned to Sender", "", id="a bounce"),
    ],
)
def test_a_mail_asks_by_its_subject(subject, token):
    assert token == token_in_mail(f"From: ann@x.example\nSubject: {subject}\n\n.".encode())
