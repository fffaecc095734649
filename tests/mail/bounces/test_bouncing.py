"""What becomes of deliveries, mailboxes and bills when mails come back."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from database.books import Database
from database.tables import (
    audit,
    bounce,
    delivery,
    delivery_plan,
    metadata,
    paper,
    suppressed_address,
)
from domain.bounces import BounceKind
from domain.deliveries import DeliveryStatus, PaperReason
from domain.failures import Misuse
from mail.bounces.maildir import Maildir
from mail.bounces.processing import BounceBook, BounceCounts, record_refusals, settle_bounces
from mail.message.addresses import Verp
from mail.outbox.queueing import queue_bills
from mail.recipients.suppressed import (
    lift,
    lift_many,
    put_on_paper,
    soft_runs,
    suppressed_mailboxes,
    waiting_runs,
)
from mail.recipients.unsubscribed import is_unsubscribed
from tests.forked import forks, load_before_forks
from tests.mail.bounce_builders import (
    EXIM,
    QMAIL,
    Box,
    a_complaint,
    a_plain_bounce,
    a_report,
    a_vacation_reply,
    in_words,
)
from tests.mail.builders import NOW, RUN, a_run, an_account, deliveries

load_before_forks(__name__)

VERP = Verp("bounces@larkspur.example", b"s" * 32)
LATER = NOW + timedelta(hours=8)
ANN, BEN = "Ann@Customer.example", "ben@customer.example"


def given_mails(database: Database, *addresses: str, status=DeliveryStatus.SENT) -> None:
    """A closed run of one account whose bill has been mailed to these addresses."""
    a_run(database)
    an_account(database, addresses=addresses or (ANN,))
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")
    with database.writing() as books:
        books.execute(delivery.update().values(status=status, attempts=1, sent_at=NOW))


def sender(database: Database, address: str = ANN) -> str:
    return VERP.sender(row_of(database, address).key)


def row_of(database: Database, address: str = ANN) -> sa.Row:
    (row,) = [row for row in deliveries(database) if row.address == address]
    return row


def process(database: Database, *mails: bytes, verp: Verp | None = VERP, now=LATER) -> BounceCounts:
    return BounceBook(database, verp, now, "anna").process(Box(*mails))


def rows(database: Database, table: sa.Table) -> list[sa.Row]:
    with database.reading() as books:
        return list(books.execute(sa.select(table).order_by(*table.primary_key)))


def contents(database: Database) -> dict[str, list[tuple]]:
    return {
        table.name: [tuple(row) for row in rows(database, table)]
        for table in metadata.sorted_tables
    }


def test_a_mailbox_that_is_gone_fails_the_delivery_rests_and_the_bill_goes_on_paper(database):
    given_mails(database)

    found = process(database, a_report(to=sender(database)))

    assert BounceCounts(hard=1, suppressed=1, paper=1) == found
    row = row_of(database)
    assert (DeliveryStatus.FAILED, "bounced: 5.1.1", LATER) == (
        row.status,
        row.error,
        row.bounced_at,
    )
    (resting,) = rows(database, suppressed_address)
    assert ("ann@customer.example", "5.1.1 no such mailbox") == (resting.mailbox, resting.reason)
    assert (LATER, row.key) == (resting.since, resting.delivery_key)
    (waiting,) = rows(database, paper)
    assert ("01.1037.1", PaperReason.EBILL_BOUNCED, None) == (
        waiting.account, waiting.reason, waiting.part,
    )  # fmt: skip


def test_a_bounce_is_written_down_without_the_customers_address(database):
    given_mails(database)

    process(database, a_report(to=sender(database)))

    (found,) = rows(database, bounce)
    assert (BounceKind.HARD, "failed", "5.1.1") == (found.kind, found.action, found.status)
    assert "550 5.1.1 <(address)>: no such user (address) here" == found.diagnostic
    told = " ".join(str(tuple(row)) for row in rows(database, audit)).casefold()
    assert ("01.1037.1" in told, "ann" in told.replace("anna", "")) == (True, False)


def test_the_same_mail_again_changes_nothing(database):
    given_mails(database)
    report = a_report(to=sender(database))
    process(database, report)
    before = contents(database)

    again = process(database, report, now=LATER + timedelta(days=1))

    assert BounceCounts(before=1) == again
    assert before == contents(database)


def test_another_mailbox_that_took_the_bill_keeps_it_off_paper(database):
    given_mails(database, ANN, BEN)

    first = process(database, a_report(to=sender(database)))
    second = process(database, a_report(to=sender(database, BEN), number=2))

    assert (0, 1) == (first.paper, second.paper)
    assert 1 == len(rows(database, paper))


def test_a_bill_that_is_on_paper_anyway_is_not_printed_twice(database):
    given_mails(database)
    with database.writing() as books:
        books.execute(delivery_plan.update().values(paper=PaperReason.SEND_PAPER))

    found = process(database, a_report(to=sender(database)))

    assert (1, 0, []) == (found.hard, found.paper, rows(database, paper))


@pytest.mark.parametrize(
    ("report", "expected", "status"),
    [
        pytest.param(
            {"status": "4.4.7"}, BounceCounts(soft=1, paper=1), "failed", id="expired: once"
        ),
        pytest.param(
            {"status": "4.4.1", "action": "delayed"}, BounceCounts(delayed=1), "sent", id="late"
        ),
        pytest.param(
            {"status": "5.7.1", "diagnostic": "smtp; 550 5.7.1 spam"},
            BounceCounts(hard=1, policy=1, paper=1), "failed", id="policy",
        ),
        pytest.param({"status": "5.2.2", "diagnostic": "smtp; 552 5.2.2 full"},
            BounceCounts(hard=1, paper=1), "failed", id="full"),
        pytest.param(
            {"action": "delivered"}, BounceCounts(answers=1), "sent", id="success"
        ),
        pytest.param({"action": "exploded"}, BounceCounts(unknown=1), "sent", id="nobody knows"),
    ],
)  # fmt: skip
def test_what_comes_of(database, report, expected, status):
    given_mails(database)

    found = process(database, a_report(to=sender(database), **report))

    assert (expected, status) == (found, row_of(database).status)
    assert [] == rows(database, suppressed_address)


def test_three_runs_that_failed_softly_wear_a_mailbox_out_and_a_correction_forgets_them(database):
    months = ("2026-08", "2026-09", RUN)
    given_mails(database)
    with database.writing() as books:
        first = books.execute(sa.select(delivery)).mappings().one()
        for period in months[:2]:
            _add_run(books, period)
            changed = {"period": period, "key": f"bill/{period}/x", "message_id": f"<{period}@x>"}
            values = {k: v for k, v in first.items() if k != "token"}
            books.execute(delivery.insert().values(**values | changed))
    keys = [f"bill/{period}/x" for period in months[:2]] + [first["key"]]

    counts = [
        process(database, a_report("4.4.7", to=VERP.sender(key), number=number, diagnostic="x"))
        for number, key in enumerate([keys[0], keys[0], keys[1], keys[2]])
    ]
    resting = [row.reason for row in rows(database, suppressed_address)]
    lift(database, ANN.upper(), "mailbox emptied", now=LATER, who="anna")
    with database.writing() as books:
        books.execute(delivery.update().values(status=DeliveryStatus.SENT))
    after = process(database, a_report("4.4.7", to=VERP.sender(keys[2]), number=9, diagnostic="x"))

    assert [0, 0, 0, 1] == [found.suppressed for found in counts]
    assert ["4.4.7 failed in 3 runs"] == resting
    assert 0 == after.suppressed


def _add_run(books, period: str) -> None:
    from database.tables import bill_run, period_close

    row = dict(books.execute(sa.select(bill_run).where(bill_run.c.period == RUN)).mappings().one())
    books.execute(bill_run.insert().values(**row | {"period": period}))
    books.execute(period_close.insert().values(period=period, closed_at=NOW, closed_by="test"))


def test_what_waits_to_be_sent_to_a_mailbox_that_is_gone_is_not_sent(database):
    given_mails(database)
    with database.writing() as books:
        first = dict(books.execute(sa.select(delivery)).mappings().one())
        other = first | {"key": "past-due/x", "message_id": "<2@x>", "kind": "past-due"}
        other |= {"status": "deferred", "address": ANN.lower()}
        books.execute(delivery.insert().values(**{k: v for k, v in other.items() if k != "token"}))

    process(database, a_report(to=sender(database)))

    row = row_of(database, ANN.lower())
    assert (DeliveryStatus.FAILED, "suppressed: 5.1.1") == (row.status, row.error)


# -- whose bounce it is ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["envelope id", "Message-ID", "token"])
def test_without_signed_senders_a_bounce_is_known_by(database, name):
    given_mails(database)
    row = row_of(database)
    facts = {
        "envelope id": {"envelope_id": row.message_id.strip("<>").replace("+", "+2B")},
        "Message-ID": {"message_id": row.message_id},
        "token": {"envelope_id": row.token},
    }[name]

    found = process(database, a_report(**facts), verp=None)

    assert (1, DeliveryStatus.FAILED) == (found.hard, row_of(database).status)


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(lambda row: {"message_id": row.message_id}, id="by the Message-ID"),
        pytest.param(lambda row: {"envelope_id": row.token}, id="by the token without signature"),
        pytest.param(
            lambda row: {"to": Verp("bounces@larkspur.example", b"t" * 32).sender(row.key),
                         "message_id": row.message_id},
            id="by a signature of another secret",
        ),
    ],
)  # fmt: skip
def test_nobody_can_forge_a_bounce(database, forged):
    given_mails(database)

    found = process(database, a_report(**forged(row_of(database))))

    assert BounceCounts(unknown=1) == found
    assert DeliveryStatus.SENT == row_of(database).status
    assert ([], []) == (rows(database, suppressed_address), rows(database, paper))
    (kept,) = rows(database, bounce)
    assert (row_of(database).key, BounceKind.UNKNOWN) == (kept.delivery_key, kept.kind)


def test_a_bounce_of_nobody_knows_what_is_kept_for_a_person(database):
    given_mails(database)

    found = process(database, a_report(to="bounces@larkspur.example"))

    assert BounceCounts(unknown=1) == found
    (kept,) = rows(database, bounce)
    assert (None, BounceKind.UNKNOWN, None) == (kept.delivery_key, kept.kind, kept.settled_at)


def test_a_bounce_in_words_is_named_by_its_token_and_left_to_a_person(database):
    given_mails(database)

    found = process(database, a_plain_bounce(to=sender(database)))

    assert BounceCounts(unknown=1) == found
    (kept,) = rows(database, bounce)
    assert (row_of(database).key, "none") == (kept.delivery_key, kept.action)


@pytest.mark.parametrize(
    ("text", "status", "counts"),
    [
        pytest.param(QMAIL, "5.1.1", BounceCounts(hard=1, paper=1), id="for good"),
        pytest.param(EXIM, "4.0.0", BounceCounts(soft=1, paper=1), id="for now"),
    ],
)
def test_a_bounce_in_words_fails_its_mail_and_suppresses_nobody(database, text, status, counts):
    given_mails(database)

    assert counts == process(database, in_words(text, to=sender(database)))
    assert (DeliveryStatus.FAILED, f"bounced: {status}") == (
        row_of(database).status,
        row_of(database).error,
    )
    assert [("in-words", status)] == [(row.action, row.status) for row in rows(database, bounce)]
    assert [] == rows(database, suppressed_address)


@pytest.mark.parametrize("verp", [VERP, None])
def test_a_bounce_in_words_without_our_signature_is_left_to_a_person(database, verp):
    given_mails(database)
    stranger = in_words(QMAIL + f"Message-ID: {row_of(database).message_id}\n")

    assert BounceCounts(unknown=1) == process(database, stranger, verp=verp)
    assert DeliveryStatus.SENT == row_of(database).status


def test_three_bounces_in_words_wear_no_mailbox_out(database):
    given_mails(database)
    with database.writing() as books:
        for number in range(5):
            values = dict(zip(bounce.c.keys(), [None] * 99, strict=False)) | {
                "id": str(number), "received_at": NOW, "processed_at": NOW, "action": "in-words",
                "delivery_key": row_of(database).key, "status": "4.0.0", "kind": BounceKind.SOFT,
                "diagnostic": "",
            }  # fmt: skip
            books.execute(bounce.insert().values(values))

        assert 0 == soft_runs(books, ANN.casefold())


def test_who_calls_a_mail_spam_gets_no_communications_any_more_and_still_the_bills(database):
    given_mails(database)

    found = process(database, a_complaint(to=sender(database)))

    assert BounceCounts(complaints=1) == found
    assert is_unsubscribed(database, ANN.casefold())
    assert DeliveryStatus.SENT == row_of(database).status
    assert [] == rows(database, suppressed_address) == rows(database, paper)
    assert [BounceKind.COMPLAINT] == [row.kind for row in rows(database, bounce)]
    assert ("unsubscribe", "01.1037.1") in [
        (row.action, row.subject) for row in rows(database, audit)
    ]


def test_nobody_can_forge_a_complaint(database):
    given_mails(database)

    found = process(database, a_complaint(to="bounces@larkspur.example"))

    assert BounceCounts(unknown=1) == found
    assert not is_unsubscribed(database, ANN.casefold())


def test_what_is_left_to_a_person_says_whom_it_is_about_and_how_it_begins(database):
    given_mails(database)
    box = Box(a_report(to="bounces@larkspur.example"))

    BounceBook(database, VERP, LATER, "anna").process(box)

    (kept,) = rows(database, bounce)
    assert ("ann@customer.example", "0") == (kept.recipient, kept.file_name)
    assert ("MAILER-DAEMON", "Undelivered Mail") == (kept.sender[:13], kept.subject[:16])
    assert kept.first_lines.startswith("I'm sorry")


def test_an_automatic_answer_is_counted_and_nothing_else(database):
    given_mails(database)
    before = contents(database)

    assert BounceCounts(answers=1) == process(database, a_vacation_reply(to=sender(database)))
    assert before == contents(database)


def test_a_bounce_that_overtakes_the_mark_waits_for_it(database):
    given_mails(database, status=DeliveryStatus.SENDING)
    box = Box(a_report(to=sender(database)))

    found = BounceBook(database, VERP, LATER, "anna").process(box)

    assert (BounceCounts(left=1), []) == (found, box.read)
    assert [] == rows(database, bounce)


# -- what is refused while it is sent -------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("550 5.1.1 <(address)>: no such user", BounceCounts(hard=1, suppressed=1, paper=1)),
        ("550 no such user", BounceCounts(hard=1, suppressed=1, paper=1)),
        ("550 5.4.4 host not found", BounceCounts(hard=1, suppressed=1, paper=1)),
        ("550 5.1.0 sending rate exceeded", BounceCounts(hard=1, paper=1)),
        ("550 mailbox over quota", BounceCounts(hard=1, paper=1)),
        ("554 5.7.1 spam", BounceCounts(hard=1, policy=1, paper=1)),
        ("450 4.2.0 greylisted", BounceCounts(soft=1, paper=1)),
        ("the bill document is not in the bill store", BounceCounts(paper=1)),
    ],
)
def test_a_refusal_at_sending_has_the_consequences_of_a_bounce_once(database, error, expected):
    given_mails(database, status=DeliveryStatus.FAILED)
    with database.writing() as books:
        books.execute(delivery.update().values(error=error))

    found = [record_refusals(database, RUN, now=LATER, who="anna") for _ in range(2)]

    assert [expected, BounceCounts()] == found
    assert error == row_of(database).error


def test_a_lifted_suppression_stays_lifted_though_the_old_refusal_is_still_there(database):
    given_mails(database, status=DeliveryStatus.FAILED)
    with database.writing() as books:
        books.execute(delivery.update().values(error="550 5.1.1 gone"))
    record_refusals(database, now=LATER, who="anna")

    lift(database, ANN, "typing mistake of the mail server", now=LATER, who="anna")
    record_refusals(database, now=LATER, who="anna")

    assert [] == rows(database, suppressed_address)


# -- what people do -------------------------------------------------------------------------------


def test_a_lifted_address_is_written_to_again_and_the_audit_says_who_and_why(database):
    given_mails(database)
    process(database, a_report(to=sender(database)))

    account = lift(database, " ANN@customer.EXAMPLE", "customer called", now=LATER, who="anna")

    with database.reading() as books:
        assert frozenset() == suppressed_mailboxes(books)
    assert "01.1037.1" == account
    last = rows(database, audit)[-1]
    assert ("anna", "lift suppression", "01.1037.1", "customer called") == (
        last.who, last.action, last.subject, last.detail,
    )  # fmt: skip


@pytest.mark.parametrize(
    "chosen",
    [{"since": LATER}, {"period": RUN}, {"since": LATER, "period": RUN}],
    ids=["since", "period", "both"],
)
def test_all_that_a_bad_night_suppressed_is_lifted_at_once(database, chosen):
    given_mails(database, ANN, BEN)
    gone = [a_report(to=sender(database, each), number=n) for n, each in enumerate((ANN, BEN))]
    process(database, *gone)

    accounts = lift_many(database, "it was the relay", now=LATER, who="anna", **chosen)

    assert ["01.1037.1"] * 2 == accounts
    with database.reading() as books:
        assert frozenset() == suppressed_mailboxes(books)
    acts = [row.detail for row in rows(database, audit) if row.action == "lift suppression"]
    assert ["it was the relay"] * 2 == acts
    assert {LATER} == {row.settled_at for row in rows(database, bounce)}


@pytest.mark.parametrize("chosen", [{"since": LATER + timedelta(hours=1)}, {"period": "2026-09"}])
def test_nothing_else_is_lifted_with_it(database, chosen):
    given_mails(database)
    process(database, a_report(to=sender(database)))

    with pytest.raises(Misuse, match="No address was suppressed then"):
        lift_many(database, "it was the relay", now=LATER, who="anna", **chosen)

    assert 1 == len(rows(database, suppressed_address))


def test_several_bounces_are_settled_at_once_or_none(database):
    given_mails(database, ANN, BEN)
    process(
        database,
        a_plain_bounce(to=sender(database)),
        in_words("It was not delivered.", to=sender(database, BEN)),
    )
    identities = [row.id for row in rows(database, bounce)]

    with pytest.raises(Misuse, match="names no bounce"):
        settle_bounces(database, [*identities, "ffffff"], "x", failed=True, now=LATER, who="anna")
    untouched = {row.settled_at for row in rows(database, bounce)}
    settled = settle_bounces(database, identities, "x", failed=True, now=LATER, who="anna")

    assert ({None}, 2) == (untouched, len(settled))
    assert 1 == len(rows(database, paper))


def test_an_address_that_is_not_suppressed_cannot_be_lifted_and_is_not_repeated(database):
    with pytest.raises(Misuse, match="not suppressed") as refused:
        lift(database, "nobody@x.example", "why not", now=LATER, who="anna")

    assert "nobody" not in refused.value.message


@pytest.mark.parametrize(("failed", "on_paper"), [(True, 1), (False, 0)])
def test_a_person_settles_what_nobody_could_judge(database, failed, on_paper):
    given_mails(database)
    process(database, a_plain_bounce(to=sender(database)))
    (kept,) = rows(database, bounce)

    (account,) = settle_bounces(
        database, [kept.id[:12]], "read it", failed=failed, now=LATER, who="anna"
    )  # fmt: skip

    assert ("01.1037.1", LATER) == (account, rows(database, bounce)[0].settled_at)
    assert on_paper == len(rows(database, paper))
    assert (row_of(database).status == DeliveryStatus.FAILED) is failed


@pytest.mark.parametrize("identity", ["", "%", "0" * 64])
def test_only_a_bounce_that_waits_can_be_settled(database, identity):
    given_mails(database)
    process(database, a_plain_bounce(to=sender(database)))

    with pytest.raises(Misuse, match="names no bounce"):
        settle_bounces(database, [identity], "x", failed=False, now=LATER, who="anna")


def test_a_bill_that_no_mailbox_took_is_queued_for_print_once(database):
    given_mails(database, status=DeliveryStatus.FAILED)

    with database.writing() as books:
        queued = [put_on_paper(books), put_on_paper(books, RUN, "0110371"), waiting_runs(books)]

    assert [1, 0, {RUN: 1}] == queued


# -- a kill ---------------------------------------------------------------------------------------


class Killed(Maildir):
    """A Maildir whose process is killed when the first mail has been committed."""

    def mark_read(self, mail) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def _process_and_die(url: str, folder: str) -> None:
    BounceBook(Database(url), VERP, LATER, "anna").process(Killed(Path(folder)))


def test_a_kill_between_the_commit_and_moving_the_mail_does_no_harm(database, tmp_path):
    given_mails(database, ANN, BEN)
    box = tmp_path / "box"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    (box / "new/1").write_bytes(a_report(to=sender(database)))
    (box / "new/2").write_bytes(a_report(to=sender(database, BEN), number=2))
    url = database.engine.url.render_as_string(hide_password=False)
    child = forks().Process(target=_process_and_die, args=(url, str(box)))
    child.start()
    child.join(60)
    committed = len(rows(database, bounce))

    found = BounceBook(database, VERP, LATER, "anna").process(Maildir(box))

    assert (-signal.SIGKILL, 1) == (child.exitcode, committed)
    assert BounceCounts(before=1, hard=1, suppressed=1, paper=1) == found
    assert ["1:2,S", "2:2,S"] == sorted(path.name for path in (box / "cur").iterdir())
    assert (2, 1) == (len(rows(database, bounce)), len(rows(database, paper)))
