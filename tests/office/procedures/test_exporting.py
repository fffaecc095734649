"""Usage exports: who gets one, what is in it, and how long it can be fetched."""

from __future__ import annotations

import io
import os
import re
import zipfile
from datetime import date, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from database.books import insert_rows
from database.tables import delivery, movement, suppressed_address, usage_export
from domain.accounts import account_key
from domain.failures import Misuse, Refused
from domain.money import Money
from domain.movements import MovementKind
from mail.outbox.deliveries import COLUMNS, Delivery
from mail.port import Result
from office.procedures.usage_export import export_usage, find_export, remove_expired
from office.secrets.files import make_secret
from office.settings.close import ExportsSettings
from reporting.documents.usage_export import read_usage, to_workbook
from tests.builders import NOW, a_household, close_run, stage_run
from tests.office.health_builders import an_office_at

ACCOUNT = "01.1037.1"
LINKED = ExportsSettings(link_url="https://desk.example/exports/{token}")
EVIL = '=HYPERLINK("http://x.example","water")'
COLUMNS_OF_MOVEMENT = (
    "period", "line", "account_key", "account", "posted_on", "service", "description", "kind",
    "amount", "usage",
)  # fmt: skip


def enter(
    database, period: str, month: int, records: int, description: str = "Water usage"
) -> None:
    household = a_household(
        links=(("Portal@Example.com", True),), cosigner_id="C1", email="sven@example.com;bad"
    )
    other = a_household("01.1038.2", email="other@example.com")
    due_on, ends_on = date(2026, month + 1, 20), date(2026, month, 30)
    stage_run(database, household, other, period=period, ends_on=ends_on, due_on=due_on,
              landlords=[("C1", "lord@example.com")])  # fmt: skip
    key, first = account_key(ACCOUNT), date(2026, month, 1)
    rows = [
        (period, line, key, ACCOUNT, first + timedelta(days=line % 28), "Water", description,
         MovementKind.BILLING, Money(line), float(line) if line else None)
        for line in range(records + 1)  # the first has no usage: a fee
    ]  # fmt: skip
    with database.writing() as books:
        insert_rows(books, movement, COLUMNS_OF_MOVEMENT, rows)


@pytest.fixture
def office(tmp_path, empty_books):
    return with_usage(tmp_path, empty_books)


def with_usage(tmp_path, database):
    """An office with two closed periods of 3 and 2 usage records, and a third not closed."""
    make_secret(tmp_path)
    enter(database, "2026-09", 9, 3)
    close_run(database, "2026-09")
    enter(database, "2026-10", 10, 2, EVIL)
    close_run(database, "2026-10")
    enter(database, "2026-11", 11, 9)
    return an_office_at(tmp_path, database, "2026-11-03T09:00", exports=LINKED)


def token_of(office) -> str:
    with office.database.reading() as books:
        rows = [Delivery(*row) for row in books.execute(sa.select(*COLUMNS))]
    (made,) = office.notice_renderer(rows)
    message = message_from_bytes(made.to_bytes(), policy=default)
    (link,) = re.findall(
        r"https://desk\.example/exports/(\S+)", message.get_body(("plain",)).get_content()
    )
    return link


def exports(office) -> list:
    with office.database.reading() as books:
        return books.execute(sa.select(usage_export)).all()


def later(office, hours: float):
    return office.due_now() + timedelta(hours=hours)


def test_the_newest_records_of_closed_periods_come_first(office):
    records = read_usage(office.database, account_key(ACCOUNT))

    assert [
        ("2026-10", 2.0), ("2026-10", 1.0), ("2026-09", 3.0), ("2026-09", 2.0), ("2026-09", 1.0),
    ] == [(one.period, one.usage) for one in records]  # fmt: skip
    assert 2 == len(read_usage(office.database, account_key(ACCOUNT), most=2))


def test_a_formula_stays_text_and_money_a_number(office):
    content = to_workbook(read_usage(office.database, account_key(ACCOUNT)), ACCOUNT)

    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        texts = book.read("xl/sharedStrings.xml").decode()
        names = book.namelist()
    assert "HYPERLINK" in texts
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert "<v>0.02</v>" in sheet
    assert [] == [name for name in names if "external" in name.lower()]
    assert "Beltran" not in texts + sheet


def test_an_export_is_a_private_file_a_row_and_a_mail(office):
    """Rule 183."""
    made = export_usage(office, ACCOUNT, "sven@example.com")

    (row,) = exports(office)
    (file,) = (office.home / "usage-exports").iterdir()
    assert (5, office.due_now() + timedelta(hours=72)) == (made.records, made.expires_at)
    assert 0o600 == file.stat().st_mode & 0o777
    assert 0o700 == file.parent.stat().st_mode & 0o777
    token = token_of(office)
    assert file == find_export(office, token, later(office, 1))
    assert token not in str(row) + str(office.database.url)
    assert token not in file.name


@pytest.mark.parametrize("hours", [71.9, 72.0, 1000])
def test_a_link_is_good_until_it_expires(office, hours):
    export_usage(office, ACCOUNT, "sven@example.com")
    token = token_of(office)

    assert (hours < 72) == (find_export(office, token, later(office, hours)) is not None)


@pytest.mark.parametrize("token", ["", "x", "../../billclose.db", "a" * 5000, "\udcff", "ä"])
def test_a_wrong_token_opens_nothing(office, token):
    export_usage(office, ACCOUNT, "sven@example.com")

    assert None is find_export(office, token, office.due_now())


def test_each_export_has_a_link_of_its_own(office):
    for _ in range(2):
        export_usage(office, ACCOUNT, "sven@example.com")

    assert 2 == len({row.token_sha256 for row in exports(office)})


@pytest.mark.parametrize("to", ["SVEN@example.com", "portal@example.com", "lord@example.com"])
def test_every_mailbox_of_the_account_may_have_it(office, to):
    export_usage(office, ACCOUNT, to)

    with office.database.reading() as books:
        (address,) = books.scalars(sa.select(delivery.c.address))
    assert to.casefold() == address.casefold()


@pytest.mark.parametrize("to", ["other@example.com", "bad", "", "sven@example.com;x@example.com"])
def test_another_mailbox_is_refused_and_nothing_is_written(office, to):
    with pytest.raises(Refused, match="does not belong to account") as refused:
        export_usage(office, ACCOUNT, to)

    assert ("not-linked", []) == (refused.value.code, exports(office))
    assert not (office.home / "usage-exports").exists()


def test_a_mailbox_that_gets_no_mail_any_more_is_refused(office):
    with office.database.writing() as books:
        books.execute(
            suppressed_address.insert().values(mailbox="sven@example.com", since=NOW, reason="gone")
        )

    with pytest.raises(Refused, match="Nothing is sent"):
        export_usage(office, ACCOUNT, "sven@example.com")


@pytest.mark.parametrize(
    ("account", "to", "failure"),
    [("99.9", "sven@example.com", Misuse), ("01.1038.2", "other@example.com", Refused)],
)
def test_no_account_or_no_usage_is_no_export(office, account, to, failure):
    with pytest.raises(failure):
        export_usage(office, account, to)


def test_without_a_link_nobody_could_fetch_it(tmp_path, database):
    office = an_office_at(tmp_path, database, "2026-11-03T09:00")

    with pytest.raises(Misuse, match=r"exports\.link_url is empty"):
        export_usage(office, ACCOUNT, "sven@example.com")


def test_what_has_expired_is_removed_and_what_is_good_stays(office):
    export_usage(office, ACCOUNT, "sven@example.com")
    token = token_of(office)

    removed = [remove_expired(office, later(office, hours)) for hours in (71, 73, 74)]

    assert [0, 1, 0] == removed
    assert [] == list((office.home / "usage-exports").iterdir())
    assert None is find_export(office, token, later(office, 1))
    remove_expired(office, later(office, 24 * 100))
    assert [] == exports(office)


def test_an_export_comes_and_goes_on_each_kind_of_books(tmp_path, database):
    office = with_usage(tmp_path, database)

    export_usage(office, ACCOUNT, "lord@example.com")
    token = token_of(office)

    assert find_export(office, token, later(office, 71))
    assert (1, None) == (
        remove_expired(office, later(office, 73)),
        find_export(office, token, later(office, 1)),
    )


def test_a_file_that_a_kill_left_is_removed_when_it_is_old(office):
    folder = office.folder("usage-exports")
    old, new = folder / "old.xlsx", folder / "new.xlsx"
    for file in (old, new):
        file.write_bytes(b"x")
    aged = office.clock.wall().timestamp() - 7_200
    os.utime(old, (aged, aged))

    assert 1 == remove_expired(office, office.due_now())
    assert [new] == list(folder.iterdir())


def test_a_mail_whose_export_is_gone_is_not_sent(office):
    export_usage(office, ACCOUNT, "sven@example.com")
    remove_expired(office, later(office, 73))
    with office.database.reading() as books:
        rows = [Delivery(*row) for row in books.execute(sa.select(*COLUMNS))]

    (outcome,) = office.notice_renderer(rows)

    assert Result.FAILED is outcome.result
    assert "has expired" in outcome.error
