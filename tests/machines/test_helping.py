"""`billclose work`: what it says, and when it does nothing."""

from __future__ import annotations

import signal

import pytest

from office.clock import Clock
from office.equipment.office import Office
from office.prefect_server.task_runner import is_shared
from office.settings.close import BillsSettings, WorkersSettings
from office.settings.settings import Settings
from tests.builders import NOW
from tests.flows.desk import Desk


def test_without_work_it_makes_nothing(prepared, tmp_path):
    desk = prepared.copied(tmp_path / "office")
    before = signal.getsignal(signal.SIGTERM)

    answer = desk("work", "--once", "--json")

    assert (0, {"status": "done", "batches": 0, "bills": 0}) == (answer.status, answer.json)
    assert before == signal.getsignal(signal.SIGTERM)


def test_it_needs_a_home_with_books(tmp_path):
    assert 2 == Desk(tmp_path / "none")("work", "--once").status


@pytest.mark.parametrize(
    ("store", "task_runner", "expected"),
    [
        pytest.param("bills", "claims", False, id="a folder of the home"),
        pytest.param("s3://larkspur/bills", "claims", True, id="S3"),
        pytest.param("/srv/bills", "claims", True, id="a folder elsewhere"),
        pytest.param("file:///srv/bills", "claims", True, id="a folder elsewhere as a URL"),
        pytest.param("s3://larkspur/bills", "threads", False, id="nobody helps"),
    ],
)
def test_bulk_files_are_shared_where_others_help_and_the_store_is_not_in_the_home(
    tmp_path, store, task_runner, expected
):
    settings = Settings().model_copy(
        update={
            "bills": BillsSettings(store=store),
            "workers": WorkersSettings(task_runner=task_runner),
        }
    )
    office = Office(tmp_path, settings, Clock(lambda: NOW, None), "anna")

    assert expected == is_shared(office)
