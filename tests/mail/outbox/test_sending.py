"""Sending what is due, over doubles that are the real adapters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from database.owners import this_process
from database.tables import bill
from domain.deliveries import DeliveryStatus, MessageKind
from domain.failures import PermanentFailure, TemporaryFailure
from mail.bounces.processing import BounceCounts, record_refusals
from mail.embedded import MailFolder
from mail.letters.bill import a_sample, variables
from mail.letters.templates import Templates
from mail.outbox.deliveries import Delivery, claim, counts
from mail.outbox.planned import PlannedMessage
from mail.outbox.queueing import queue_bills, queue_messages
from mail.outbox.sending import SendCounts, send_due
from mail.port import Hook, Mailer, MailOutcome, OutgoingMessage, Result
from mail.rendering.bills import BillRenderer, Sender
from tests.mail.builders import NOW, PDF, RUN, a_run, an_account, deliveries, many_accounts
from tests.mail.servers import MailServer, running
from tests.mail.smtp.test_mailers import a_mailer

SENDER = Sender("billing@larkspur.example", "bounces@larkspur.example", reply_to="desk@x.example")


def render(rows: Sequence[Delivery]) -> Iterator[OutgoingMessage]:
    for row in rows:
        yield OutgoingMessage(row.key, "b@larkspur.example", row.address, row.message_id, b"x\r\n")


@pytest.fixture
def send(database, tmp_path):
    """Sends what is due, bills as `render` makes them."""

    def send(mailer: Mailer, *, render=render, now=NOW, **options) -> SendCounts:
        options = {"renderers": {MessageKind.BILL: render}, "owner": this_process()} | options
        return send_due(
            database, mailer, journals=tmp_path / "outbox", clock=lambda: now, **options
        )

    (tmp_path / "outbox").mkdir()
    return send


def queue(database, count: int = 0) -> None:
    a_run(database)
    many_accounts(database, count)
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")


class Answering:
    """A mailer with one answer for all; it ends by raising, if it is told to."""

    def __init__(self, result: Result, after: int = 10_000, failure: Exception | None = None):
        self.result, self.after, self.failure = result, after, failure
        self.given: list[str] = []

    def deliver(
        self, messages: Iterable[OutgoingMessage], about_to_hand_over: Hook | None = None
    ) -> Iterator[MailOutcome]:
        for message in messages:
            if isinstance(self.failure, TemporaryFailure) and len(self.given) >= self.after:
                raise self.failure
            assert about_to_hand_over is not None
            about_to_hand_over(message.key)
            if self.failure is not None and len(self.given) >= self.after:
                raise self.failure
            self.given.append(message.key)
            yield MailOutcome(message.key, self.result)

    def close(self) -> None:
        pass


class Choosing(Answering):
    """Gives each mailbox its own answer: `sent`, or what a server says no with."""

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__(Result.SENT)
        self.answers = answers

    def deliver(
        self, messages: Iterable[OutgoingMessage], about_to_hand_over: Hook | None = None
    ) -> Iterator[MailOutcome]:
        for message in messages:
            answer = self.answers[message.recipient.partition("@")[0]]
            no = Result.FAILED if answer[0] == "5" else Result.DEFERRED
            is_sent = answer == "sent"
            yield MailOutcome(
                message.key, Result.SENT if is_sent else no, "" if is_sent else answer
            )


def test_everything_due_is_sent_once(database, send, tmp_path):
    queue(database, 45)
    seen: list[SendCounts] = []

    first = send(MailFolder(tmp_path / "mail"), batch=20, progress=seen.append)
    second = send(MailFolder(tmp_path / "mail"))

    assert SendCounts(sent=45) == first == seen[-1]
    assert SendCounts() == second
    assert 45 == len(list((tmp_path / "mail").iterdir())) == counts(database, RUN)["sent"]


def test_one_bad_address_costs_its_own_message_only(database, send):
    a_run(database)
    an_account(database, addresses=["ann@x.example", "gone@x.example", "full@x.example"])
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")
    with running(MailServer()) as server:
        mailer = a_mailer(server)
        now = send(mailer)
        later = send(mailer, now=NOW + timedelta(minutes=5))
        mailer.close()

    assert SendCounts(sent=1, failed=1, deferred=1) == now
    assert SendCounts(deferred=1) == later
    assert server.recipients == ["ann@x.example"]
    errors = {row.address: row.error for row in deliveries(database)}
    assert errors["ann@x.example"] is None
    assert errors["gone@x.example"].startswith("550 5.1.1")
    assert "gone" not in errors["gone@x.example"]


REFUSALS = [
    "550 5.1.1 no such user",
    "550 5.7.1 relaying denied",
    "554 5.7.26 not authenticated",
    "550 5.4.5 daily sending quota exceeded",
    "550 rate limit exceeded",
]


@pytest.mark.parametrize("reply", REFUSALS)
def test_a_relay_that_refuses_everybody_stops_the_sending_and_fails_nobody(database, send, reply):
    queue(database, 45)
    with running(MailServer(refuses_everybody=reply)) as server:
        mailer = a_mailer(server)
        found = send(mailer, batch=20)
        settled = record_refusals(database, now=NOW, who="test")
        server.refuses_everybody = ""
        repaired = send(mailer)
        mailer.close()

    assert (0, 0, 0, True) == (found.sent, found.failed, found.deferred, found.mailed_nobody)
    assert reply in found.stopped_by
    assert BounceCounts() == settled
    assert SendCounts(sent=45) == repaired


def test_what_a_relay_refused_that_refuses_everybody_waits_as_before_and_says_why(database, send):
    queue(database, 45)

    found = send(Choosing({f"c{number}": "550 5.1.1 no such user" for number in range(45)}))

    assert SendCounts(stopped_by=found.stopped_by, mailed_nobody=True) == found
    assert {(DeliveryStatus.QUEUED, 0, NOW)} == {
        (row.status, row.attempts, row.next_try_at) for row in deliveries(database)
    }
    assert [found.stopped_by] * 10 == [row.error for row in deliveries(database) if row.error]


def test_refusals_between_mails_that_arrive_are_the_mailboxes_own(database, send):
    queue(database, 40)
    answers = ["550 5.1.1 gone"] * 9 + ["sent"] + ["550 5.1.1 gone"] * 9 + ["550 5.2.1 off"] * 9
    answers += ["sent"] * 12

    found = send(Choosing({f"c{number}": answer for number, answer in enumerate(answers)}), batch=7)

    assert SendCounts(sent=13, failed=27) == found
    assert {1} == {row.attempts for row in deliveries(database)}


def test_a_row_of_refusals_goes_on_from_one_batch_to_the_next(database, send):
    queue(database, 30)

    found = send(Choosing({f"c{number}": "550 5.4.1 denied" for number in range(30)}), batch=4)

    assert 30 == counts(database, RUN)[DeliveryStatus.QUEUED]
    assert "5.4.1" in found.stopped_by


@pytest.mark.parametrize(
    ("number", "reply", "expected"),
    [
        pytest.param(5, "550 5.1.1 gone", DeliveryStatus.QUEUED, id="five, and nothing else"),
        pytest.param(4, "550 5.1.1 gone", DeliveryStatus.FAILED, id="four may be gone"),
        pytest.param(3, "550 5.7.1 denied", DeliveryStatus.QUEUED, id="three, for what we are"),
    ],
)
def test_a_small_office_is_refused_as_a_whole(database, send, number, reply, expected):
    queue(database, number)

    send(Choosing({f"c{each}": reply for each in range(number)}))

    assert {expected} == {row.status for row in deliveries(database)}


def test_an_office_may_say_that_refusals_in_a_row_are_the_mailboxes_own(database, send):
    queue(database, 20)

    found = send(Choosing(dict.fromkeys([f"c{n}" for n in range(20)], "550 x")), many_refusals=0)

    assert SendCounts(failed=20) == found


def test_a_relay_that_is_down_uses_up_no_attempts(database, send):
    queue(database, 50)
    mailer = Answering(Result.SENT, after=7, failure=TemporaryFailure("no connection"))

    found = send(mailer, batch=20)

    assert SendCounts(sent=7, deferred=13, stopped_by="no connection") == found
    assert counts(database, RUN)[DeliveryStatus.QUEUED] == 30
    waiting = [row for row in deliveries(database) if row.status == DeliveryStatus.DEFERRED]
    assert {(0, "no connection", NOW)} == {
        (row.attempts, row.error, row.next_try_at) for row in waiting
    }
    assert SendCounts(sent=43) == send(Answering(Result.SENT))


def test_sending_stops_when_it_is_told_to_and_goes_on_later(database, send):
    queue(database, 30)
    mailer = Answering(Result.SENT)

    found = send(mailer, stop=lambda: len(mailer.given) >= 10)

    assert SendCounts(sent=10, stopped_by="stopped") == found
    assert counts(database, RUN)[DeliveryStatus.QUEUED] == 20
    assert SendCounts(sent=20) == send(mailer)


def test_a_mistake_of_ours_leaves_only_what_was_handed_over_in_doubt(database, send):
    queue(database, 30)

    with pytest.raises(ZeroDivisionError):
        send(Answering(Result.SENT, after=9, failure=ZeroDivisionError()))

    found = counts(database, RUN)
    assert {status.value: count for status, count in found.items() if count} == {
        "sent": 9,
        "in-doubt": 1,
        "queued": 20,
    }


def test_what_may_have_arrived_waits_for_a_person_if_the_office_wants_it_so(database, send):
    queue(database, 3)
    send(Answering(Result.IN_DOUBT))
    later = NOW + timedelta(hours=1)

    waiting = send(Answering(Result.SENT), now=later, resend_in_doubt=False)
    again = send(Answering(Result.SENT), now=later)

    assert SendCounts() == waiting
    assert SendCounts(sent=3, possible_duplicates=3) == again
    assert {True} == {row.possible_duplicate for row in deliveries(database)}


def test_a_run_started_again_after_a_kill_waits_for_no_lease(database, send):
    queue(database, 3)
    host, process, *_ = this_process().split("|")
    claim(database, f"{host}|{process}|an-earlier-start|", NOW, 10, timedelta(hours=1))

    assert SendCounts(sent=3, possible_duplicates=3) == send(Answering(Result.SENT))


@pytest.mark.parametrize(
    ("answers", "is_red"),
    [
        pytest.param({}, False, id="nothing is due"),
        pytest.param({"c0": "sent", "c1": "450 4.2.0 later"}, False, id="somebody got it"),
        pytest.param({"c0": "550 5.1.1 no such user"}, False, id="the mailbox is gone"),
        pytest.param({"c0": "550 no such user", "c1": "552 5.2.2 full"}, False, id="all are gone"),
        pytest.param({"c0": "550 5.1.1 x", "c1": "450 4.2.0 later"}, True, id="put off"),
        pytest.param({"c0": "550 5.7.1 denied", "c1": "550 5.7.1 denied"}, True, id="denied to us"),
    ],
)
def test_a_sending_that_mailed_nobody_is_red_when(database, send, answers, is_red):
    queue(database, len(answers))

    found = send(Choosing(answers))

    assert is_red == found.mailed_nobody


def test_a_mailbox_that_puts_us_off_again_turns_nothing_red(database, send):
    queue(database, 1)

    found = [send(Choosing({"c0": "450 later"}), now=NOW + timedelta(hours=n)) for n in (0, 1)]

    assert [True, False] == [each.mailed_nobody for each in found]


def test_a_relay_that_is_down_is_red_and_a_wish_to_stop_is_not(database, send):
    queue(database, 3)

    stopped = send(Answering(Result.SENT), stop=lambda: True)
    is_down = send(Answering(Result.SENT, after=0, failure=TemporaryFailure("no connection")))

    assert (False, True) == (stopped.mailed_nobody, is_down.mailed_nobody)


def test_every_kind_leaves_by_its_own_renderer_and_waits_without_one(database, send, tmp_path):
    queue(database, 2)
    planned = [
        PlannedMessage(MessageKind.PAST_DUE, "2026-11-20", "c0@customer.example", account="0000"),
        PlannedMessage(MessageKind.ALERT, "2026-10", "office@larkspur.example"),
        PlannedMessage(MessageKind.RECEIPT, "r-17", "c1@customer.example", account="0001"),
    ]
    with database.writing() as books:
        queue_messages(books, planned, now=NOW, message_domain="larkspur.example")

    def about(rows: Sequence[Delivery]) -> Iterator[OutgoingMessage]:
        for row in rows:
            content = f"Subject: {row.kind} {row.about}\r\n\r\n".encode()
            yield OutgoingMessage(row.key, "b@x.example", row.address, row.message_id, content)

    made = {MessageKind.BILL: render, MessageKind.PAST_DUE: about, MessageKind.ALERT: about}
    found = send(MailFolder(tmp_path / "mail"), renderers=made)

    files = [path.read_bytes() for path in (tmp_path / "mail").iterdir()]
    assert SendCounts(sent=4) == found
    assert 1 == files.count(b"Subject: past-due 2026-11-20\r\n\r\n")
    assert 1 == files.count(b"Subject: alert 2026-10\r\n\r\n")
    waiting = [row.kind for row in deliveries(database) if row.status == DeliveryStatus.QUEUED]
    assert [MessageKind.RECEIPT] == waiting


def test_a_kind_that_cannot_be_made_stops_the_sending_and_loses_nothing(database, send):
    queue(database, 3)

    def failing(rows: Sequence[Delivery]) -> Iterator[OutgoingMessage]:
        yield from render(rows[:1])
        raise PermanentFailure("the template is broken")

    found = send(Answering(Result.SENT), render=failing)

    assert SendCounts(deferred=3, stopped_by="the template is broken", mailed_nobody=True) == found
    assert SendCounts(sent=3) == send(Answering(Result.SENT))


def test_a_bill_that_is_no_longer_in_the_books_is_not_sent(database, send, tmp_path):
    queue(database, 1)
    with database.writing() as books:
        books.execute(bill.delete())

    found = send(MailFolder(tmp_path / "mail"), render=bill_renderer(database))

    assert SendCounts(failed=1) == found
    assert "the bill is no longer in the books" == deliveries(database)[0].error


def test_a_journal_is_there_only_while_mail_is_sent(database, send, tmp_path):
    queue(database, 3)
    seen: list[int] = []

    class Looking(Answering):
        def deliver(self, messages, about_to_hand_over=None):
            for outcome in super().deliver(messages, about_to_hand_over):
                seen.append(len(list((tmp_path / "outbox").iterdir())))
                yield outcome

    send(Looking(Result.SENT))

    assert [1, 1, 1] == seen
    assert [] == list((tmp_path / "outbox").iterdir())


# -- the mail of a bill ---------------------------------------------------------------------------


def bill_renderer(database, read_pdf=lambda path: PDF) -> BillRenderer:
    return BillRenderer(database, Templates(), SENDER, read_pdf)


def sent_message(tmp_path):
    (file,) = (tmp_path / "mail").iterdir()
    return message_from_bytes(file.read_bytes(), policy=default)


def test_a_bill_arrives_whole(database, send, tmp_path):
    a_run(database)
    an_account(database, draw=date(2026, 11, 13))
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")
    asked: list[str] = []

    def read_pdf(path: str) -> bytes:
        asked.append(path)
        return PDF

    send(MailFolder(tmp_path / "mail"), render=bill_renderer(database, read_pdf))

    message = sent_message(tmp_path)
    text = message.get_body(("plain",)).get_content()
    (attachment,) = message.iter_attachments()
    assert asked == ["2026-10/utility-bill/0110371.1.pdf"]
    assert message["From"] == "City of Larkspur <billing@larkspur.example>"
    assert message["To"] == "ann@customer.example"
    assert message["Reply-To"] == "desk@x.example"
    assert message["Date"] == "Mon, 02 Nov 2026 06:00:00 -0700"
    assert deliveries(database)[0].message_id == message["Message-ID"]
    assert "$80.00" in text
    assert "November 20, 2026" in text
    assert "will be drawn on November 13, 2026 from your bank account ending 6789" in text
    assert attachment.get_content() == PDF
    assert attachment.get_filename() == "bill-01.1037.1-2026-10.pdf"


@pytest.mark.parametrize(
    ("source", "wallet_owner", "is_told"),
    [
        pytest.param("customer-record", "", True, id="the customer, whose method the office has"),
        pytest.param("landlord", "", False, id="the landlord"),
        pytest.param("portal-user", "Ann@customer.example", True, id="the wallet's owner"),
        pytest.param("portal-user", "bob@customer.example", False, id="another portal user"),
    ],
)
def test_who_reads_which_bank_account_pays(database, send, tmp_path, source, wallet_owner, is_told):
    """Rules 117, 118: nobody but its owner sees a payment method."""
    a_run(database)
    an_account(database, draw=date(2026, 11, 13), source=source, wallet_owner=wallet_owner)
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")

    send(MailFolder(tmp_path / "mail"), render=bill_renderer(database))

    text = sent_message(tmp_path).get_body(("plain",)).get_content()
    assert "will be drawn on November 13, 2026" in text
    assert is_told == ("6789" in text)


@pytest.mark.parametrize(
    ("name", "greeting"),
    [
        ("Mbeki-Rowe, Beatriz", "Dear Beatriz Mbeki-Rowe,"),
        ("Holdings 2, LLC", "Dear Holdings 2, LLC,"),
        ("Ann O'Neil", "Dear Ann O'Neil,"),
    ],
)
def test_the_mail_greets_as_people_do(name, greeting):
    letter = replace(a_sample(), customer=name)

    assert greeting.removeprefix("Dear ").rstrip(",") == variables(letter)["customer_name"]


def test_a_second_attempt_has_the_same_bytes(database, send):
    a_run(database)
    an_account(database, addresses=["grey@x.example"])
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")
    made: list[bytes] = []

    def keep(rows):
        for message in bill_renderer(database)(rows):
            made.append(message.to_bytes())
            yield message

    with running(MailServer()) as server:
        mailer = a_mailer(server)
        send(mailer, render=keep)
        send(mailer, render=keep, now=NOW + timedelta(minutes=5))
        mailer.close()

    assert len(made) == 2
    assert made[0] == made[1] == server.accepted[0][2]


@pytest.mark.parametrize(
    ("failure", "counted"),
    [
        (FileNotFoundError(), SendCounts(failed=1)),
        (PermissionError(), SendCounts(deferred=1, mailed_nobody=True)),
    ],
)
def test_a_bill_document_that_cannot_be_read_is_written_to_its_delivery(
    database, send, tmp_path, failure, counted
):
    def read_pdf(path: str) -> bytes:
        raise failure

    a_run(database)
    an_account(database)
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")

    found = send(MailFolder(tmp_path), render=bill_renderer(database, read_pdf))

    assert counted == found
    assert "bill" in deliveries(database)[0].error


def test_a_list_of_addresses_is_no_address(database, send, tmp_path):
    a_run(database)
    an_account(database, addresses=["ann@x.example;bob@x.example", "jö rg@x.example"])
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")

    found = send(MailFolder(tmp_path), render=bill_renderer(database))

    assert SendCounts(failed=2) == found
