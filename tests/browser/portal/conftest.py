"""Customers at a browser: a portal that is served here, and Chromium before it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from email import message_from_bytes, policy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.responses import Response

from database.books import Database
from database.tables import bill, movement
from domain.identity import Role
from domain.money import Money
from domain.movements import MovementKind
from identity.passwords import Passwords
from identity.staff import add_staff, choose_staff_password
from office.secrets.files import make_secret
from office.settings.close import WebSettings
from tests.browser.camera import FOLDER
from tests.browser.conftest import ALONE, NO_GRAPH, _missing
from tests.builders import NOW, RUN, a_household, close_run, stage_run
from tests.mail.real_servers import free_port
from tests.office.health_builders import an_office_at
from tests.web.customers.conftest import PASSWORD, register
from web.desk import desk_of

# localhost is reached as a name: passkeys know no IP addresses.
LOCAL = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# A telephone in every run: what does not fit or is too small to press shows there.
AT_A_DESK = pytest.param(DESKTOP, id="desk", marks=pytest.mark.release)
WINDOWS = pytest.mark.parametrize("window", [AT_A_DESK, pytest.param(PHONE, id="phone")])
PATIENCE = 20  # seconds
# What Chromium says where a page of work that has just ended loaded itself anew meanwhile.
OVERTAKEN = ("net::ERR_ABORTED", "interrupted by another navigation")
MINE, THEIRS = "0110371", "0220002"
# Ruling 23: what the law asks of the pages, and what we ask of them beyond it.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What stands in a frame is not looked at: it is Cloudflare's, or a mail. axe would only ask there
# for another axe, which is told as an error of the page. A selector for each element of a page
# would take longer than to find what is wrong with it.
_LOOK = """async (rules) => {
    const told = { resultTypes: ["violations"], selectors: false, iframes: false };
    const found = await axe.run(document, { runOnly: rules, ...told });
    return found.violations.map(one => one.id + ": " + one.nodes.map(node => node.html).join(" "));
}"""
# What axe judges by: elements and attributes, and whether there are words, whatever they say. Where
# a link leads, what a form keeps and the numbers in names are other words alone.
_SHAPE = """() => {
    const copy = document.documentElement.cloneNode(true);
    const texts = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.trim() && "x";
    for (const one of copy.querySelectorAll("*"))
        for (const name of ["href", "src", "srcset", "action", "nonce", "content", "value"])
            if (one.getAttribute(name)?.match(/^[^#]/)) one.setAttribute(name, "x");
    return innerWidth + " " + copy.outerHTML.replace(/[0-9]+/g, "0");
}"""
_seen: set[str] = set()  # shapes of pages that axe found nothing wrong with
# From the portal's own origin: then the browser keeps it, where a text that is evaluated is sent
# and compiled anew for each page.
AXE = "/axe-for-tests.js"
_LOAD = """place => new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.onload = () => { script.remove(); loaded(); };
    script.onerror = () => failed(new Error(place));
    script.src = place;
    document.head.append(script);
})"""


# Amounts in tables that one must scroll sideways for. Staff's lists have many columns and may.
_CUT_OFF = """() => [...document.querySelectorAll(".scroll table:not(.list) .num")]
    .filter(one => !one.closest("thead") && one.getBoundingClientRect().right
        > one.closest(".scroll").getBoundingClientRect().right + 1)
    .map(one => one.textContent.trim())"""


@dataclass
class Portal:
    """A portal that is served; `office` is whose it is."""

    office: Any
    url: str

    def mailed(self, address: str, words: str) -> str:
        """Return the path of the link in the mail to an address whose text has some words."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for path in self.office.home.rglob("*.eml"):
                mail = message_from_bytes(path.read_bytes(), policy=policy.default)
                text = mail.get_body(("plain",)).get_content()
                if mail["To"] == address and words in text:
                    return re.search(rf"{self.url}(/\S+)", text)[1]
            time.sleep(0.05)
        raise AssertionError(f"no mail to {address} with {words}")


@dataclass
class Customer:
    """Somebody before the browser; whatever the browser complains of is kept."""

    page: Any
    portal: Portal
    has_axe: bool
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.go(self.portal.url + path)

    def go(self, url: str) -> None:
        """Go to a page, again where the one before loaded itself anew at the same moment."""
        from playwright.sync_api import Error

        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.page.goto(url)
            except Error as overtaken:
                if time.monotonic() > end or not any(how in str(overtaken) for how in OVERTAKEN):
                    raise
                self.page.wait_for_timeout(50)  # or the navigation given up meets the next one
            else:
                return

    def write(self, **fields: str) -> None:
        """Fill in fields by what stands beside them, `Email_address`."""
        for label, text in fields.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(text)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).first.click()

    def follow(self, link: str) -> None:
        self.page.get_by_role("link", name=link, exact=True).first.click()

    def see(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for(timeout=PATIENCE * 1000)

    def sign_in(self, address: str) -> None:
        self.open("/sign-in")
        self.write(Email_address=address, Password=PASSWORD)
        self.press("Sign in")

    def look(self, name: str = "") -> None:
        """
        Hold a page to WCAG 2.2 AA as far as a machine can, and to the width of the window.

        A page that differs from an earlier one in its words alone is not held to it again.
        """
        if self.has_axe and (shape := self.page.evaluate(_SHAPE)) not in _seen:
            self.page.evaluate(_LOAD, AXE)
            assert [] == self.page.evaluate(_LOOK, RULES), self.page.url
            _seen.add(shape)
        wide, window = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= window, f"{self.page.url} is {wide} wide in a window of {window}"
        assert [] == self.page.evaluate(_CUT_OFF), self.page.url
        if name and os.environ.get(FOLDER):
            folder = Path(os.environ[FOLDER])
            self.page.screenshot(path=folder / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def has_axe() -> bool:
    """Whether axe-core is there (Mozilla Public License, for tests alone); .ci/run fetches it."""
    if not _axe() and os.environ.get("CI"):
        _missing("axe-core is not there (BILLCLOSE_TEST_AXE)")
    return bool(_axe())


@cache
def _axe() -> str:
    place = os.environ.get("BILLCLOSE_TEST_AXE", "")
    return Path(place).read_text(encoding="utf-8") if place and Path(place).is_file() else ""


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Any]:
    """Chromium for one module: as long as it is there, this thread may use no asyncio."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[ALONE[0], LOCAL, *NO_GRAPH]
        )
        yield browser
        browser.close()


@pytest.fixture
def office_settings() -> dict[str, Any]:
    """Sections of the office's settings, for modules that want others."""
    return {}


@pytest.fixture
def portal(tmp_path, empty_sqlite, office_settings) -> Iterator[Portal]:
    """October is closed: an account with a bill, its landlord, and somebody else's account."""
    shutil.copy(empty_sqlite, tmp_path / "billclose.db")
    books = Database(f"sqlite:///{tmp_path / 'billclose.db'}")
    make_secret(tmp_path)
    stage_run(
        books,
        a_household(
            "01.1037.1", mandates=(), balance="45.50", name="O'NEIL, ANN", last_name="O'NEIL",
            cosigner_id="L1",
        ),
        a_household("02.2000.2", mandates=(), cosigner_id="L1"),
        landlords=(("L1", "lara@portal.example"),),
    )  # fmt: skip
    close_run(books)
    port = free_port()
    url = f"http://localhost:{port}"
    settings = {"web": WebSettings(url=url)} | office_settings
    settings["web"] = settings["web"].model_copy(update={"url": url})
    office = an_office_at(tmp_path, books, "2026-11-03T09:00", **settings)
    _file_bill(office)
    with _served(desk_of(office), port):
        yield Portal(office, url)
    books.close()


@contextlib.contextmanager
def _served(app: Any, port: int) -> Iterator[None]:
    server = uvicorn.Server(
        uvicorn.Config(
            _beside_axe(app),
            host="127.0.0.1",
            port=port,
            log_config=None,
            lifespan="on",
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    end = time.monotonic() + PATIENCE
    while not server.started:
        assert time.monotonic() < end and thread.is_alive(), "the portal did not start"
        time.sleep(0.02)
    yield
    server.should_exit = True
    thread.join()


def _beside_axe(app: Any) -> Any:
    """Answer with axe at its own path, and as the portal does at all others."""
    axe = Response(_axe(), media_type="text/javascript", headers={"Cache-Control": "max-age=9999"})

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await (axe if scope.get("path") == AXE else app)(scope, receive, send)

    return answer


def _file_bill(office: Any) -> None:
    path = f"{RUN}/utility-bill/01.1037.1.pdf"
    office.store.write(path, b"%PDF-1.7")
    with office.database.writing() as books:
        books.execute(
            bill.insert().values(
                period=RUN, form="utility-bill", account_key=MINE, ordinal=1, account="01.1037.1",
                bulk=0, first_page=0, pages=2, pdf=path, sha256="0" * 64, size=20,
            )
        )  # fmt: skip
        books.execute(
            movement.insert().values(
                period=RUN, line=1, account_key=MINE, account="01.1037.1",
                posted_on=date(2026, 10, 31), service="Water", description="Water",
                kind=MovementKind.BILLING, amount=Money(45_50), usage=7.5,
            )
        )  # fmt: skip


@pytest.fixture
def someone(chrome, portal, has_axe):
    """Open a browser of its own: `someone(PHONE, locale="es-US", java_script_enabled=False)`."""
    opened = []

    def come(window: dict[str, int] = DESKTOP, **options: Any) -> Customer:
        settings = {"locale": "en-US", "reduced_motion": "reduce"} | options
        context = chrome.new_context(viewport=window, timezone_id="America/Denver", **settings)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        scripts = settings.get("java_script_enabled", True)
        customer = Customer(page, portal, has_axe and scripts)
        page.on("console", lambda said: customer.complaints.append(said.text))
        page.on("pageerror", lambda failure: customer.complaints.append(str(failure)))
        opened.append((context, customer))
        return customer

    yield come
    for context, customer in opened:
        context.close()
        # What a page says with 4xx is told in the console, too, and is meant.
        said = [one for one in customer.complaints if "status of 4" not in one]
        assert [] == said


@pytest.fixture
def known(portal):
    """Make somebody who is registered: `known(ANN, MINE)`."""
    return lambda address, *accounts: register(portal.office, address, accounts=accounts)


@pytest.fixture
def staff(portal, someone) -> Callable:
    """Sign somebody of the staff in at a window: `staff(Role.AUDITOR, PHONE)`."""

    def sign_in(role: Role, window: dict[str, int]):
        office, mailbox = portal.office, f"{role}@larkspur.example"
        with office.database.writing() as books:
            mail = add_staff(books, office.link_tokens, mailbox, role, NOW, "anna")
        token = office.link_tokens.token(mail.link)
        assert choose_staff_password(office.database, Passwords(), token, PASSWORD, NOW)
        person = someone(window)
        person.open("/office/sign-in")
        person.write(Email_address=mailbox, Password=PASSWORD)
        person.press("Sign in")
        person.see(f"Signed in as {role}")
        return person

    return sign_in


def file_a_year(office: Any) -> None:
    """Give the account two years of water and sewer, month by month, before its last bill."""
    for months in range(1, 21):
        whole = 2026 * 12 + 9 - months
        year, month = whole // 12, whole % 12 + 1
        period, ends_on = f"{year}-{month:02}", date(year, month, 28)
        stage_run(
            office.database,
            a_household("01.1037.1", mandates=(), name="O'NEIL, ANN", last_name="O'NEIL"),
            period=period,
            ends_on=ends_on,
            due_on=ends_on + timedelta(days=20),
        )
        close_run(office.database, period)
        used = 5 + (month * 7 + year) % 11
        with office.database.writing() as books:
            books.execute(
                movement.insert(),
                [
                    {
                        "period": period, "line": line, "account_key": MINE,
                        "account": "01.1037.1", "posted_on": ends_on, "service": service,
                        "description": service, "kind": MovementKind.BILLING,
                        "amount": Money(cents), "usage": usage, "unit": unit, "reference": "",
                    }
                    for line, (service, cents, usage, unit) in enumerate(
                        [("Water", 300 * used, float(used), "CCF"), ("Sewer", 21_00, None, "")]
                    )
                ],
            )  # fmt: skip
