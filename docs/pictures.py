"""
The pictures of the README, of office.md, of texts and of the rehearsal, taken from the demo's city:

    .venv/bin/python docs/pictures.py

It makes the city in a temporary folder, beside it an office whose October waits for a yes, and
serves the pages of both; two to three minutes. Prefect's pictures are taken by a test:

    export BILLCLOSE_PICTURES=docs/pictures
    .venv/bin/python -m pytest tests/browser/test_closing_in_prefect.py
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pypdfium2
from PIL import Image
from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
BILLCLOSE = Path(sys.executable).with_name("billclose")
WIDE, PAPER = {"width": 1200, "height": 860}, {"width": 816, "height": 1218}
TALL = {"width": 1280, "height": 1147}
COLORS = 64  # text on paper: a third of the octets, and nobody sees it
WHO, PASSWORD = "admin@alderfalls.example", "a demo is not a secret"
ACCOUNT, PERIOD = "01.1185.1", "2026-10"
PHONE = "(970) 555-0142"
CLOSED, LATER = "2026-11-02T09:00", "2026-11-06T12:00"
STATUS_WAITS = 4
PATIENCE = 60  # seconds until a server answers
OFFICE = {
    "start": "/office",
    "close": f"/office/close/{PERIOD}",
    "exceptions": "/office/exceptions",
    "payments": "/office/payments",
    "autopay": "/office/autopay",
    "customer": f"/office/customers/{ACCOUNT}",
    "communications": "/office/communications/templates/edit?name=utility-bill",
    "emails": "/office/emails",
    "deposits": "/office/deposits",
    "settings": "/office/settings/health",
    "audit": "/office/audit",
}


def main() -> None:
    """Make the two homes, serve them one after the other, and write every picture."""
    with tempfile.TemporaryDirectory(prefix="billclose-pictures-") as place:
        city, waiting = Path(place) / "demo-home", Path(place) / "waiting"
        told = _billclose(city, "demo")
        _prepare_waiting(waiting, city / "export")
        link = json.loads(
            _billclose(waiting, "staff", "add", WHO, "--role", "admin", "--print-link", "--json")
        )["link"]
        customer = next(line.split()[-1] for line in told.splitlines() if "two accounts" in line)
        bill = next((city / "bills" / PERIOD).rglob(f"*{ACCOUNT}*.pdf"))
        _write(pypdfium2.PdfDocument(bill)[0].render(scale=1.28).to_pil(), "bill")
        with _browsing() as pictured:
            with pictured(PAPER, "report") as page:
                page.goto((city / "reports" / f"close-{PERIOD}.html").as_uri())
            with pictured(WIDE, "rehearsal") as page:
                page.goto((Path(place) / "rehearsal.html").as_uri())
            with _served(city, LATER) as url:
                with pictured(WIDE, "portal") as page:
                    _sign_in(page, f"{url}/sign-in", customer)
                for name, path in OFFICE.items():
                    with pictured(WIDE, f"office/{name}") as page:
                        _sign_in(page, f"{url}/office/sign-in", WHO)
                        answer = page.goto(f"{url}{path}")
                        if answer is None or not answer.ok:
                            raise SystemExit(f"{path} is not there.")
                with pictured(TALL, "texts") as page:
                    _sign_in(page, f"{url}/sign-in", customer)
                    _choose_texts(page, f"{url}/account/texts", city / "texts")
            with _served(waiting, CLOSED) as url, pictured(WIDE, "close") as page:
                page.goto(f"{url}/office/password/{link.rpartition('/')[2]}")
                for field in page.locator("input[type=password]").all():
                    field.fill(PASSWORD)
                page.get_by_role("button").last.click()
                _sign_in(page, f"{url}/office/sign-in", WHO)
                page.goto(f"{url}/office/close/{PERIOD}")


def _prepare_waiting(home: Path, export: Path) -> None:
    """Make an office whose close is ready but for the yes, and the report of its rehearsal."""
    _billclose(home, "init", "--rehearsal")
    report = home.parent / "rehearsal.html"
    rehearsed = ("--dry-run", "--report", str(report))
    _billclose(home, "close", str(export), "--as-of", CLOSED, *rehearsed)
    _billclose(home, "close", str(export), "--as-of", CLOSED, status=STATUS_WAITS)


def _billclose(home: Path, *words: str, status: int = 0) -> str:
    """Run a command in a home and return what it says; nobody is there to be asked."""
    done = subprocess.run(
        [BILLCLOSE, "--home", home, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != status:
        raise SystemExit(f"{words[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout


@contextmanager
def _served(home: Path, as_of: str) -> Iterator[str]:
    """Serve the pages of a home on a free port; staff need no phone for it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    serving = subprocess.Popen(
        [BILLCLOSE, "--home", home, "web", "--port", str(port), "--as-of", as_of],
        env=os.environ | {"BILLCLOSE_WEB__STAFF_TOTP": "false"},
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"{url}/office/sign-in")
        yield url
    finally:
        serving.terminate()
        serving.wait()


def _wait_for(url: str) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            urlopen(url).close()  # noqa: S310 - of this machine
            return
        except (URLError, OSError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


Pictured = Callable[[Any, str], Any]


@contextmanager
def _browsing() -> Iterator[Pictured]:
    """Yield what opens a window of a size, and writes under a name what it shows at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))

        @contextmanager
        def pictured(size: Any, name: str) -> Iterator[Page]:
            page = browser.new_page(viewport=size, timezone_id="America/Denver")
            yield page
            page.wait_for_load_state()
            shown = page.screenshot(animations="disabled")
            _write(Image.open(io.BytesIO(shown)), name)
            page.close()

        yield pictured
        browser.close()


def _sign_in(page: Page, url: str, address: str) -> None:
    page.goto(url)
    page.get_by_label("Email address").fill(address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda now: "sign-in" not in now)


def _choose_texts(page: Page, url: str, folder: Path) -> None:
    """Have texts sent to a phone; where no carrier is set they are files, with the code in one."""
    page.goto(url)
    page.get_by_label("Mobile phone number").fill(PHONE)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send me a code").click()
    end = time.monotonic() + PATIENCE
    while not (told := [file.read_text("utf-8") for file in folder.rglob("*.txt")]):
        if time.monotonic() > end:
            raise SystemExit(f"No text is in {folder}.")
        time.sleep(0.2)
    code = re.search(r"\d{6}(?= is your code)", told[0])
    assert code
    page.get_by_label("Six-digit code").fill(code[0])
    page.get_by_role("button", name="Get text messages").click()


def _write(picture: Image.Image, name: str) -> None:
    small = picture.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    small.save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
