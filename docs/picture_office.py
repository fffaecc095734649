"""
Pictures of the office's pages for the documentation, one of each menu, taken from a demo's office:

    billclose demo
    BILLCLOSE_WEB__STAFF_TOTP=false billclose --home demo-home web --as-of 2026-11-06T12:00 &
    .venv/bin/python docs/picture_office.py http://127.0.0.1:8480
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PICTURES = Path(__file__).parent / "pictures" / "office"
WINDOW = {"width": 1200, "height": 860}
COLORS = 64  # text on paper: a third of the octets, and nobody sees it
WHO, PASSWORD = "admin@alderfalls.example", "a demo is not a secret"
PAGES = {
    "start": "/office",
    "close": "/office/close/2026-10",
    "exceptions": "/office/exceptions",
    "payments": "/office/payments",
    "autopay": "/office/autopay",
    "customer": "/office/customers/01.1185.1",
    "communications": "/office/communications/templates/edit?name=utility-bill",
    "emails": "/office/emails",
    "deposits": "/office/deposits",
    "settings": "/office/settings/health",
    "audit": "/office/audit",
}


def main(url: str) -> None:
    """Sign in as the demo's admin and write a picture of each page."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport=WINDOW, timezone_id="America/Denver")
        page.goto(f"{url}/office/sign-in")
        page.get_by_label("Email address").fill(WHO)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_load_state()
        for name, path in PAGES.items():
            answer = page.goto(f"{url}{path}")
            if answer is None or not answer.ok:
                raise SystemExit(f"{path} is not there.")
            _write(page.screenshot(animations="disabled"), PICTURES / f"{name}.png")
        browser.close()


def _write(content: bytes, file: Path) -> None:
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
