"""The health of the machine: its disks and its clock."""

from __future__ import annotations

import http.server
import os
import threading
from datetime import timedelta
from email.utils import format_datetime

import pytest

from command_line.options import wall_clock
from office.health.machine import clock_off, database_offset, full_disks, web_offset
from office.settings.close import HealthSettings
from tests.builders import NOW
from tests.office.health_builders import looking, troubles

MORNING = "2026-11-03T09:00"


@pytest.fixture
def web_server():
    """A web server that answers HEAD with 405 and a Date of its own."""

    class Answers(http.server.BaseHTTPRequestHandler):
        ahead = timedelta(0)

        def do_HEAD(self):
            self.send_response_only(405)
            date = format_datetime(wall_clock() + self.ahead, usegmt=True)
            self.send_header("Date", date)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield Answers, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def a_disk(monkeypatch, free_gb: float, files: int = 100_000) -> None:
    found = os.statvfs("/")
    fields = [*found]
    fields[0:2] = [4096, 4096]
    fields[4], fields[5], fields[7] = int(free_gb * 1e9 / 4096), 1_000_000, files
    made = os.statvfs_result(fields)
    monkeypatch.setattr(os, "statvfs", lambda _path: made)


@pytest.mark.parametrize(
    ("free_gb", "known", "expected"),
    [
        pytest.param(2.1, {}, [], id="room"),
        pytest.param(1.9, {}, ["disk-nearly-full/home"], id="little room"),
        pytest.param(2.1, {"disk-nearly-full/home": NOW}, ["disk-nearly-full/home"],
                     id="not to and fro"),
        pytest.param(2.5, {"disk-nearly-full/home": NOW}, [], id="room again"),
    ],
)  # fmt: skip
def test_a_disk_is_nearly_full(tmp_path, database, monkeypatch, free_gb, known, expected):
    a_disk(monkeypatch, free_gb)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))  # all on one disk

    found = full_disks(looking(tmp_path, database, MORNING, known))

    assert expected == troubles(found)


def test_a_disk_that_takes_no_more_files_is_full(tmp_path, database, monkeypatch):
    a_disk(monkeypatch, 500, files=3)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))

    (found,) = full_disks(looking(tmp_path, database, MORNING))

    assert "hardly a file" in found.detail


def test_a_real_disk_can_be_looked_at(tmp_path, database):
    roomy = looking(tmp_path, database, MORNING, health=HealthSettings(disk_free_gb=0))
    small = looking(tmp_path, database, MORNING, health=HealthSettings(disk_free_gb=1e9))

    assert [] == [name for name in troubles(full_disks(roomy)) if "home" in name]
    assert "disk-nearly-full/home" in troubles(full_disks(small))


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (timedelta(seconds=59), ""),
        (timedelta(seconds=61), "61 seconds ahead of that of the database server"),
        (timedelta(minutes=-3), "3 minutes behind that of the database server"),
        (timedelta(hours=7), "7 hours ahead of"),
    ],
)
def test_a_clock_is_off_beyond_its_tolerance(tmp_path, database, ahead, expected):
    office = looking(tmp_path, database, MORNING)

    (found,) = clock_off(office, {"the database server": ahead, "a web server": timedelta(0)})

    assert bool(expected) == (found.state == "trouble")
    assert expected in found.detail


def test_a_clock_that_nobody_can_be_asked_about_is_not_watched(tmp_path, database):
    (found,) = clock_off(looking(tmp_path, database, MORNING), {})

    assert "not-watched" == found.state


def test_a_database_server_is_asked_for_the_time(tmp_path, database):
    offsets = database_offset(looking(tmp_path, database, MORNING, wall=wall_clock))

    assert ([] if database.is_sqlite else ["the database server"]) == list(offsets)
    assert all(abs(ahead) < timedelta(minutes=1) for ahead in offsets.values())


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=2)])
def test_a_web_server_is_asked_for_the_time(tmp_path, empty_books, web_server, ahead):
    server, url = web_server
    server.ahead = ahead

    here = looking(tmp_path, empty_books, MORNING, wall=wall_clock)

    (behind,) = web_offset(here, url, 5).values()

    assert abs(behind + ahead) < timedelta(seconds=30)


def test_a_web_server_that_is_not_there_tells_nothing(tmp_path, empty_books):
    assert {} == web_offset(looking(tmp_path, empty_books, MORNING), "http://127.0.0.1:1/", 2)
