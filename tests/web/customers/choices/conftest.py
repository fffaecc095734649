"""Portal users at the desk: a tenant, a neighbor and a landlord, each signed in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx
import pytest

from domain.identity import UserState
from identity.sessions import begin_session
from identity.users import make_user
from office.secrets.files import make_secret
from tests.builders import a_household, close_run, stage_run
from tests.office.health_builders import an_office_at
from tests.web.conftest import asking

TENANT, NEIGHBOR, LANDLORD = "tess@example.com", "ned@example.com", "lara@example.org"
MINE, THEIRS = "0110371", "0220482"


@dataclass
class Person:
    """Somebody signed in, who asks the desk as a browser does."""

    number: int
    address: str
    _ask: Any
    _token: str
    _csrf: str = ""

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._send("GET", path, **more)

    def head(self, path: str) -> httpx.Response:
        return self._send("HEAD", path)

    def post(self, path: str, csrf: str | None = None, **fields: Any) -> httpx.Response:
        """Send a form with the session's token, or with another one."""
        token = self.csrf if csrf is None else csrf
        return self._send("POST", path, data={"csrf": token, **fields})

    @property
    def csrf(self) -> str:
        if not self._csrf:
            found = re.search(r'name="csrf" value="([^"]+)"', self.get("/link").text)
            assert found
            self._csrf = found[1]
        return self._csrf

    @property
    def who(self) -> str:
        return f"customer {self.number}"

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        cookies = f"portal={self._token}; __Host-portal={self._token}"
        return self._ask(method, path, headers={"cookie": cookies}, **more)


def words(answer: httpx.Response) -> str:
    """The words of a page, without its tags."""
    main = answer.text.partition("<main")[2] or answer.text
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


@pytest.fixture
def office(tmp_path, books):
    """An office of the third of November, whose portal is on this machine alone."""
    make_secret(tmp_path)
    return an_office_at(tmp_path, books, "2026-11-03T09:00")


@pytest.fixture
def town(books):
    """Two accounts: the tenant's, whose landlord Lara is, and the neighbor's; closed."""
    stage_run(
        books,
        a_household("01.1037.1", mandates=(), links=((TENANT, True),), cosigner_id="L1", email=""),
        a_household("02.2048.2", mandates=(), links=((NEIGHBOR, False),), email=""),
        landlords=(("L1", LANDLORD),),
    )
    close_run(books)
    return books


@pytest.fixture
def sign_in(office, town):
    ask = asking(office)

    return lambda address: signed_in(office, town, ask, address)


def signed_in(office, town, ask, address: str) -> Person:
    """Make a portal user of an address, with a session."""
    with town.writing() as books:
        user = make_user(books, address, office.due_now(), UserState.ACTIVE)
        token = begin_session(books, office.due_now(), user=user)
    return Person(user, address, ask, token)


@pytest.fixture
def tenant(sign_in) -> Person:
    return sign_in(TENANT)


@pytest.fixture
def neighbor(sign_in) -> Person:
    return sign_in(NEIGHBOR)


@pytest.fixture
def landlord(sign_in) -> Person:
    return sign_in(LANDLORD)


def add_method(person: Person, token: str = "tok_ok") -> str:
    """Add a test method as a browser does; return what stands for it in addresses."""
    before = methods_of(person)
    page = person.post("/wallet/add").headers["location"]
    back = person.post(page, token=token).headers["location"]
    assert person.get(back).headers["location"] == "/wallet?done=added"
    (added,) = methods_of(person) - before
    return added


def methods_of(person: Person) -> set[str]:
    return set(re.findall(r'action="/wallet/([0-9a-f]{16})/remove"', person.get("/wallet").text))
