"""What began and what is over: kept, and told once each, whoever looks and however often."""

from __future__ import annotations

import threading
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from database.tables import delivery, incident
from domain.deliveries import DeliveryStatus
from mail.outbox.deliveries import COLUMNS, Delivery
from mail.port import Result
from office.equipment.office import Office
from office.health.conditions import AT_ONCE, Condition, State, trouble
from office.health.health import Health, look, without_books
from office.health.incidents import Noted, note
from office.secrets.files import make_secret
from office.settings.close import HealthSettings, WebSettings
from office.settings.mail import AlertsSettings
from tests.builders import NOW, a_household, stage_run
from tests.office.health_builders import an_office_at

OFFICE = AlertsSettings(to=("admin@larkspur.example", "desk@larkspur.example"))
WELL = Health(())
GRACE = timedelta(minutes=5)


def full(kind: str = "disk-nearly-full", about: str = "home", patience=AT_ONCE) -> Health:
    found = trouble(
        kind, about, NOW, "The disk of the home has room for 1.0 GB.", "Ask IT.", patience
    )
    return Health((found,))


def office_at(home, database, at: str) -> Office:
    return an_office_at(home, database, f"2026-11-03T{at}", alerts=OFFICE)


def mails(database) -> list[tuple[str, str]]:
    query = sa.select(delivery.c.form, delivery.c.address).order_by(
        delivery.c.form, delivery.c.address
    )
    with database.reading() as books:
        return [tuple(row) for row in books.execute(query)]


def told(office: Office) -> list:
    """The mails that wait, as they would leave."""
    with office.database.reading() as books:
        rows = [
            Delivery(*row) for row in books.execute(sa.select(*COLUMNS).order_by(delivery.c.key))
        ]
    return [
        message_from_bytes(made.to_bytes(), policy=default) for made in office.notice_renderer(rows)
    ]


def text_of(message) -> str:
    return message.get_body(("plain",)).get_content()


def test_a_trouble_is_told_once_while_it_lasts_and_once_when_it_is_over(tmp_path, database):
    noted = [
        note(office_at(tmp_path, database, at), health)
        for at, health in (
            ("06:00", full()),
            ("06:05", full()),
            ("06:10", full()),
            ("06:15", WELL),
            ("06:20", WELL),
        )
    ]

    name = "disk-nearly-full/home"
    assert [
        Noted((name,), (), 2), Noted(), Noted(), Noted((), (name,), 2), Noted(),
    ] == noted  # fmt: skip
    assert [
        ("alert-health-began", "admin@larkspur.example"),
        ("alert-health-began", "desk@larkspur.example"),
        ("alert-health-ended", "admin@larkspur.example"),
        ("alert-health-ended", "desk@larkspur.example"),
    ] == mails(database)


def test_a_trouble_that_comes_again_is_told_again(tmp_path, database):
    for at, health in (("06:00", full()), ("06:05", WELL), ("06:10", full())):
        note(office_at(tmp_path, database, at), health)

    assert 4 == len([form for form, _ in mails(database) if form.endswith("began")])


def test_what_is_over_before_its_grace_is_told_to_nobody(tmp_path, database):
    for at, health in (
        ("06:00", full(patience=GRACE)),
        ("06:04", full(patience=GRACE)),
        ("06:05", WELL),
    ):
        note(office_at(tmp_path, database, at), health)

    assert [] == mails(database)


def test_what_lasts_for_its_grace_is_told(tmp_path, database):
    noted = [
        note(office_at(tmp_path, database, at), full(patience=GRACE)).mails
        for at in ("06:00", "06:04", "06:05", "06:10")
    ]

    assert [0, 0, 2, 0] == noted


def test_what_could_not_be_looked_at_is_neither_over_nor_new(tmp_path, database):
    unknown = Health((Condition("run-late", State.UNKNOWN),))

    noted = [
        note(office_at(tmp_path, database, at), health)
        for at, health in (
            ("06:00", full("run-late", "remind")),
            ("06:05", unknown),
            ("06:10", full("run-late", "remind")),
        )
    ]

    assert [2, 0, 0] == [one.mails for one in noted]


def test_of_several_troubles_each_is_told_by_itself(tmp_path, database):
    both = Health((*full().conditions, *full(about="temp").conditions))

    began = note(office_at(tmp_path, database, "06:00"), both)
    ended = note(office_at(tmp_path, database, "06:05"), full(about="temp"))

    assert (("disk-nearly-full/home", "disk-nearly-full/temp"), 4) == (began.began, began.mails)
    assert (("disk-nearly-full/home",), 2) == (ended.ended, ended.mails)


def test_a_silent_service_is_left_to_whoever_posts(tmp_path, database):
    noted = note(office_at(tmp_path, database, "06:00"), full("service-down", "ledger"))

    assert (Noted(), []) == (noted, mails(database))


def test_without_anybody_to_tell_it_is_kept_all_the_same(tmp_path, database):
    office = an_office_at(tmp_path, database, "2026-11-03T06:00")

    noted = note(office, full())

    assert (("disk-nearly-full/home",), 0) == (noted.began, noted.mails)
    with database.reading() as books:
        assert 1 == books.scalar(sa.select(sa.func.count()).select_from(incident))


def test_machines_that_look_at_once_tell_it_once(tmp_path, database):
    begin = threading.Barrier(4)
    mailed = []

    def look_and_tell(health: Health, at: str) -> None:
        office = office_at(tmp_path, database, at)
        begin.wait()
        mailed.append(note(office, health).mails)

    for health, at in ((full(), "06:00:00"), (full(), "06:00:30"), (WELL, "06:05")):
        machines = [threading.Thread(target=look_and_tell, args=(health, at)) for _ in range(4)]
        for machine in machines:
            machine.start()
        for machine in machines:
            machine.join()

    assert 4 == sum(mailed)
    assert 4 == len(mails(database))


def test_since_when_it_lasts_stays_what_it_was(tmp_path, empty_books):
    small = HealthSettings(disk_free_gb=1e9)
    first = an_office_at(tmp_path, empty_books, "2026-11-03T06:00", health=small)
    note(first, look(first))
    later = an_office_at(tmp_path, empty_books, "2026-11-03T09:00", health=small)

    found = {one.name: one.since for one in look(later).troubles}

    assert f"{found['disk-nearly-full/home']:%H:%M}" == "06:00"


# -- the mails ------------------------------------------------------------------------------------


def test_the_office_is_told_before_its_first_period(tmp_path, empty_books):
    office = office_at(tmp_path, empty_books, "06:00")
    note(office, full())

    message = told(office)[0]

    assert "Attention: A disk is nearly full: the home" == message["Subject"]
    assert "The billing office" in message["From"]
    text = text_of(message)
    assert "- The disk of the home has room for 1.0 GB." in text
    assert "- Since 2026-11-02 13:00 UTC." in text
    assert "Ask IT." in text
    assert "over" not in text


def test_the_mails_speak_in_the_utilitys_time(tmp_path, empty_books):
    stage_run(empty_books, a_household())
    office = office_at(tmp_path, empty_books, "06:00")
    note(office, full())
    note(office_at(tmp_path, empty_books, "06:30"), WELL)

    began, ended = told(office)[0], told(office)[2]

    assert "City of Larkspur" in began["From"]
    assert "- Since 2026-11-02 06:00 MST." in text_of(began)
    assert "- It is over since 2026-11-03 06:30 MST." in text_of(began)  # it left late
    assert "Attention: over: A disk is nearly full: the home" == ended["Subject"]
    assert "Nothing to do." in text_of(ended)


def test_a_mail_leads_to_the_page_and_labels_what_is_typed(tmp_path, empty_books):
    make_secret(tmp_path)
    web = WebSettings(url="https://bills.larkspur.example/")
    office = an_office_at(tmp_path, empty_books, "2026-11-03T06:00", alerts=OFFICE, web=web)
    typed = "billclose close 2026-10"
    found = trouble(
        "close-forgotten", "2026-10", NOW, "It is not closed.", "Close it.", AT_ONCE, typed
    )
    note(office, Health((found,)))

    message = told(office)[0]

    at = "https://bills.larkspur.example/office"
    lines = (
        "Close it.",
        f"Close 2026-10: {at}/close",
        f"More: {at}/runbook/close-forgotten",
        f"At a terminal: {typed}",
    )
    assert "\r\n\r\n".join(lines) in text_of(message)
    page = message.get_body(("html",)).get_content()
    assert f'<a href="{at}/close" style="color:#1a5f8a">Close 2026-10</a>' in page
    assert f">At a terminal: {typed}</p>" in page
    assert "close-forgotten" not in message["Subject"]


def test_where_no_browser_reaches_the_office_a_mail_names_the_page_of_the_docs(
    tmp_path, empty_books
):
    make_secret(tmp_path)
    web = WebSettings(url="https://bills.larkspur.example/", serves=("customers",))
    office = an_office_at(tmp_path, empty_books, "2026-11-03T06:00", alerts=OFFICE, web=web)
    note(office, full())

    text = text_of(told(office)[0])

    assert "Ask IT.\r\n\r\nMore: docs/runbook/disk-nearly-full.md\r\n" in text
    assert "https://" not in text


def test_a_mail_about_what_the_books_forgot_fails_alone(tmp_path, empty_books):
    office = office_at(tmp_path, empty_books, "06:00")
    note(office, full())
    with empty_books.writing() as books:
        books.execute(incident.delete())
        row = Delivery(*books.execute(sa.select(*COLUMNS)).first())

    (outcome,) = office.notice_renderer([row])

    assert (Result.FAILED, "what it tells of is no longer in the books") == (
        outcome.result,
        outcome.error,
    )


def test_a_long_name_still_fits_into_a_message_id(tmp_path, database):
    note(office_at(tmp_path, database, "06:00"), full("run-late", "d" * 300))

    with database.reading() as books:
        rows = books.execute(sa.select(delivery.c.status, delivery.c.message_id)).all()
    assert [DeliveryStatus.QUEUED] * 2 == [row.status for row in rows]
    assert all(len(row.message_id) <= 200 for row in rows)


# -- the whole look -------------------------------------------------------------------------------


def test_every_kind_is_looked_at(tmp_path, database):
    found = look(an_office_at(tmp_path, database, "2026-11-03T06:00"))

    assert {
        "export-overdue", "close-forgotten", "schedule-forgotten", "work-missed", "run-late",
        "service-down", "postings-stuck", "mail-server-down", "clock-off", "disk-nearly-full",
        "close-waits", "run-failed", "rounds-silent", "events-lost", "texts-waiting",
        "feed-stale", "deposits-differ", "print-files-differ",
    } == {one.kind for one in found.conditions}  # fmt: skip


@pytest.mark.parametrize(("conditions", "status"), [((), "well"), (full().conditions, "trouble")])
def test_a_monitor_reads_one_word_and_the_conditions(conditions, status):
    figures = Health(tuple(conditions)).to_figures()

    assert status == figures["status"]
    assert all(
        {"name", "state", "since", "detail", "remedy"} == set(one) for one in figures["conditions"]
    )


def test_a_database_that_does_not_answer_is_the_one_trouble():
    figures = without_books(NOW, "billclose --home /office").to_figures()

    assert ("trouble", ["database-down"]) == (
        figures["status"],
        [one["name"] for one in figures["conditions"]],
    )
