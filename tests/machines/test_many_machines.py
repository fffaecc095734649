"""A close on several machines ends as on one, whichever of them is lost."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from database.books import Database
from domain.failures import TemporaryFailure
from splitter.batches.claims import list_batches
from splitter.batches.run import BatchWorker
from splitter.runs.records import fetch_documents, staged_files
from splitter.store.bill_store import BillStore
from tests.conftest import POSTGRES, fresh_postgres
from tests.flows.desk import AS_OF, Desk
from tests.machines.helper import start_helper
from tests.machines.outcomes import makers_of, result
from tests.object_store import object_store

pytestmark = pytest.mark.slow

BATCH_BILLS = 5  # of 22


@dataclass(frozen=True)
class Machines:
    """What the machines of an office have in common."""

    settings: dict[str, str]
    place: Path
    url: str

    def at(self, name: str) -> Desk:
        """A machine with a home of its own."""
        (self.place / name).mkdir(mode=0o700, exist_ok=True)
        return Desk(self.place / name, self.settings)

    def states(self, period: str) -> list[str]:
        database = Database(self.url)
        found = [batch.state.value for batch in list_batches(database, period)]
        database.close()
        return found

    def bulk_files(self, name: str) -> list[bytes]:
        """What a machine holds of the bulk files."""
        return [path.read_bytes() for path in (self.place / name / "exports").rglob("*.pdf")]


@pytest.fixture
def machines(server, empty_postgres, monkeypatch, tmp_path):
    with (
        object_store(monkeypatch) as store,
        fresh_postgres(os.environ[POSTGRES], "template0") as url,
    ):
        settings = {
            "BILLCLOSE_DATABASE__URL": url,
            "BILLCLOSE_BILLS__STORE": store.url,
            "BILLCLOSE_WORKERS__TASK_RUNNER": "claims",
            "BILLCLOSE_WORKERS__BATCH_BILLS": str(BATCH_BILLS),
            "BILLCLOSE_SPLITTER__PROCESSES": "1",
        }
        machines = Machines(server.environment | store.environment | settings, tmp_path, url)
        assert machines.at("first")("init").status == 0
        yield machines


def test_a_machine_killed_in_mid_close_loses_no_bill_and_doubles_none(
    machines, alone, city, monkeypatch
):
    victim = start_helper(machines.at("second").home, machines.settings, halts=True)
    survivor = start_helper(machines.at("third").home, machines.settings, waits=True)
    next_of = BatchWorker.next_of

    def after_the_others(worker, period):
        """The closing machine begins when one of them has died and the other has done something."""
        if victim.process.is_alive():
            victim.halfway.recv()
            victim.kill()
            survivor.go_on()
        return next_of(worker, period) if "done" in machines.states(period) else None

    monkeypatch.setattr(BatchWorker, "next_of", after_the_others)

    answer = machines.at("first").close(city, "--yes")
    survivor.kill()

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert result(alone) == result(machines.at("first"))
    assert machines.bulk_files("first") == machines.bulk_files("third") != []
    makers = makers_of(machines.settings)
    assert [1, 2, 3, 4, 5] == [row["batch"] for row in makers]
    assert [2] == [row["attempts"] for row in makers if row["attempts"] != 1]
    assert f"process {survivor.process.pid} " in "".join(row["made by"] for row in makers)
    assert f"process {victim.process.pid} " not in "".join(row["made by"] for row in makers)


@pytest.mark.release  # the machine that was lost is killed above, in the middle of a batch
def test_another_machine_goes_on_where_the_closing_one_is_lost(machines, alone, city, monkeypatch):
    make_one = BatchWorker.make_one
    made: list[int] = []

    def until_lost(worker, period, number):
        if "first" in str(worker._exports_folder) and len(made) == 2:
            raise KeyboardInterrupt
        made.append(number)
        return make_one(worker, period, number)

    monkeypatch.setattr(BatchWorker, "make_one", until_lost)
    lost = machines.at("first").close(city, "--yes")
    shutil.rmtree(machines.at("first").home)

    answer = machines.at("second").close("2026-10", "--yes")

    assert (1, 0, "closed") == (lost.status, answer.status, answer.json["status"]), answer.err
    assert result(alone) == result(machines.at("second"))
    assert [1, 2, 3, 4, 5] == made  # what was made before was not made again


def test_a_bulk_file_that_was_damaged_in_the_store_is_not_split(machines, city):
    machines.at("first")("import", city, "--as-of", AS_OF)
    store = BillStore(machines.settings["BILLCLOSE_BILLS__STORE"])
    database = Database(machines.url)
    (file,) = staged_files(database, "2026-10", machines.at("second").home / "exports")
    store.write(f"exports/2026-10/{file.shared_sha256}.pdf", b"%PDF-1.4 somebody else's")

    with pytest.raises(TemporaryFailure, match="damaged"):
        fetch_documents(database, "2026-10", store, machines.at("second").home / "exports")
    database.close()

    assert [] == machines.bulk_files("second")
