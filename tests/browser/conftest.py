"""Fixtures of a clerk at a browser: an office that is up, and Chromium before its Prefect UI."""

from __future__ import annotations

import importlib.util
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from office.secrets.prefect_access import authorization
from tests.browser.camera import FOLDER, WINDOW, Camera
from tests.flows.desk import Desk
from tests.flows.office_up import office_up
from tests.flows.town import MISPRINTED, TOWN, write_town

if TYPE_CHECKING:
    from tests.browser.clerk import Clerk

PATIENCE = 240  # seconds; most of it is for a machine that has other things to do
UP = {
    "LOGNAME": "billing",
    "BILLCLOSE_PREFECT__SCHEDULES": "false",
    "PREFECT_RUNNER_POLL_FREQUENCY": "1",  # seconds
}
# As root Chromium has no sandbox; it sees this office and nobody else.
ALONE = ("--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
NO_GRAPH = ("--disable-gpu", "--disable-3d-apis")  # drawn by the processor it takes most of it
CLOSE = {"deployments": {"name": {"any_": ["close-period"]}}}
# Flows go by the clock: both are past for whoever runs the tests. A picture shows recent ones.
YEAR = 2026 if os.environ.get(FOLDER) else 2025
MISPRINTED_PERIOD, PERIOD = f"{YEAR}-09", f"{YEAR}-10"


@dataclass(frozen=True)
class Running:
    """An office that is up: its desk, where its UI answers and what opens it, an export."""

    desk: Desk
    url: str
    words: str
    export: Path

    def wait_for(self, run: str, state: str) -> None:
        """Wait until a run of a flow has a state; the lists in the UI look only twice a minute."""
        wanted = {"flow_runs": {"name": {"any_": [run]}, "state": {"name": {"any_": [state]}}}}
        _eventually(lambda: self.ask("flow_runs/count", wanted) == "1", f"{run}: {state}")

    def ask(self, path: str, query: dict[str, object]) -> str:
        """Ask the server; empty where it has no answer."""
        try:
            answer = httpx.post(
                f"{self.url}/api/{path}", json=query, headers=authorization(self.words)
            )
        except httpx.HTTPError:
            return ""
        return answer.text if answer.is_success else ""


@pytest.fixture(scope="session")
def chromium() -> str:
    """
    Debian's Chromium; nothing is downloaded. Playwright, which drives it, is there too.

    Where it is installed, the same browser without a desktop: it needs a third less for a page.
    """
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if found is None:
        _missing("Chromium is not installed (Debian: chromium-headless-shell, or chromium)")
    if importlib.util.find_spec("playwright") is None:
        _missing("Playwright is not installed (make setup)")
    return str(found)


def _missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def office(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A town whose misprinted September is imported, up as its clerk starts it."""
    folder = tmp_path_factory.mktemp("browser")
    desk = Desk(folder / "office")
    misprinted = write_town(folder / "misprinted", MISPRINTED, period=MISPRINTED_PERIOD)
    export = write_town(folder / "larkspur", TOWN, period=PERIOD)
    assert desk("init").status == 0
    assert desk("import", misprinted).status == 0
    with office_up(desk, folder, **UP) as up:
        running = Running(desk, up.url, up.words, export)
        _eventually(
            lambda: running.ask("deployments/count", CLOSE) == "1", "the office is up", up.process
        )
        yield running


def _eventually(look: Callable[[], bool], what: str, process: Any = None) -> None:
    end = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < end and (process is None or process.poll() is None), what
        time.sleep(0.3)


@pytest.fixture(scope="module")
def clerk(chromium: str, office: Running) -> Iterator[Clerk]:
    """
    Somebody at the browser, signed in.

    For one module: as long as Playwright is there, nothing else in the process may use asyncio.
    """
    from playwright.sync_api import sync_playwright

    from tests.browser.clerk import Clerk

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[*ALONE, *([] if os.environ.get(FOLDER) else NO_GRAPH)],
        )
        page = browser.new_page(viewport=WINDOW, timezone_id="America/Denver", locale="en-US")
        page.set_default_timeout(60_000)
        someone = Clerk(page, office.url, Camera(page))
        someone.sign_in(office.words)
        yield someone
        browser.close()
