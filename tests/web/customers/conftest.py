"""A customer at the portal: a browser without a screen, asked in this process."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from database.definitions.identity import one_time_link
from domain.identity import LinkProof, UserState
from identity.account_links import add_link
from identity.users import make_user, set_password
from office.settings.close import WebSettings
from tests.builders import NOW, a_household, close_run, stage_run
from tests.office.health_builders import an_office_at
from tests.web import one_loop
from web.desk import desk_of

ANN, BOB, PASSWORD = "ann@portal.example", "bob@portal.example", "correct horse battery"
URL = "https://pay.larkspur.example"


@dataclass
class Browser:
    """Keeps cookies, follows no redirect by itself, and knows the token of the last page's form."""

    app: Any
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    page: httpx.Response | None = None
    address: str = URL

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._ask("GET", path, **more)

    def head(self, path: str) -> httpx.Response:
        return self._ask("HEAD", path)

    def post(self, path: str, /, **fields: str) -> httpx.Response:
        """Send the form as the page gave it, its token included."""
        return self._ask("POST", path, data={"csrf": self.token} | fields)

    def ask_with_files(self, path: str, fields: dict[str, str], files: Any) -> httpx.Response:
        """Send a form with files, as a browser sends it."""
        return self._ask("POST", path, data=fields, files=files)

    def send(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> Any:
        return self._ask("POST", path, data=fields, headers=headers or {})

    def sign_in(self, address: str = ANN, password: str = PASSWORD) -> httpx.Response:
        return self.send("/sign-in", email=address, password=password)

    @property
    def token(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.page.text if self.page else "")
        return found[1] if found else ""

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
            async with httpx.AsyncClient(
                transport=transport, base_url=self.address, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **more)
                self.cookies = client.cookies
                return answer

        answer = one_loop.run(once)
        if answer.status_code < 300:
            self.page = answer
        return answer


@pytest.fixture
def office(tmp_path, empty_sqlite):
    """An office whose October is closed: Ann's account, and one of somebody else's."""
    import shutil

    from database.books import Database

    shutil.copy(empty_sqlite, tmp_path / "billclose.db")
    books = Database(f"sqlite:///{tmp_path / 'billclose.db'}")
    yield an_office_with(tmp_path, books)
    books.close()


def an_office_with(home, books, *, is_closed: bool = True):
    """Let the office keep these books; on either kind of database."""
    from office.secrets.files import make_secret

    make_secret(home)
    stage_run(books, a_household("01.1037.1", balance="45.50"), a_household("02.2000.2"))
    if is_closed:
        close_run(books)
    return an_office_at(home, books, "2026-11-03T09:00", web=WebSettings(url=URL))


@pytest.fixture
def app(office):
    return desk_of(office)


@pytest.fixture
def browser(app):
    return Browser(app)


@pytest.fixture
def ann(city):
    """Ann, signed in: in a module that says with `city` what her office lets her do."""
    browser = Browser(desk_of(city))
    browser.sign_in()
    return browser


def register(office, address: str = ANN, *, accounts: tuple[str, ...] = ()) -> int:
    """Make an active portal user with a password, and link accounts by their keys."""
    from identity.passwords import Passwords

    kept = Passwords().to_hash(PASSWORD)
    with office.database.writing() as books:
        user = make_user(books, address, NOW, UserState.ACTIVE)
        set_password(books, user, kept, NOW)
        for key in accounts:
            add_link(books, user, key, LinkProof.NAME, NOW, "the customer")
    return user


def newest_link(office) -> str:
    """Return the token of the link that was made last, as the mail would have it."""
    with office.database.reading() as books:
        key = books.execute(one_time_link.select().order_by(one_time_link.c.made_at)).all()[-1].key
    return office.link_tokens.token(key)
