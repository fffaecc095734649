"""Mass mails: whom they reach, once each, whatever happens between the yes and the last mail."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database.tables import account_email, delivery, mass_mailing
from domain.accounts import AccountStatus
from domain.deliveries import DeliveryStatus
from domain.failures import Misuse, Refused
from mail.communications.audience import Audience, AudienceKind
from mail.communications.mailings import (
    MassLetters,
    MassMailRequest,
    count_mailboxes,
    find_mailing,
    record_mailing,
    write_down_readers,
)
from mail.communications.posted import PdfFile
from mail.communications.queueing import SendSchedule, next_turn, reschedule_overdue
from mail.letters.samples import sample_pdf
from splitter.store.bill_store import BillStore
from tests.builders import NOW, a_household, close_run, empty, few_examples, stage_run
from tests.mail.mass_builders import (
    ALL,
    PORTAL,
    TODAY,
    a_mailing,
    a_town,
    enter_links,
    enter_portal_users,
    found,
    outbox,
    queue,
    statements,
    unsubscribe_mailbox,
)
from tests.mail.reminder_builders import suppress_mailbox
from tests.release import so_many

ANN = a_household("01.1", email="Ann@x.example;bad", zip="84840", city="Larkspur")
BEN = a_household("01.2", email="ben@x.example", links=(("ANN@x.example", True),), zip="84841")
COLE = a_household("01.3", email="", cosigner_id="9", zip="84840", ebill=False)
GONE = a_household("01.4", email="gone@x.example", status=AccountStatus.CLOSED)
MUTE = a_household("01.5", email="")
LANDLORDS = [("9", "landlord@x.example")]


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def town(database):
    a_town(database, ANN, BEN, COLE, GONE, MUTE, landlords=LANDLORDS)
    return database


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "bills"


def to(kind: str, *values: str) -> Audience:
    return Audience.of(AudienceKind(kind), values)


def reached(resolved) -> dict[str, str]:
    return {one.recipient.mailbox: one.account for one in resolved.readers}


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        pytest.param(
            ALL,
            {"ann@x.example": "01.1", "ben@x.example": "01.2", "landlord@x.example": "01.3"},
            id="all customers",
        ),
        pytest.param(PORTAL, {"ann@x.example": "01.2"}, id="portal users"),
        pytest.param(
            to("where", "zip=84840"),
            {"ann@x.example": "01.1", "landlord@x.example": "01.3"},
            id="a ZIP code",
        ),
        pytest.param(
            to("where", "zip=8484*", "ebill=no"), {"landlord@x.example": "01.3"}, id="two columns"
        ),
        pytest.param(
            to("where", "zip=84841", "zip=84840", "city=LARKSPUR"),
            {"ann@x.example": "01.1"},
            id="two values of a column",
        ),
        pytest.param(to("where", "zip=848_0"), {}, id="no other wildcards"),
        pytest.param(
            to("accounts", "0-1-2"),
            {"ben@x.example": "01.2", "ann@x.example": "01.2"},
            id="one account, however it is written",
        ),
        pytest.param(to("accounts", "01.4"), {}, id="a closed account"),
        pytest.param(
            to("addresses", "BEN@x.example", "new@x.example", "gone@x.example"),
            {"ben@x.example": "01.2", "new@x.example": "", "gone@x.example": ""},
            id="addresses, known or not",
        ),
    ],
)
def test_an_audience_comes_to_these_mailboxes(town, audience, expected):
    """Rule 109."""
    assert expected == reached(found(town, audience))


def test_who_cannot_be_reached_is_counted(town):
    suppress_mailbox(town, "ben@x.example")
    unsubscribe_mailbox(town, "ann@x.example")
    resolved = found(town, ALL, to_landlords=False)

    assert ({}, 2) == (reached(resolved), resolved.unreachable)
    assert {"suppressed": 1, "unsubscribed": 1} == dict(resolved.left_out)


@pytest.mark.parametrize(
    ("audience", "what"),
    [
        pytest.param(to("where", "zip"), "COLUMN=VALUE", id="no value"),
        pytest.param(to("where", "name=Ann"), "COLUMN=VALUE", id="a column that is not offered"),
        pytest.param(to("where", "ebill=perhaps"), "ebill=true", id="no flag"),
        pytest.param(to("where", "status=closed"), "active or final", id="closed accounts"),
        pytest.param(to("accounts", "77"), "no account 77", id="an unknown account"),
        pytest.param(to("addresses", "a@x.example;b@x.example"), "not valid", id="two in one"),
    ],
)
def test_an_audience_that_cannot_be_is_misuse(town, audience, what):
    with pytest.raises(Misuse, match=what):
        found(town, audience)


def test_nobody_is_written_to_before_a_period_is_closed(database):
    stage_run(database, ANN)

    with pytest.raises(Misuse, match="close one first") as refused:
        found(database, ALL)

    assert "no-closed-period" == refused.value.code


NAMES = st.sampled_from(["a", "A", "b", "B", "c", "ß", "ẞ"])
HOUSES = st.lists(
    st.tuples(
        st.lists(NAMES, max_size=3), st.lists(NAMES, max_size=2, unique_by=str.casefold),
        st.booleans(), st.sampled_from(["", "9"]),
    ),
    max_size=6,
)  # fmt: skip


def usable(users: list[str]) -> set[str]:
    """The mailboxes of portal users whose address is one; a sharp s before the @ is none."""
    return {f"{name.casefold()}@x.example" for name in users if name not in "ßẞ"}


@few_examples
@given(HOUSES, st.frozensets(NAMES), st.frozensets(NAMES), st.booleans())
def test_the_audience_is_the_set_that_the_rules_say(
    database, houses, suppressed, unsubscribed, to_landlords
):
    empty(database)
    town = [
        a_household(
            f"01.{place}",
            email=";".join(f"{name}@x.example" for name in record),
            links=tuple((f"{name}@x.example", False) for name in users),
            status=AccountStatus.CLOSED if is_closed else AccountStatus.ACTIVE,
            cosigner_id=cosigner,
        )
        for place, (record, users, is_closed, cosigner) in enumerate(houses)
    ]
    a_town(database, *town, landlords=LANDLORDS)
    for name in {name.casefold() for name in suppressed}:
        suppress_mailbox(database, f"{name}@x.example")
    for name in {name.casefold() for name in unsubscribed}:
        unsubscribe_mailbox(database, f"{name}@x.example")

    customers, portal = found(database, ALL, to_landlords=to_landlords), found(database, PORTAL)

    out = {f"{name.casefold()}@x.example" for name in suppressed | unsubscribed}
    users = {mailbox for _, users, *_ in houses for mailbox in usable(users)}
    known = {
        mailbox
        for record, users, is_closed, _ in houses
        for mailbox in (*(f"{name.casefold()}@x.example" for name in record), *usable(users))
        if not is_closed
    }
    if to_landlords and any(cosigner and not closed for *_, closed, cosigner in houses):
        known.add("landlord@x.example")
    assert known - out == set(reached(customers))
    assert users - out == set(reached(portal))
    assert len(reached(customers)) == len(customers.readers)


def test_very_many_mailboxes_take_as_many_queries_as_few(database):
    # SQLite takes 32,766 values in a statement; PostgreSQL is slow, and has no such limit here.
    number_of_users = so_many(33_000 if database.is_sqlite else 2_000, release=50_000)
    stage_run(database, ANN, *(a_household(f"02.{n}", email=f"c{n}@x.example") for n in range(400)))
    close_run(database)
    with statements(database) as few:
        assert 401 == len(found(database, ALL).readers)
    users = {f"u{number}@x.example": f"U{number}@x.example" for number in range(number_of_users)}
    enter_portal_users(database, users)
    enter_links(database, [(ANN.key, address) for address in users.values()])
    with statements(database) as many:
        assert number_of_users + 401 == len(found(database, ALL).readers)
    with statements(database) as portal:
        resolved = found(database, PORTAL)

    assert (number_of_users, {"01.1"}) == (len(resolved.readers), set(reached(resolved).values()))
    assert len(few) == len(many) <= 10
    assert len(portal) <= 10


def test_the_same_request_is_one_mailing_and_another_day_another_one(town, store):
    ask = MassMailRequest("Leaves", "Hello.", to("accounts", "01-1"))
    same = MassMailRequest("Leaves", "Hello.", to("accounts", "01.1"))
    book = BillStore(store)
    facts = {"now": NOW, "who": "anna"}
    numbers = [
        record_mailing(town, book, request, today=day, **facts).number
        for request, day in ((ask, TODAY), (same, TODAY), (ask, TODAY + timedelta(1)))
    ]

    assert [1, 1, 2] == numbers


def test_a_mailing_that_was_cut_short_before_midnight_goes_on_after_it(town, store):
    request = MassMailRequest("Leaves", "Hello.", ALL)
    mailing = a_mailing(town, store)
    tomorrow = TODAY + timedelta(1)
    before_queueing = find_mailing(town, request, tomorrow)
    queue(town)
    while_sending = find_mailing(town, request, tomorrow)
    with town.writing() as books:
        books.execute(delivery.update().values(status=DeliveryStatus.SENT))

    assert [1, 1] == [one and one.number for one in (before_queueing, while_sending)]
    assert mailing.number == 1
    assert find_mailing(town, request, tomorrow) is None


def test_a_wrong_count_is_refused_and_nothing_is_written_down(town, store):
    mailing = record_mailing(
        town,
        BillStore(store),
        MassMailRequest("Leaves", "Hello.", ALL),
        today=TODAY,
        now=NOW,
        who="anna",
    )
    facts = {"to_landlords": True, "token_of": lambda _: None, "now": NOW, "who": "anna"}

    with pytest.raises(Refused, match="3 mailboxes would be written to, not 4") as refused:
        write_down_readers(town, mailing.number, 4, **facts)
    nobody = count_mailboxes(town, mailing.number)
    write_down_readers(town, mailing.number, 3, **facts)
    with pytest.raises(Refused, match="3 mailboxes"):
        write_down_readers(town, mailing.number, 2, **facts)

    assert ("wrong-count", 0) == (refused.value.code, nobody)
    assert 3 == count_mailboxes(town, mailing.number)


def test_mailboxes_stand_once_they_are_written_down(town, store):
    a_mailing(town, store)
    with town.writing() as books:
        books.execute(account_email.delete())  # as if everybody had moved away

    assert 3 == queue(town)


def test_a_kill_at_any_statement_loses_nobody_and_doubles_nobody(database, store):
    a_town(database, *(a_household(f"02.{n}", email=f"c{n}@x.example") for n in range(7)))
    kills = 0
    for at in range(1, 60):
        with database.writing() as books:
            books.execute(delivery.delete())
            books.execute(mass_mailing.update().values(queued_until=None, queued_at=None))
        a_mailing(database, store)
        left = at

        def die(_statement: str) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise Killed

        try:
            with statements(database, die):
                queue(database, chunk=2, per_minute=60)
        except Killed:
            kills += 1
        else:
            break
        queue(database, chunk=2, per_minute=60)

        rows = outbox(database)
        assert {f"c{n}@x.example" for n in range(7)} == {row.address for row in rows}
        assert 7 == len(rows)
        assert 0 == queue(database, chunk=2, per_minute=60)

    assert kills > 20


def test_who_unsubscribes_or_bounces_before_it_is_queued_is_passed_over(town, store):
    a_mailing(town, store)
    unsubscribe_mailbox(town, "ann@x.example")
    suppress_mailbox(town, "ben@x.example")

    assert 1 == queue(town)
    assert ["landlord@x.example"] == [row.address for row in outbox(town)]


def test_a_limit_gives_every_mail_its_turn(database):
    stage_run(database, *(a_household(f"02.{n:02}", email=f"c{n:02}@x.example") for n in range(30)))
    close_run(database)
    a_mailing(database, Path("/nowhere"))
    queue(database, per_minute=60, chunk=7)

    waits = [(row.next_try_at - NOW).total_seconds() for row in outbox(database)]
    for second in waits:
        assert sum(second <= other < second + 60 for other in waits) <= 60
        assert sum(second <= other < second + 10 for other in waits) <= 10
    assert (0, 40) == (min(waits), max(waits))
    assert NOW == next_turn(database, 1)


def test_another_mailing_takes_the_turns_after(town, store):
    a_mailing(town, store)
    queue(town, per_minute=1)
    a_mailing(town, store, body="Something else.")
    queue(town, 2, per_minute=1)

    waits = [(row.form, (row.next_try_at - NOW).total_seconds()) for row in outbox(town)]
    assert [("communication-1", at) for at in (0.0, 60.0, 120.0)] == waits[:3]
    assert [("communication-2", at) for at in (180.0, 240.0, 300.0)] == waits[3:]


def test_after_an_outage_the_turns_are_taken_anew(town, store):
    a_mailing(town, store)
    queue(town, per_minute=1)
    too_few = reschedule_overdue(town, SendSchedule(1), NOW)
    later = NOW + timedelta(hours=2)
    moved = reschedule_overdue(town, SendSchedule(1), later)

    waits = [(row.next_try_at - later).total_seconds() for row in outbox(town)]
    assert (0, 3, [0, 60, 120]) == (too_few, moved, waits)
    assert 0 == reschedule_overdue(town, SendSchedule(0), later)


@pytest.mark.parametrize("per_minute", [1, 5, 6, 7, 100, 1_000])
def test_no_minute_holds_more_than_the_limit(per_minute):
    schedule = SendSchedule(per_minute)
    seconds = [
        (schedule.after(NOW, before) - NOW).total_seconds() for before in range(3 * per_minute)
    ]

    assert seconds == sorted(seconds)
    for start in set(seconds):
        in_a_minute = sum(start <= one < start + 59.999 for one in seconds)
        assert in_a_minute <= per_minute


def test_the_letters_are_found_by_their_form_with_what_is_attached(town, store):
    """Rule 110."""
    pdf = PdfFile("leaflet.pdf", sample_pdf(), 1)
    mailing = a_mailing(town, store, body="One.\n\nTwo.", attachment=pdf)
    letters = MassLetters(town, BillStore(store).read, lambda _number: "")
    by_form, newest = letters("communication-1"), letters("communication")

    assert by_form == newest and by_form is not None
    assert ("Leaves", ("One.", "Two."), "") == (by_form.title, by_form.paragraphs, by_form.link)
    assert by_form.attachment and sample_pdf() == by_form.attachment.content
    assert [None, None] == [letters(form) for form in ("communication-9", "communication-x")]
    assert mailing.attachment_path.startswith("communications/mailing-1-")
