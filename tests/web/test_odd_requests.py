"""Whatever a browser or a program sends to a page: it is answered or refused, never an error."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from starlette.routing import Route

import web
from domain.identity import Role
from tests.release import so_many
from tests.web.csr.conftest import (  # noqa: F401 - fixtures
    customer,
    desk,
    member,
    office,
    signed_in,
    town,
)
from tests.web.customers.conftest import URL, Browser
from web.visits import row_number

FIELD = re.compile(
    r"""name=["']([a-z_]+)["']|\b(?:form|asked|fields|query|said)[.a-z_]*[(\[]"([a-z_]+)\""""
)
ROUNDS = so_many(1, release=25)  # of each page
PLACES = ("01.1037.1", "2026-10", "1", "no-such-thing", "9" * 30, "²")  # there, and not
ODD = (
    *("", " ", "\0", "a\0b", "\u202eevil\u202c", "<script>alert(1)</script>", "'; DROP TABLE bill"),
    *("x" * 20_000, "9" * 400, "-1", "0", "1e999", "NaN", "١٢٣", "²", "1.005", "$1,027.35", "½"),
    *("2026-02-30", "0000-00-00", "9999-12-31", "2026-11-03T25:00", "2026-10", "01.1037.1"),
    *("{}", "[]", "null", "true", "../../etc/passwd", "a@b", "ann@portal.example", "\ud83d\ude00"),
    *("%00", "%", "\r\nSet-Cookie: a=b", "tok_ok", "held", "on", "1", "2"),
)
HARD = ("9" * 30, "²", "1", "a\0b")  # in all fields at once: what looks like a number, or is one
BODIES = (
    (b"", "application/x-www-form-urlencoded"),
    (b"%ff%fe=%00&csrf", "application/x-www-form-urlencoded"),
    (b'{"csrf": ["a"], "amount": {"b": 1e400}}', "application/json"),
    (b"--x\r\nContent-Disposition: form-data\r\n\r\n", "multipart/form-data; boundary=x"),
    (b"not a form at all", "multipart/form-data"),
    (b"<a>" * 500, "text/xml; charset=no-such-charset"),
    (b"csrf=a&csrf=b&amount=1&amount=2", "application/x-www-form-urlencoded; charset=utf-16"),
)


def fields() -> list[str]:
    """Every name that a form or a page's code knows of."""
    names = set()
    for file in Path(web.__file__).parent.rglob("*"):
        if file.suffix in (".py", ".html"):
            found = FIELD.findall(file.read_text(encoding="utf-8"))
            names |= {one or other for one, other in found}
    return sorted(names - {"csrf"})


def places(route: Route, chance: Random) -> str:
    """An address of a page, with something or nothing at each of its parts."""

    def part(found: re.Match[str]) -> str:
        return chance.choice(("1", "9" * 30)) if ":int" in found[0] else chance.choice(PLACES)

    return re.sub(r"\{[^}]+\}", part, route.path)


def requests(route: Route, names: list[str], token: str, chance: Random) -> Iterator[Any]:
    """Odd requests to a page: as a form with its token, as a question, as no form at all."""
    if "POST" in (route.methods or ()):
        for value in HARD[: so_many(1, release=4)]:
            yield "POST", {"data": {"csrf": token} | dict.fromkeys(names, value)}
    for _ in range(ROUNDS):
        typed = {name: chance.choice(ODD) for name in names if chance.random() < 0.7}
        doubled = {name: [chance.choice(ODD), chance.choice(ODD)] for name in typed}
        typed = {name: _sendable(value) for name, value in typed.items()}
        if "POST" in (route.methods or ()):
            yield "POST", {"data": {"csrf": token} | typed}
            body, kind = chance.choice(BODIES)
            yield chance.choice(
                [
                    ("POST", {"data": {"csrf": token} | _all_sendable(doubled)}),
                    ("POST", {"content": body, "headers": {"Content-Type": kind}}),
                ]
            )
        else:
            few = chance.sample(sorted(typed), k=min(8, len(typed)))
            yield "GET", {"params": {name: typed[name][:300] for name in few}}


def _sendable(value: str) -> str:
    return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _all_sendable(values: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: [_sendable(one) for one in many] for name, many in values.items()}


def answers(browser: Browser, routes: list[Route], seed: str) -> list[tuple[str, str, int]]:
    """Send every page its odd requests; return those that were answered as an error of ours."""
    chance, names, errors = Random(seed), fields(), list[tuple[str, str, int]]()

    async def ask_all() -> None:
        transport = httpx.ASGITransport(browser.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            for route in routes:
                for method, more in requests(route, names, browser.token, chance):
                    client.cookies = httpx.Cookies(browser.cookies)
                    answer = await client.request(method, places(route, chance), **more)
                    if answer.status_code >= 500:
                        errors.append((method, route.path, answer.status_code))

    asyncio.run(ask_all())
    return errors


def routes_of(browser: Browser, *beginnings: str) -> list[Route]:
    leaves = ("/sign-out", "/office/sign-out")  # afterwards nothing else would be reached
    found = [
        route
        for route in browser.app.routes
        if isinstance(route, Route) and route.path not in leaves and "/events" not in route.path
    ]
    return [
        route
        for route in found
        if (route.path.startswith(("/office", "/csr")) and route.path.startswith(beginnings))
        or (not beginnings and not route.path.startswith(("/office", "/csr")))
    ]


@pytest.mark.parametrize(
    ("role", "beginnings"),
    [
        (Role.ADMIN, "/office"),
        (Role.CSR, "/csr"),
        pytest.param(Role.SUPERVISOR, "/office", marks=pytest.mark.release),
    ],
)
def test_no_request_to_a_page_of_staff_is_an_error_of_ours(signed_in, town, role, beginnings):  # noqa: F811
    browser = signed_in(role)
    browser.get(f"{beginnings}")

    routes = routes_of(browser, beginnings)

    assert len(routes) > 5
    assert browser.token
    assert [] == answers(browser, routes, f"{role}")


@pytest.mark.parametrize("typed", ["", "²", "-1", "1.0", "9" * 30, "\0", "１"])
def test_what_can_be_no_rows_number_is_nobodys(typed):
    assert row_number(typed) is None


def test_no_request_to_a_page_of_customers_is_an_error_of_ours(customer, desk):  # noqa: F811
    ann = customer()
    ann.get("/")

    routes = routes_of(ann)

    assert len(routes) > 20
    assert [] == answers(ann, routes, "ann")
    assert [] == answers(Browser(desk), routes, "a stranger")
