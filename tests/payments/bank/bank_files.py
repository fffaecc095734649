"""Bank files as banks write them, made from a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

DAY = date(2026, 11, 17)
Detail = tuple[str, int, str]  # type code, cents, what follows the amount


def bai2(*details: Detail, day: date = DAY, account: str = "0001234567") -> str:
    """A file of one account: `bai2(("142", 100_00, ",REF1,,STRIPE PAYOUT"))`."""
    return "\n".join(bai2_rows(details, day, account)) + "\n"


def bai2_rows(details: Sequence[Detail], day: date = DAY, account: str = "0001234567") -> list[str]:
    total = 500_00 + sum(cents for _, cents, _ in details)
    rows = [
        "01,BANKID,CITY,261118,0600,7,80,1,2/",
        f"02,CITY,BANKID,1,{day:%y%m%d},,USD,2/",
        f"03,{account},USD,010,50000,,/",
        *(f"16,{code},{cents},{rest}" for code, cents, rest in details),
    ]
    count = 2 + len(details)
    rows.append(f"49,{total},{count}/")
    rows.append(f"98,{total},1,{count + 2}/")
    rows.append(f"99,{total},1,{count + 4}/")
    return rows


TWO = bai2(
    ("142", 100_00, ",BREF1,CREF1,STRIPE PAYOUT po_1/"), ("455", 40_00, "Z,,,STRIPE RETURNS")
)
