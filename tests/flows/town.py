"""A small town's billing export, whose right outcome can be told by heart."""

from __future__ import annotations

import io
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from domain.money import ZERO, Money
from tests.builders_export import (
    ACCOUNT,
    AUTOPAY,
    COSIGNER,
    METHOD,
    MOVEMENT,
    PORTAL_LINK,
    PORTAL_USER,
    a_table,
    write_export,
)

Row = dict[str, str]


@dataclass(frozen=True)
class Household:
    """One account: what is special about it, what it is charged, and what its bill shows."""

    number: str
    name: str
    charges: str
    opening: str = "0.00"
    equal_pay: str = ""
    account: Row = field(default_factory=dict)
    portal_users: tuple[str, ...] = ()  # linked to it; the first one is paperless
    cosigner: str = ""  # the cosigner's portal user
    autopay: Row | None = None
    kind: str = "ach"
    pages: int = 1  # 0: no bill is printed
    printed: str = ""  # the amount on the bill, where it is not the amount due

    @property
    def closing(self) -> Money:
        return Money.parse(self.opening) + Money.parse(self.charges)

    @property
    def amount_due(self) -> Money:
        is_equal = self.equal_pay and self.account.get("status", "active") == "active"
        return Money.parse(self.equal_pay) if is_equal else self.closing


PAPERLESS = {"ebill": "Y", "send_paper": "N"}
ON_PAPER = {"ebill": "N", "send_paper": "Y", "email": ""}

ABBOTT = Household(
    "01.1001.1",
    "Abbott, Ann",
    "27.35",
    account=PAPERLESS | {"email": "ann.abbott@example.com"},
    autopay={"days_prior": "5"},  # a Sunday: drawn on the Friday before
)
BAKER = Household("01.1002.2", "Baker, Ben", "1,031.00", account=ON_PAPER)
COLE = Household(
    "01.1003.3",
    "Cole, Cam",
    "44.10",
    account={"ebill": "N", "send_paper": "N", "email": "cam.cole@example.com"},
    portal_users=("CAM.COLE@example.com", "dana@example.net"),
)
DUNN = Household("01.1004.4", "Dunn, Dee", "12.00", account=PAPERLESS | {"email": ""})
ELLIS = Household(
    "01.1005.5",
    "Ellis, Eve",
    "60.00",
    account=PAPERLESS | {"email": "eve.ellis@example.com"},
    cosigner="landlord@example.net",
)
FROST = Household(
    "01.1006.6",
    "Frost, Fay",
    "77.00",
    equal_pay="50.00",
    account={"ebill": "Y", "send_paper": "Y", "email": "fay.frost@example.com"},
    autopay={"days_prior": "10"},
    kind="card",
)
GRAY = Household(
    "01.1007.7",
    "Gray, Gil",
    "20.00",
    opening="-51.47",
    account=PAPERLESS | {"email": "gone-gray@example.com"},  # a mail server says no to "gone"
    autopay={},
)
HALE = Household(
    "01.1008.8",
    "Hale, Hal",
    "18.00",
    account=PAPERLESS | {"email": "+hal@example.com", "direct_pay": "Y"},
    autopay={},
)
IRWIN = Household(
    "01.1009.9",
    "Irwin, Ida",
    "90.00",
    account={"ebill": "N", "send_paper": "N", "email": ""},
    autopay={"days_prior": "30"},  # in October: drawn at once
    kind="card",
)
JONES = Household(
    "01.1010.0",
    "Jones, Joy",
    "0.00",
    account=ON_PAPER | {"status": "closed"},
    autopay={},
    pages=0,
)
KANE = Household(
    "01.1011.1",
    "Kane, Kit",
    "200.00",
    account=PAPERLESS | {"email": "kit.kane@example.com;kit@@example.com"},
    autopay={"maximum": "100.00"},
    pages=2,
)
LANE = Household(
    "01.1012.2", "Lane, Lou", "33.33", equal_pay="10.00", account=ON_PAPER | {"status": "final"}
)
TOWN = (ABBOTT, BAKER, COLE, DUNN, ELLIS, FROST, GRAY, HALE, IRWIN, JONES, KANE, LANE)


def with_household(changed: Household, town: Sequence[Household] = TOWN) -> tuple[Household, ...]:
    """The town with one household in another state; an unknown one moves in."""
    others = [found for found in town if found.number != changed.number]
    return tuple(sorted([*others, changed], key=lambda found: found.number))


MISPRINTED = with_household(replace(BAKER, printed="1,031.01"))  # bill-amount refuses it
RECHARGED = with_household(replace(BAKER, charges="1,032.00"))  # a changed export, in order again


def several_towns(number: int) -> tuple[Household, ...]:
    """The same households in several districts."""
    return tuple(
        replace(found, number=f"{district:02}{found.number[2:]}")
        for district in range(1, number + 1)
        for found in TOWN
    )


def write_town(
    folder: Path,
    town: Sequence[Household] = TOWN,
    *,
    period: str = "2026-10",
    **changes: str | bytes | None,
) -> Path:
    """Write the export of a town; a change replaces a file, as in `write_export`."""
    year, month = map(int, period.split("-"))
    month_after = f"{year + month // 12}-{month % 12 + 1:02}"
    last = f"{period}-{monthrange(year, month)[1]}"
    enrolled = [found for found in town if found.autopay is not None]
    files: dict[str, str | bytes | None] = {
        "bundle": manifest(town, period, last, f"{month_after}-20"),
        "bills": printed_bills(town, f"{month % 12 + 1:02}/20/{month_after[:4]}"),
        "accounts": a_table(*map(_account, town)),
        "transactions": a_table(*(_movement(found, last) for found in town if found.pages)),
        "portal_users": _some([PORTAL_USER | {"email": user} for user in _users(town)]),
        "portal_links": _some(_links(town)),
        "cosigners": _some(_cosigners(town)),
        "payment_methods": _some([_method(found) for found in enrolled]),
        "autopay": _some([_mandate(found) for found in enrolled]),
    }
    return write_export(folder, **(files | changes))


def _some(rows: Sequence[Row]) -> str | None:
    """A table of rows; where there is none the billing system writes no file."""
    return a_table(*rows) if rows else None


def manifest(town: Sequence[Household], period: str, ends_on: str, due_on: str) -> str:
    opening = sum((Money.parse(found.opening) for found in town), ZERO)
    billed = sum((Money.parse(found.charges) for found in town), ZERO)
    return rf"""
[utility]
name = "Town of Larkspur"
timezone = "America/Denver"

[period]
id = "{period}"
start = {period}-01
end = {ends_on}
due_date = {due_on}

[control_totals]
accounts = {len(town)}
bills = {sum(found.pages > 0 for found in town)}
opening_balance = "{opening}"
billed = "{billed}"
payments = "0.00"
adjustments = "0.00"
penalties = "0.00"
closing_balance = "{opening + billed}"

[[documents]]
form = "utility-bill"
file = "bills.pdf"
account = 'Account:\s*([0-9.\-]+)'
amount_due = 'Amount Due:\s*(\(?-?\$?[\d,]+\.\d\d\)?)'
due_date = 'Due Date:\s*(\d{{1,2}}/\d{{1,2}}/\d{{4}})'
separator = "BATCH SEPARATOR"
"""


def printed_bills(
    town: Sequence[Household] = TOWN, due_on: str = "11/20/2026", **options: object
) -> bytes:
    """Print the bulk file: a separator, then a bill for each household that gets one."""
    content = io.BytesIO()
    canvas = Canvas(content, pagesize=letter, invariant=1, **options)
    print_page(canvas, ["BATCH SEPARATOR"])
    for found in town:
        amount = found.printed or found.amount_due.dollars()
        for page in range(1, found.pages + 1):
            lines = ["Town of Larkspur", f"Account: {found.number}", found.name]
            if page == 1:
                lines += [f"Amount Due: {amount}", f"Due Date: {due_on}"]
            print_page(canvas, [*lines, f"Page {page} of {found.pages}"])
    canvas.save()
    return content.getvalue()


def print_page(canvas: Canvas, lines: Sequence[str]) -> None:
    """Print one page of these lines."""
    for row, line in enumerate(lines):
        canvas.drawString(72, 720 - 20 * row, line)
    canvas.showPage()


def _account(found: Household) -> Row:
    return (
        ACCOUNT
        | {
            "account_number": found.number,
            "name": found.name,
            "last_name": found.name.partition(",")[0],
            "opening_balance": found.opening,
            "closing_balance": str(found.closing),
            "equal_pay_amount": found.equal_pay,
            "cosigner_id": f"C{found.number}" if found.cosigner else "",
        }
        | found.account
    )


def _movement(found: Household, last: str) -> Row:
    return MOVEMENT | {"account_number": found.number, "date": last, "amount": found.charges}


def _users(town: Sequence[Household]) -> list[str]:
    users = [user for found in town for user in found.portal_users]
    return users + [found.cosigner for found in town if found.cosigner]


def _links(town: Sequence[Household]) -> list[Row]:
    return [
        PORTAL_LINK
        | {
            "portal_user": user.lower(),
            "account_number": found.number.replace(".", "-"),
            "paperless": "N" if place else "Y",
        }
        for found in town
        for place, user in enumerate(found.portal_users)
    ]


def _cosigners(town: Sequence[Household]) -> list[Row]:
    return [
        COSIGNER | {"cosigner_id": f"C{found.number}", "portal_user": found.cosigner}
        for found in town
        if found.cosigner
    ]


def _method(found: Household) -> Row:
    return METHOD | {
        "token": f"tok-{found.number}",
        "portal_user": "",
        "kind": found.kind,
        "last4": found.number.replace(".", "")[-4:],
    }


def _mandate(found: Household) -> Row:
    told = {
        "account_number": found.number,
        "portal_user": "",
        "method_token": f"tok-{found.number}",
    }
    return AUTOPAY | told | (found.autopay or {})
