"""A rehearsal: the same office in a copy, and nothing that happens there stays."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from database.books import Database
from database.owners import this_process
from database.runs import take_lock
from database.tables import audit, bulk_file, metadata, run_lock
from mail.embedded import Rehearsal
from office.clock import Clock
from office.equipment.office import Office
from office.procedures.closing.rehearsal import rehearsal
from office.settings.close import BillsSettings, DatabaseSettings
from office.settings.settings import Settings
from payments.scheduling.scheduling import schedule_autopay
from tests.builders import (
    CLOSING_DAY,
    NOW,
    OFFICE_DEFAULTS,
    RUN,
    a_household,
    a_mandate,
    close_run,
    stage_run,
)


@pytest.fixture
def real(database, tmp_path) -> Office:
    """An office with a staged period, its export, a bill, and a printed batch of last month."""
    stage_run(
        database,
        a_household("1", email="ann@x.example;bob@x.example", links=(("c@x.example", True),)),
        a_household("2", a_mandate("2", method_kind=None), balance="-3.00", cosigner_id="LL1"),
        a_household("3", held=True),
        landlords=[("LL1", "lord@x.example")],
    )
    with database.writing() as books:
        books.execute(
            bulk_file.insert().values(
                period=RUN, bulk=0, form="utility-bill", file="bills.pdf", path="exports/bills.pdf",
                account_pattern=r"Account:\s*(.+)", region=[300, 0, 612, 120],
            )
        )  # fmt: skip
    for name in ("exports/2026-10/bills.pdf", "bills/2026-09/1.pdf", "print/2026-09.pdf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    bills = BillsSettings(store=str(tmp_path / "bills"))
    settings = Settings(database=DatabaseSettings(url=database.url), bills=bills)
    return Office(tmp_path, settings, Clock(lambda: NOW), "anna")


def rows_of(database: Database) -> dict[str, list[tuple]]:
    with database.reading() as books:
        return {
            name: sorted((tuple(row) for row in books.execute(sa.select(table))), key=repr)
            for name, table in metadata.tables.items()
        }


def files_of(home: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(home)): (path.read_text(), path.stat().st_mtime_ns)
        for path in home.rglob("*")
        if path.is_file() and not path.name.startswith("books.db")
    }


def test_a_rehearsal_has_the_books_and_the_exports_of_the_real_office(real):
    with rehearsal(real) as copy:
        assert rows_of(real.database) == rows_of(copy.database)
        assert "exports/2026-10/bills.pdf" == (
            (copy.home / "exports/2026-10/bills.pdf").read_text()
        )
        assert (True, True) == (copy.rehearses, copy.approves(None))


def test_a_rehearsal_knows_neither_who_works_on_the_real_run_nor_what_was_done(real):
    take_lock(real.database, RUN, "anna", this_process(), NOW)

    with rehearsal(real) as copy:
        take_lock(copy.database, RUN, "ben", this_process("another"), NOW)
        rehearsed = rows_of(copy.database)

    assert (1, []) == (len(rehearsed[run_lock.name]), rehearsed[audit.name])
    assert "anna" == rows_of(real.database)[run_lock.name][0][1]


def test_nothing_that_happens_in_a_rehearsal_stays(real):
    before = rows_of(real.database), files_of(real.home)

    with rehearsal(real) as copy:
        close_run(copy.database)
        counts = schedule_autopay(
            copy.database,
            RUN,
            now=NOW,
            today=CLOSING_DAY,
            closed=copy.bank_days,
            policy=OFFICE_DEFAULTS,
        )
        copy.store.write("2026-10/1.pdf", b"%PDF")
        copy.print_folder.write("2026-10.pdf", b"%PDF")
        (copy.home / "exports/2026-10/bills.pdf").unlink()
        (copy.home / "exports/2026-10/new.pdf").write_text("new")
        place = copy.home

    assert 1 == counts.scheduled
    assert before == (rows_of(real.database), files_of(real.home))
    assert not place.exists()


def test_a_rehearsal_fetches_what_another_machine_imported(real):
    """This machine never had the bulk file: it lies in the store that both reach."""
    content = (real.home / "exports/2026-10/bills.pdf").read_bytes()
    shared = hashlib.sha256(content).hexdigest()
    real.store.write(f"exports/{RUN}/{shared}.pdf", content)
    with real.database.writing() as books:
        books.execute(bulk_file.update().values(shared_sha256=shared))

    with rehearsal(real) as copy:
        fetched = (copy.exports_folder / "exports/bills.pdf").read_bytes()

    assert content == fetched
    assert not (real.exports_folder / "exports/bills.pdf").exists()


def test_a_rehearsal_that_fails_leaves_nothing_behind(real):
    with pytest.raises(ZeroDivisionError), rehearsal(real) as copy:
        place = copy.home
        _ = 1 // 0

    assert not place.exists()


def test_what_a_rehearsal_says_to_type_reaches_the_real_office(real):
    with rehearsal(real) as copy:
        assert real.command == copy.command


def test_a_rehearsal_works_in_a_place_of_its_own(real):
    with rehearsal(real) as copy:
        assert copy.database.is_sqlite
        assert copy.database.url != real.database.url
        assert copy.database.url.endswith(f"{copy.home.name}/billclose.db")
        assert 0o700 == copy.home.stat().st_mode & 0o777
        assert real.home not in (copy.home, *copy.home.parents)


def test_a_rehearsal_mails_nobody_even_where_a_mail_server_is_set(real):
    with_server = real.settings.model_copy(
        update={"smtp": real.settings.smtp.model_copy(update={"url": "smtp://mail.example"})}
    )
    office = Office(real.home, with_server, real.clock, "anna")

    with rehearsal(office) as copy:
        assert isinstance(copy.mailer, Rehearsal)
