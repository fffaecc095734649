"""An office and its web desk, asked in this process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import httpx
import pytest
from starlette.routing import Route

from database.books import Database
from office.equipment.office import Office
from office.secrets.files import make_secret
from office.settings.close import ExportsSettings
from office.settings.mail import CommunicationsSettings
from tests.office.health_builders import an_office_at
from tests.web import one_loop
from web import desk as desks
from web.desk import desk_of

LINKED = ExportsSettings(link_url="https://desk.example/exports/{token}")
NEWS = CommunicationsSettings(
    unsubscribe_url="https://desk.example/unsubscribe/{token}",
    link_url="https://desk.example/communications/{number}",
)


@pytest.fixture(scope="session", autouse=True)
def routes_made_once() -> Iterator[None]:
    """Spare each desk the making of some 350 routes: they know nothing of an office."""
    make = desks._pages
    made: dict[tuple[str, ...], list[Route]] = {}

    def pages(office: Office) -> list[Route]:
        served = tuple(office.settings.web.serves)
        if served not in made:
            made[served] = make(office)
        return made[served]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(desks, "_pages", pages)
        yield


@pytest.fixture
def books(empty_sqlite, tmp_path):
    shutil.copy(empty_sqlite, tmp_path / "billclose.db")
    made = Database(f"sqlite:///{tmp_path / 'billclose.db'}")
    yield made
    made.close()


@pytest.fixture
def office(tmp_path, books):
    make_secret(tmp_path)
    return an_office_at(tmp_path, books, "2026-11-03T09:00", exports=LINKED, communications=NEWS)


@pytest.fixture
def ask(office):
    """Ask the desk: `ask("GET", "/health", client="203.0.113.9")`."""
    return asking(office)


def asking(office):
    desk = desk_of(office)

    def ask(method: str, path: str, client: str = "127.0.0.1", **more) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(desk, raise_app_exceptions=False, client=(client, 1234))
            async with httpx.AsyncClient(
                transport=transport, base_url="https://desk.example"
            ) as asked:
                return await asked.request(method, path, **more)

        return one_loop.run(once)

    return ask
