"""Texts leave once, whatever breaks: an answer, the carrier, this process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.texts import text_message
from domain.deliveries import MessageKind
from domain.failures import PermanentFailure, TemporaryFailure
from domain.identity import UserState
from identity.users import make_user
from mail.port import Result
from mail.texts.consents import agree, stop_phone
from mail.texts.outbox import claim_texts, note_not_delivered
from mail.texts.port import TextOutcome
from mail.texts.readers import is_stopped, reader_of
from mail.texts.recording import PlannedText, queue_texts
from mail.texts.sending import send_due_texts
from mail.texts.twilio import TwilioSender
from tests.builders import NOW, a_household, close_run, stage_run
from tests.mail.texts.text_sender_process import start_text_sender
from tests.mail.texts.twilio_fake import a_carrier

ELM, PHONE = "01.1037.1", "+14355550142"
KINDS = (MessageKind.PAYMENT_DUE, MessageKind.ACCESS)


@dataclass
class Scripted:
    """A carrier that answers as it was told, and remembers what it got."""

    outcomes: list = field(default_factory=list)
    has: bool = False
    sent: list = field(default_factory=list)

    def send(self, text):
        outcome = self.outcomes.pop(0) if self.outcomes else TextOutcome(Result.SENT, "SM1")
        if isinstance(outcome, Exception):
            raise outcome
        self.sent.append(text.words)
        return outcome

    def look_up(self, _text):
        return TextOutcome(Result.SENT, "SM1") if self.has else None

    def close(self):
        return


@pytest.fixture
def town(database):
    """One text to Ann about her bill, recorded and not sent."""
    stage_run(database, a_household(ELM, mandates=()))
    close_run(database)
    with database.writing() as books:
        user = make_user(books, "ann@x.example", NOW, UserState.ACTIVE, phone="4355550142")
        agree(books, user, PHONE, "I agree.", NOW)
        reader = reader_of(books, user)
        text = PlannedText(
            MessageKind.PAYMENT_DUE, "2026-11-20", reader, "ann@x.example", account=ELM,
            period="2026-10", form="payment-due",
        )  # fmt: skip
        queue_texts(books, [text], NOW)
    return database


def send(database, carrier, after=timedelta(), words=lambda _row: "Due soon."):
    return send_due_texts(
        database, carrier, words, clock=lambda: NOW + after, owner="me", kinds=KINDS
    )


def stands(database, *names):
    chosen = names or ("status", "attempts", "error")
    with database.reading() as books:
        return tuple(books.execute(sa.select(*(text_message.c[name] for name in chosen))).one())


def test_a_text_is_sent_once(town):
    carrier = Scripted()

    first, again = send(town, carrier), send(town, carrier)

    assert (1, 0, ["Due soon."]) == (first.sent, again.sent, carrier.sent)
    assert ("sent", "SM1", NOW) == stands(town, "status", "reference", "sent_at")


def test_a_lost_answer_is_looked_up_and_nothing_goes_twice(town):
    carrier = Scripted([TextOutcome(Result.IN_DOUBT, error="no answer came")], has=True)

    lost = send(town, carrier)
    at_once = send(town, carrier)
    later = send(town, carrier, timedelta(minutes=3))

    assert (1, 0, 1, 1) == (lost.in_doubt, at_once.sent, later.sent, len(carrier.sent))
    assert ("sent", False) == stands(town, "status", "possible_duplicate")


def test_a_lost_answer_to_what_the_carrier_has_not_got_goes_again(town):
    carrier = Scripted([TextOutcome(Result.IN_DOUBT)])
    send(town, carrier)

    send(town, carrier, timedelta(minutes=3))

    assert (2, ("sent", True)) == (len(carrier.sent), stands(town, "status", "possible_duplicate"))


def test_what_a_killed_process_had_in_hand_is_looked_up_first(town):
    claim_texts(town, "another|0||", NOW, 10, KINDS)
    carrier = Scripted(has=True)

    while_leased = send(town, carrier)
    later = send(town, carrier, timedelta(minutes=11))

    assert (0, 1, []) == (while_leased.sent, later.sent, carrier.sent)


def test_a_look_up_is_by_the_words_that_left_whatever_is_true_by_now(town):
    asked = []
    carrier = Scripted([TextOutcome(Result.IN_DOUBT)], has=True)
    carrier.look_up = lambda text: asked.append(text.words) or TextOutcome(Result.SENT)
    send(town, carrier)

    send(town, carrier, timedelta(minutes=3), words=lambda _row: "Paid meanwhile.")

    assert ["Due soon."] == asked


def test_two_workers_never_hold_the_same_text(town):
    first = claim_texts(town, "one", NOW, 10, KINDS)
    second = claim_texts(town, "two", NOW, 10, KINDS)

    assert (1, 0) == (len(first), len(second))


@pytest.mark.parametrize("failure", [TemporaryFailure("away"), PermanentFailure("wrong token")])
def test_where_the_carrier_takes_nothing_all_waits_and_no_try_is_counted(town, failure):
    stopped = send(town, Scripted([failure]))
    again = send(town, Scripted())

    assert (str(failure), 0, 1) == (stopped.stopped_by, stopped.sent, again.sent)


def test_a_text_that_is_put_off_comes_again_and_is_given_up_at_last(town):
    counts = [
        send(town, Scripted([TextOutcome(Result.DEFERRED)]), timedelta(hours=5 * number))
        for number in range(6)
    ]

    assert ([1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 0]) == (
        [one.deferred for one in counts],
        [one.failed for one in counts],
    )


def test_a_phone_that_the_carrier_knows_to_have_stopped_has_stopped_for_us(town):
    send(town, Scripted([TextOutcome(Result.FAILED, error="21610", is_unwanted=True)]))

    with town.reading() as books:
        assert is_stopped(books, PHONE)


def test_a_text_recorded_before_a_stop_does_not_leave_after_it(town):
    with town.writing() as books:
        stop_phone(books, PHONE, NOW)
        books.execute(text_message.update().values(status="queued"))  # recorded by another process
    carrier = Scripted()

    send(town, carrier)

    assert ([], "failed") == (carrier.sent, stands(town, "status")[0])


def test_a_text_with_nothing_to_say_fails_alone(town):
    def words(_row):
        raise PermanentFailure("it is paid")

    assert (1, ("failed", 1, "it is paid")) == (
        send(town, Scripted(), words=words).failed,
        stands(town),
    )


def test_a_text_that_the_carrier_could_not_deliver_has_failed_after_all(town):
    send(town, Scripted())

    with town.writing() as books:
        ours = note_not_delivered(books, "SM1", "not delivered (code 30006)")
        again = note_not_delivered(books, "SM1", "not delivered (code 30006)")
        others = note_not_delivered(books, "", "no reference")

    assert (True, False, False, "failed") == (ours, again, others, stands(town, "status")[0])


def test_a_process_killed_while_the_carrier_has_its_text_sends_nothing_twice(town):
    with a_carrier(lambda: NOW) as carrier:
        carrier.answers.append("held")
        process = start_text_sender(town.url, carrier.account)
        assert carrier.has_taken.wait(30)
        process.kill()
        process.join()
        carrier.goes_on.set()

        sender = TwilioSender(carrier.account)
        found = send(town, sender, timedelta(minutes=3))

    assert (1, 1) == (found.sent, len(carrier.kept))
    assert ("sent", carrier.kept[0]["sid"]) == stands(town, "status", "reference")
