"""Builders of small billing exports: one plausible default, a test names only what matters."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

ACCOUNT = {
    "account_number": "01.1037.1",
    "name": "Beltran, Sven",
    "last_name": "Beltran",
    "service_address": "101 Canyon St",
    "mailing_address": "101 Main St",
    "city": "Larkspur",
    "state": "UT",
    "zip": "84999",
    "phone": "801-555-0123",
    "email": "sven@example.com",
    "ebill": "Y",
    "send_paper": "N",
    "status": "active",
    "opening_balance": "0.00",
    "closing_balance": "27.35",
    "equal_pay_amount": "",
    "direct_pay": "N",
    "block_ach": "N",
    "block_card": "N",
    "cosigner_id": "",
}
MOVEMENT = {
    "account_number": "01.1037.1",
    "date": "2026-10-31",
    "service": "WATER",
    "description": "Automatic Billing",
    "type": "billing",
    "amount": "27.35",
    "usage": "4",
}
PORTAL_USER = {"email": "sven@example.com", "name": "Sven Beltran"}
PORTAL_LINK = {
    "portal_user": "SVEN@example.com",
    "account_number": "01-1037-1",
    "paperless": "Y",
}
COSIGNER = {"cosigner_id": "LL1", "name": "Holdings LLC", "portal_user": "Landlord@example.net"}
METHOD = {"token": "tok_7_1", "portal_user": "sven@example.com", "kind": "ach", "last4": "0113"}
AUTOPAY = {
    "account_number": "01.1037.1",
    "portal_user": "sven@example.com",
    "method_token": "tok_7_1",
    "days_prior": "5",
    "maximum": "",
    "enrolled_on": "2026-04-09",
    "status": "active",
}
MANIFEST = r"""
[utility]
name = "City of Larkspur"
timezone = "America/Denver"

[period]
id = "2026-10"
start = 2026-10-01
end = 2026-10-31
due_date = 2026-11-20

[control_totals]
accounts = 1
bills = 1
opening_balance = "0.00"
billed = "27.35"
payments = "0.00"
adjustments = "0.00"
penalties = "0.00"
closing_balance = "27.35"

[[documents]]
form = "utility-bill"
file = "bills.pdf"
account = 'Account:\s*([0-9.\-]+)'
"""


def a_table(*rows: dict[str, str], delimiter: str = ",") -> str:
    """One table as the billing system writes it; the first row gives the headings."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def export_files(**changes: str | bytes | None) -> dict[str, str | bytes]:
    """
    The files of a small, correct export by name (without accounts' `.csv`).

    A change replaces a file (`accounts=a_table(...)`, `bundle=...`, `bills=...`), None removes it.
    """
    files: dict[str, str | bytes | None] = {
        "bundle": MANIFEST,
        "bills": b"%PDF-1.4 small",
        "accounts": a_table(ACCOUNT),
        "transactions": a_table(MOVEMENT),
        "portal_users": a_table(PORTAL_USER),
        "portal_links": a_table(PORTAL_LINK),
        "cosigners": a_table(COSIGNER),
        "payment_methods": a_table(METHOD),
        "autopay": a_table(AUTOPAY),
    } | changes
    endings = {"bundle": ".toml", "bills": ".pdf"}
    return {
        f"{name}{endings.get(name, '.csv')}": content
        for name, content in files.items()
        if content is not None
    }


def write_export(folder: Path, **changes: str | bytes | None) -> Path:
    """Write an export into a folder, which then holds nothing else; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content in export_files(**changes).items():
        raw = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(raw)
    return folder


def write_zip(path: Path, *, top: str = "", **changes: str | bytes | None) -> Path:
    """Write the same as a .zip, perhaps with everything in one folder."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in export_files(**changes).items():
            archive.writestr(f"{top}{name}", content)
    return path
