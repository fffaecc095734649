"""One text to many: consent, quiet hours, STOP, one a phone, a cap a day, what it costs (111)."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from command_line.commands.mass_text import announce
from database.books import Database
from database.definitions.texts import mass_text, text_message
from database.tables import audit, unsubscribed_address
from domain.failures import Misuse, Refused
from domain.identity import LinkProof, UserState
from domain.languages import SPANISH
from domain.texts import count_segments
from identity.account_links import add_link
from identity.users import keep_language, make_user
from mail.communications.audience import Audience, AudienceKind
from mail.texts.consents import agree, stop_phone, take_back
from office.procedures.texting.announcing import (
    make_text_request,
    plan_text,
    send_mass_text,
    send_test_text,
    take_back_text,
)
from office.procedures.texting.sending import has_due_texts, send_texts
from office.secrets.files import make_secret
from office.settings.texts import TextsSettings
from tests.builders import NOW, a_household, close_run, stage_run
from tests.office.health_builders import an_office_at

WORDS, SPANISH_WORDS = "Water is off on Friday, 9 to 12.", "El viernes no hay agua, de 9 a 12."
ALL = Audience.of(AudienceKind.CUSTOMERS)


def a_reader(database, name, phone, key, *, news=True, language="en") -> int:
    with database.writing() as books:
        address = f"{name}@portal.example"
        user = make_user(books, address, NOW, UserState.ACTIVE, phone=phone)
        add_link(books, user, key, LinkProof.NAME, NOW, "the customer")
        agree(books, user, f"+1{phone}", "I agree.", NOW, news=news)
        keep_language(books, user, language)
    return user


@pytest.fixture
def town(empty_sqlite, tmp_path):
    """Ann and Bea agreed to texts, Bea reads Spanish; Cal has a mailbox alone."""
    shutil.copy(empty_sqlite, tmp_path / "billclose.db")
    database = Database(f"sqlite:///{tmp_path / 'billclose.db'}")
    make_secret(tmp_path)
    people = (("1", "ann"), ("2", "bea"), ("3", "cal"))
    stage_run(database, *(a_household(key, email=f"{who}@portal.example") for key, who in people))
    close_run(database)
    a_reader(database, "ann", "4355550101", "1")
    a_reader(database, "bea", "4355550102", "2", language=SPANISH)
    yield database
    database.close()


def at(tmp_path, database, hour: str = "2026-11-03T10:00", **texts):
    return an_office_at(tmp_path, database, hour, texts=TextsSettings(**texts))


def request(words=WORDS, spanish=SPANISH_WORDS, audience=ALL):
    return make_text_request(words, spanish, audience)


def stands(database) -> list[tuple[str, str]]:
    rows = text_message.c
    with database.reading() as books:
        return [
            (row.phone[-4:], row.status.value)
            for row in books.execute(sa.select(rows.phone, rows.status).order_by(rows.phone))
        ]


def on_phones(office) -> list[str]:
    files = sorted((office.home / "texts").glob("communication-*.txt"))
    return sorted(file.read_text("utf-8").replace("\n\n", " ").strip() for file in files)


def test_each_reads_their_language_and_it_is_said_who_gets_none(town, tmp_path):
    office = at(tmp_path, town, thousand_cost="8.30")

    plan = plan_text(office, request())

    assert [("en", 1, 1), ("es", 1, 1)] == [
        (one.language, one.phones, one.segments) for one in plan.worded
    ]
    assert plan.worded[0].words.endswith(f": {WORDS} Reply STOP to end texts.")
    assert plan.worded[1].words.endswith(
        f": {SPANISH_WORDS} Responda STOP para no recibir mensajes."
    )
    assert ({"no-consent": 1}, 2, 2) == (plan.left_out, plan.segments, plan.cost.cents)
    assert [] == stands(town)


def test_recorded_once_and_sent_once_whoever_asks_again(town, tmp_path):
    office = at(tmp_path, town)

    first = send_mass_text(office, request(), 2)
    again = send_mass_text(office, request(), 2)
    sent, idle = send_texts(office), send_texts(office)

    assert (first, 2, 0) == (again, sent.sent, idle.sent)
    assert [("0101", "sent"), ("0102", "sent")] == stands(town)
    assert [WORDS, SPANISH_WORDS] == [
        said
        for said, on in zip((WORDS, SPANISH_WORDS), on_phones(office), strict=True)
        if said in on
    ]
    with town.reading() as books:
        told = list(books.scalars(sa.select(audit.c.detail).where(audit.c.action == "text many")))
    assert ["customers: 2 phones"] == told


def test_at_night_it_waits_for_the_morning_and_midnight_sends_nothing_twice(town, tmp_path):
    night = at(tmp_path, town, "2026-11-03T21:30")
    send_mass_text(night, request(), 2)
    sent_at_night, due = send_texts(night).sent, has_due_texts(night, night.due_now())
    after_midnight = at(tmp_path, town, "2026-11-04T00:30")

    again = send_mass_text(after_midnight, request(), 2)
    morning = send_texts(at(tmp_path, town, "2026-11-04T09:00")).sent

    assert (0, False, 1, 2) == (sent_at_night, due, again.number, morning)


@pytest.mark.parametrize("how", ["stop", "take back", "start of quiet"])
def test_who_wants_none_any_more_before_it_leaves_gets_none(town, tmp_path, how):
    office = at(tmp_path, town)
    send_mass_text(office, request(), 2)
    with town.writing() as books:
        if how == "stop":
            stop_phone(books, "+14355550101", NOW)
        elif how == "take back":
            take_back(books, 1, "+14355550101", NOW)
        else:  # the number on the account page is another one now
            books.execute(sa.text("UPDATE web_user SET phone = '4355550199' WHERE number = 1"))

    sent = send_texts(office).sent

    assert (1, [("0101", "failed"), ("0102", "sent")]) == (sent, stands(town))


def test_consent_to_bills_alone_is_none_and_a_shared_phone_gets_one(town, tmp_path):
    with town.writing() as books:
        books.execute(unsubscribed_address.insert().values(mailbox="bea@portal.example", since=NOW))
    a_reader(town, "cal", "4355550103", "3", news=False)
    a_reader(town, "dee", "4355550101", "3")

    plan = plan_text(at(tmp_path, town), request())

    assert {"bills-alone": 1, "unsubscribed": 1, "same-phone": 1} == plan.left_out
    assert ["4355550101"] == [one.reader.phone[2:] for one in plan.readers]


@pytest.mark.parametrize(
    ("count", "settings", "code"),
    [
        (3, {}, "wrong-count"),
        (2, {"most_a_day": 1}, "too-many-texts"),
        (2, {"most_a_day": 0}, "too"),
    ],
)
def test_another_count_and_more_than_a_day_may_have_send_nothing(
    town, tmp_path, count, settings, code
):
    office = at(tmp_path, town, **settings)

    with pytest.raises(Refused) as refused:
        send_mass_text(office, request(), count)

    assert refused.value.code.startswith(code)
    with town.reading() as books:
        assert 0 == books.scalar(sa.select(sa.func.count()).select_from(mass_text))
    assert [] == stands(town)


def test_the_cap_counts_what_was_told_today_and_not_yesterday(town, tmp_path):
    office = at(tmp_path, town, most_a_day=3)
    send_mass_text(office, request(), 2)
    send_texts(office)

    said = "2 were texted today: 2 more are too many"
    with pytest.raises(Refused, match=said):
        send_mass_text(office, request("The water is back.", ""), 2)
    tomorrow = at(tmp_path, town, "2026-11-04T10:00", most_a_day=3)

    shown = [plan_text(on, request("The water is back.", "")).too_many for on in (office, tomorrow)]
    assert (True, "") == (said in shown[0], shown[1])
    assert "" == plan_text(office, request()).too_many  # it was sent, and goes to nobody again
    assert 2 == send_mass_text(tomorrow, request("The water is back.", ""), 2).phones


def test_what_waits_is_taken_back_and_does_not_leave(town, tmp_path):
    night = at(tmp_path, town, "2026-11-03T21:30")
    made = send_mass_text(night, request(), 2)

    gone = take_back_text(night, made.number, "wrong day")
    morning = send_texts(at(tmp_path, town, "2026-11-04T10:00")).sent

    assert (2, 0, [("0101", "failed"), ("0102", "failed")]) == (gone, morning, stands(town))


def test_a_test_goes_to_one_phone_and_to_nobody_who_said_stop(town, tmp_path):
    office = at(tmp_path, town)
    with town.writing() as books:
        stop_phone(books, "+14355550177", NOW)

    send_test_text(office, request(), "(435) 555-0166")
    with pytest.raises(Refused, match="has answered STOP"):
        send_test_text(office, request(), "4355550177")
    with pytest.raises(Misuse, match="ten digits"):
        send_test_text(office, request(), "911")

    files = list((office.home / "texts").glob("test-*.txt"))
    assert {"+14355550166"} == {file.read_text("utf-8").split("\n")[0] for file in files}
    assert (2, []) == (len(files), stands(town))


@pytest.mark.parametrize("words", ["x" * 700, "á" * 300])
def test_a_text_of_many_segments_is_refused(town, tmp_path, words):
    with pytest.raises(Misuse, match="would leave in"):
        plan_text(at(tmp_path, town), request(words, ""))


@pytest.mark.parametrize(
    ("words", "segments"),
    [
        ("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1),
        ("€" * 81, 2), ("ñ" * 160, 1), ("á" * 70, 1), ("á" * 71, 2), ("á" * 134, 2), ("💧" * 35, 1),
        ("💧" * 36, 2), ("á" * 135, 3),
    ],
)  # fmt: skip
def test_segments_are_counted_as_carriers_do(words, segments):
    assert segments == count_segments(words)


@given(st.text(max_size=700), st.text(max_size=40))
def test_more_letters_never_take_fewer_segments(words, more):
    assert 1 <= count_segments(words) <= count_segments(words + more)


def test_the_command_goes_the_same_way(town, tmp_path, monkeypatch):
    office = at(tmp_path, town)
    (tmp_path / "said.txt").write_text(WORDS, "utf-8")
    monkeypatch.setattr("command_line.commands.mass_text.open_office", lambda *_: office)

    def run(*words: str):
        told = ["--text", str(tmp_path / "said.txt"), "--to-customers", "--json", *words]
        done = CliRunner().invoke(announce, told, standalone_mode=False)
        return done.return_value, json.loads(done.output)

    looked, waits = run("--dry-run"), run()
    sent, again = run("--yes-to", "2"), run("--yes-to", "2")

    assert [(0, "dry-run"), (4, "waiting"), (0, "recorded"), (0, "sent-before")] == [
        (code, told["status"]) for code, told in (looked, waits, sent, again)
    ]
    assert (2, 2, None) == (looked[1]["phones"], looked[1]["segments"], looked[1]["cost"])
    assert 2 == len(stands(town))


def test_whoever_names_no_audience_is_told_the_options_that_the_command_has(tmp_path):
    """A text goes to no address, so that its command has no `--to`."""
    (tmp_path / "t.txt").write_text(WORDS)

    ended = CliRunner().invoke(announce, ["--text", str(tmp_path / "t.txt")], obj=tmp_path)

    assert isinstance(ended.exception, Misuse)
    said = set(re.findall(r"--[a-z-]+", str(ended.exception)))
    assert {"--to-customers", "--account"} <= said
    assert said <= {name for option in announce.params for name in option.opts}
