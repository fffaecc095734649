"""Texts to many begun in the same instant, and killed in the middle: capped, and each once."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import sqlalchemy as sa

from database.books import Database
from database.definitions.texts import mass_text, text_message
from database.tables import audit
from domain.failures import Refused
from domain.identity import LinkProof, UserState
from identity.account_links import add_link
from identity.users import make_user
from mail.communications.audience import Audience, AudienceKind
from mail.texts.consents import agree
from mail.texts.embedded import TextFolder
from office.procedures.texting import announcing
from office.procedures.texting.announcing import make_text_request, send_mass_text, send_test_text
from office.procedures.texting.sending import send_texts
from office.secrets.files import make_secret
from office.settings.texts import TextsSettings
from tests.builders import NOW, a_household, close_run, stage_run
from tests.forked import forks, load_before_forks
from tests.office.health_builders import an_office_at

load_before_forks(__name__)
READERS = 12
MEETING = 0.5  # seconds that somebody who has counted waits for another one to count, too
WITHIN = 120


@pytest.fixture
def town(database, tmp_path):
    """Twelve customers who agreed to texts with news."""
    make_secret(tmp_path)
    keys = [f"{number:02}" for number in range(1, READERS + 1)]
    stage_run(database, *(a_household(key, email=f"c{key}@portal.example") for key in keys))
    close_run(database)
    with database.writing() as books:
        for key in keys:
            user = make_user(
                books, f"c{key}@portal.example", NOW, UserState.ACTIVE, phone=f"43555501{key}"
            )
            add_link(books, user, key, LinkProof.NAME, NOW, "the customer")
            agree(books, user, f"+143555501{key}", "I agree.", NOW, news=True)
    return database


def at(home, database, hour: str = "2026-11-03T10:00", **texts):
    return an_office_at(home, database, hour, texts=TextsSettings(**texts))


def request(words: str):
    return make_text_request(words, "", Audience.of(AudienceKind.CUSTOMERS))


def recorded(database) -> tuple[int, int]:
    """Return how many texts to many are in the books, and how many texts of them."""
    with database.reading() as books:
        counts = [
            books.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (mass_text, text_message)
        ]
    return counts[0], counts[1]


def phones_texted(home) -> Counter[str]:
    files = (home / "texts").glob("communication-*.txt")
    return Counter(file.read_text("utf-8").partition("\n")[0] for file in files)


def meeting(monkeypatch) -> None:
    """Let whoever has counted wait for the others to count, before anything is recorded."""
    both, record = threading.Barrier(2), announcing.record_mass_text

    def wait_and_record(*given, **named):
        with suppress(threading.BrokenBarrierError):  # nobody else could count: that is the point
            both.wait(MEETING)
        return record(*given, **named)

    monkeypatch.setattr(announcing, "record_mass_text", wait_and_record)


def tried(office, words: str) -> str:
    try:
        return f"recorded {send_mass_text(office, request(words), READERS).phones}"
    except Refused as refused:
        return refused.code


def test_two_begun_in_the_same_instant_do_not_pass_the_days_cap(town, tmp_path, monkeypatch):
    office = at(tmp_path, town, most_a_day=READERS + 3)
    meeting(monkeypatch)

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda words: tried(office, words), ("No water.", "New rates.")))

    assert ["recorded 12", "too-many-texts"] == sorted(ends)
    assert (1, READERS) == recorded(town)


def test_the_same_text_twice_in_the_same_instant_is_one_text(town, tmp_path, monkeypatch):
    office = at(tmp_path, town, most_a_day=READERS + 3)
    meeting(monkeypatch)

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda _: tried(office, "No water."), range(2)))

    assert ["recorded 12"] * 2 == ends
    assert (1, READERS) == recorded(town)


def send_some(url: str, home, words: str, gate) -> None:
    """Send one text to many from a process of its own, once all of them are there."""
    office = at(home, Database(url), most_a_day=2 * READERS)
    gate.wait(WITHIN)
    tried(office, words)


def test_many_processes_at_once_keep_within_the_cap(town, tmp_path):
    gate = forks().Barrier(4)
    processes = [
        forks().Process(target=send_some, args=(town.url, tmp_path, f"Text {number}.", gate))
        for number in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(WITHIN)

    assert [0] * 4 == [process.exitcode for process in processes]
    assert (2, 2 * READERS) == recorded(town)


def test_ten_tests_a_day_are_the_most_in_the_same_instant_too(town, tmp_path):
    office = at(tmp_path, town)

    def test_once(number: int) -> str:
        try:
            send_test_text(office, request("No water."), f"43555502{number:02}")
        except Refused as refused:
            return refused.code
        return "sent"

    with ThreadPoolExecutor(8) as pool:
        ends = Counter(pool.map(test_once, range(24)))

    assert {"sent": announcing.MOST_TRIES, "too-often": 24 - announcing.MOST_TRIES} == ends


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def record_and_die(url: str, home, moment: str) -> None:
    """Begin a text to many and be killed: before its rows, after them, or once all is committed."""
    office = at(home, Database(url))
    original = announcing.record_mass_text

    def killed(*given, **named):
        if moment == "counted":
            die()
        made = original(*given, **named)
        if moment == "recorded":
            die()
        return made

    announcing.record_mass_text = killed
    send_mass_text(office, request("No water."), READERS)
    die()


def send_and_die(url: str, home, after: int) -> None:
    """Send what is due and be killed once so many have left, the others in whatever state."""
    office = at(home, Database(url))
    lock, left, original = threading.Lock(), [after], TextFolder.send

    def killed(self, text):
        with lock:  # one after the other: so many files are whole, and no other is begun
            if left[0] == 0:
                die()
            left[0] -= 1
            return original(self, text)

    TextFolder.send = killed
    send_texts(office)


def killed(target, *args) -> None:
    process = forks().Process(target=target, args=args)
    process.start()
    process.join(WITHIN)
    assert -signal.SIGKILL == process.exitcode


@pytest.mark.parametrize("moment", ["counted", "recorded", "committed"])
def test_killed_while_it_is_recorded_all_or_nothing_is_there_and_again_is_once(
    town, tmp_path, moment
):
    killed(record_and_die, town.url, tmp_path, moment)
    assert ((1, READERS) if moment == "committed" else (0, 0)) == recorded(town)
    office = at(tmp_path, town)

    again = send_mass_text(office, request("No water."), READERS)
    sent = send_texts(office)

    assert (READERS, READERS, (1, READERS)) == (again.phones, sent.sent, recorded(town))
    assert {1} == set(phones_texted(tmp_path).values())
    with town.reading() as books:
        acts = books.scalars(sa.select(audit.c.action)).all()
    assert 1 == acts.count("text many")


@pytest.mark.parametrize("after", [0, 1, 5, READERS - 1])
def test_killed_in_the_middle_of_the_sending_nobody_gets_it_twice_and_nobody_is_forgotten(
    town, tmp_path, after, monkeypatch
):
    send_mass_text(at(tmp_path, town), request("No water."), READERS)
    killed(send_and_die, town.url, tmp_path, after)
    before = phones_texted(tmp_path)
    handed: Counter[str] = Counter()
    original = TextFolder.send

    def counted(self, text):
        handed[text.phone] += 1
        return original(self, text)

    monkeypatch.setattr(TextFolder, "send", counted)
    for hour in ("10:20", "10:40", "11:00", "11:20"):
        send_texts(at(tmp_path, town, f"2026-11-03T{hour}"))

    assert after == len(before)
    assert READERS == len(phones_texted(tmp_path))
    assert set() == before.keys() & handed.keys()
    assert {1} == set(handed.values())
    with town.reading() as books:
        assert {"sent"} == set(books.scalars(sa.select(text_message.c.status)))
