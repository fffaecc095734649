"""Small exports of one household's corrected bill, and what an office says of one account."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from tests.flows.desk import Answer, Desk
from tests.flows.town import Household, write_town

PERIOD = "2026-10"
WEDNESDAY = "2026-11-04T10:00"


def correct(
    desk: Desk, small: Path, household: Household, *options: str, at: str = WEDNESDAY, **more: str
) -> Answer:
    """Correct one household's October by a small export."""
    said = ("--period", PERIOD, "--bundle", small, "--reason", "Meter misread")
    return desk("correct", household.number, *said, "--as-of", at, "--json", *options, **more)


def small_export(folder: Path, *households: Household, **changes: Any) -> Path:
    return write_town(folder, households, **changes)


def of(desk: Desk, household: Household, what: str) -> list[dict[str, Any]]:
    return [row for row in desk.rows(what) if row["account"] == household.number]


def open_of(desk: Desk, household: Household) -> str:
    (row,) = of(desk, household, "balances")
    return str(row["open"])


def payment_of(desk: Desk, household: Household) -> tuple[str, str, str]:
    (row,) = of(desk, household, "scheduled-payments")
    return row["state"], row["amount"], row["pay_date"]


def corrected_mails(desk: Desk, household: Household) -> list[str]:
    """The text of each mail of a household that is marked as a corrected bill."""
    texts = []
    for path in sorted((desk.home / "mail").glob(f"bill-*{household.number}-*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        if str(mail["Subject"]).startswith("Corrected bill"):
            body = mail.get_body(("plain",))
            assert body is not None
            texts.append(" ".join(body.get_content().split()))
    return texts
