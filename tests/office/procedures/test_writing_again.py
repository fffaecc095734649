"""Print files that are lost before the printer has them are written again, the very same."""

from __future__ import annotations

import shutil
import signal
import sys

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from database.books import Database
from database.tables import account, audit, outsorted_bill, print_batch
from domain.accounts import account_key
from domain.failures import Misuse
from office.health.conditions import Looking, State
from office.health.paper import differing_print_files
from office.procedures.printing import mark_fetched, write_again
from tests.builders import NOW, RUN, a_hold
from tests.done_before import as_done_before
from tests.forked import forks, load_before_forks
from tests.office.health_builders import an_office_at
from tests.splitter.runs.printing_town import (
    ACCOUNTS,
    Moments,
    come_back,
    files,
    print_part,
    stage_town,
)

AT = "2026-11-03T09:00"
FILES = tuple(f"print/{RUN}/{form}" for form in ("utility-bill-0", "final-bill-1"))
WRITTEN = ("bills", "exports", "print")
PDF, OTHER = (f"{stem}.pdf" for stem in FILES)
load_before_forks(__name__)


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What the printed town has written, kept for each kind of database."""
    return tmp_path_factory.mktemp("printed")


@pytest.fixture
def office(tmp_path, database, printed):
    kept = printed / ("sqlite" if database.is_sqlite else "postgresql")

    def stage_and_print():
        stage_town(database, tmp_path)
        print_part(database, tmp_path, "first")
        for folder in WRITTEN:
            shutil.copytree(tmp_path / folder, kept / folder, dirs_exist_ok=True)

    as_done_before(database, f"a town printed to {kept}", stage_and_print)
    for folder in WRITTEN:
        if not (tmp_path / folder).exists():
            shutil.copytree(kept / folder, tmp_path / folder)
    return an_office_at(tmp_path, database, AT)


def lose(office, file, how):
    place = office.home / file
    if how == "missing":
        place.unlink()
    else:
        place.write_bytes(b"%PDF of somebody")


def health(office):
    return differing_print_files(Looking(office, NOW, "America/Denver"))


def acts(office):
    with office.database.reading() as books:
        chosen = sa.select(audit.c.subject).where(audit.c.action == "write print file again")
        return list(books.scalars(chosen.order_by(audit.c.subject)))


@pytest.mark.parametrize("how", ["missing", "changed"])
@pytest.mark.parametrize("end", ["pdf", "csv"])
def test_a_lost_file_is_seen_written_again_and_recorded(office, how, end):
    written = files(office.home)
    lose(office, f"{FILES[1]}.{end}", how)
    (seen,) = health(office)

    again = write_again(office, RUN)

    assert (State.TROUBLE, f"print-files-differ/{RUN}") == (seen.state, seen.name)
    assert f"1 file {how}." in seen.detail
    assert f"print {RUN} --again" in seen.command
    assert ((OTHER,), ()) == (again.files, again.others)
    assert written == files(office.home)
    assert [OTHER] == acts(office)
    assert [State.WELL] == [one.state for one in health(office)]


def test_all_lost_files_of_all_parts_and_periods_are_written_again(office):
    come_back(office.database, ACCOUNTS[2])
    print_part(office.database, office.home, "next")
    written = files(office.home)
    for name in written:
        (office.home / "print" / name).unlink()

    again = write_again(office)

    assert {PDF, OTHER, f"print/{RUN}/part-2/utility-bill-0.pdf"} == set(again.files)
    assert written == files(office.home)


def test_where_nothing_is_lost_nothing_is_written(office):
    before = {path: path.stat().st_mtime_ns for path in (office.home / "print").rglob("*")}

    again = write_again(office, RUN)

    assert ((), ()) == (again.files, again.others)
    assert before == {path: path.stat().st_mtime_ns for path in (office.home / "print").rglob("*")}
    assert [] == acts(office)


def test_what_somebody_has_fetched_is_nobodys_trouble_any_more(office):
    lose(office, PDF, "missing")

    mark_fetched(office, RUN)

    assert [State.NOT_WATCHED] == [one.state for one in health(office)]
    assert () == write_again(office).files


def test_a_bill_that_is_held_since_is_still_in_the_same_file(office):
    written = files(office.home)
    with office.database.writing() as books:
        hold = a_hold("", period=RUN, account_key=account_key(ACCOUNTS[0]), account=ACCOUNTS[0])
        books.execute(outsorted_bill.insert(), [hold])
    lose(office, PDF, "missing")

    assert (PDF,) == write_again(office, RUN).files

    assert written == files(office.home)


def another_zip(office):
    with office.database.writing() as books:
        books.execute(account.update().where(account.c.account == ACCOUNTS[0]).values(zip="99999"))


def another_setting(office):
    paper = office.settings.paper.model_copy(update={"duplex": True})
    office.__dict__["settings"] = office.settings.model_copy(update={"paper": paper})


def another_digest(office):
    """As of a program that writes the same bills in other bytes."""
    with office.database.writing() as books:
        books.execute(print_batch.update().where(print_batch.c.file == PDF).values(sha256="0" * 64))


def one_bill_less(office):
    with office.database.writing() as books:
        books.execute(sa.text("DELETE FROM paper WHERE account = :one"), {"one": ACCOUNTS[0]})


@pytest.mark.parametrize("change", [another_zip, another_setting, another_digest, one_bill_less])
@pytest.mark.parametrize("how", ["missing", "changed"])
def test_a_file_that_would_be_another_is_left_as_it_is_found(office, how, change):
    lose(office, PDF, how)
    found = files(office.home)
    change(office)

    again = write_again(office, RUN)

    assert ((), (PDF,)) == (again.files, again.others)
    assert found == files(office.home)
    assert [] == acts(office)
    assert [State.TROUBLE] == [one.state for one in health(office)]


def test_an_unknown_period_is_named(office):
    with pytest.raises(Misuse, match="2031-01"):
        write_again(office, "2031-01")


def test_of_several_machines_only_the_one_that_has_the_folder_tells(office, tmp_path, database):
    lose(office, PDF, "missing")
    elsewhere = an_office_at(tmp_path / "elsewhere", database, AT)

    (seen,) = health(elsewhere)

    is_one_machine = database.engine.dialect.name == "sqlite"
    assert (State.TROUBLE if is_one_machine else State.NOT_WATCHED) is seen.state


# -- killed ---------------------------------------------------------------------------------------

RENAMED = 4  # two PDFs and their lists


@pytest.mark.release("postgresql")  # what is killed writes files
def test_killed_at_any_moment_and_called_again_everything_is_as_it_was(office):
    written = files(office.home)
    moments = write_and_die(office, 0)
    assert moments >= 2 * RENAMED + 2  # opened and renamed, and two acts are audited

    for moment in range(1, moments + 1):
        for name in written:
            (office.home / "print" / name).write_bytes(b"lost")
        assert -signal.SIGKILL == write_and_die(office, moment)

        for name, content in files(office.home).items():
            assert ".new-" in name or content in (b"lost", written[name])
        write_again(office, RUN)

        assert written == files(office.home), moment


def write_and_die(office, moment):
    """Lose every file, write them in a process that is killed right before that moment."""
    for name in files(office.home):
        if ".new-" not in name:
            (office.home / "print" / name).write_bytes(b"lost")
    context = forks()
    answers, answering = context.Pipe(duplex=False)
    url = office.database.engine.url.render_as_string(hide_password=False)
    process = context.Process(target=_write, args=(url, office.home, moment, answering))
    process.start()
    answering.close()
    process.join()
    return answers.recv() if process.exitcode == 0 else process.exitcode


def _write(url, home, moment, answering):
    moments = Moments(moment, str(home / "print"))
    event.listen(Engine, "commit", moments.on_commit)
    sys.addaudithook(moments.on_audit)
    database = Database(url)
    write_again(an_office_at(home, database, AT), RUN)
    database.close()
    answering.send(moments.counted)
