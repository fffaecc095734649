"""
An export of five in the afternoon, a draw at six, the close next morning: by the command.

Left for a release: the same case is shown in the books each time, in `test_boundary_plans` (what
the close tells) and `test_carrying` (what is owed, scheduled and mailed).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.flows.desk import Desk
from tests.flows.town import ABBOTT, BAKER, manifest, printed_bills, write_town

OCTOBER, NOVEMBER = "2026-10", "2026-11"
ANN = replace(ABBOTT, charges="100.00", autopay={"days_prior": "0"})
LATER = replace(ANN, opening="100.00", charges="60.00")  # the export knows of no draw
pytestmark = [pytest.mark.slow, pytest.mark.release]
REHEARSAL = {"BILLCLOSE_CLOCK__REHEARSAL": "true"}


def export(folder: Path, town, period: str, written_at: str, due: str) -> Path:
    """Write an export that says when it was written."""
    last = {OCTOBER: "2026-10-31", NOVEMBER: "2026-11-30"}[period]
    told = manifest(town, period, last, due) + f"\n[export]\nwritten_at = {written_at}\n"
    month, day, year = due[5:7], due[8:], due[:4]
    bills = printed_bills(town, f"{month}/{day}/{year}")
    return write_town(folder, town, period=period, bundle=told, bills=bills)


@pytest.fixture(scope="module")
def evening(prepared, server, tmp_path_factory) -> Desk:
    """October's payment is due on the evening on which November's export is written."""
    folder = tmp_path_factory.mktemp("evening")
    desk = Desk(prepared.copied(folder / "office").home, server.environment | REHEARSAL)
    october = export(folder / "oct", (ANN, BAKER), OCTOBER, "2026-10-31T17:00:00", "2026-11-30")
    assert 0 == desk.close(october, "--yes").status
    drawn = desk("collect", "--json", "--as-of", "2026-11-30T18:00")
    assert ("100.00", 0) == (drawn.json["drawn"]["amount"], drawn.status)
    later = replace(BAKER, opening=BAKER.charges, charges="9.00")
    export(folder / "nov", (LATER, later), NOVEMBER, "2026-11-30T17:00:00", "2026-12-21")
    return desk


def test_case_1_the_rest_alone_is_owed_scheduled_and_drawn(evening):
    bundle = evening.home.parent / "nov"
    look = evening.close(bundle, "--dry-run", as_of="2026-12-01T09:00")
    closed = evening.close(bundle, "--yes", as_of="2026-12-01T09:10")

    (check,) = (one for one in closed.json["checks"] if one["check"] == "payments-not-in-export")
    (owed,) = evening.rows("balances", f"account={ANN.number}")
    assert (0, "warned", 1) == (closed.status, check["status"], check["failed"]), closed.err
    assert "60.00" == look.json["autopay"]["amount"] == closed.json["autopay"]["amount"]
    assert ("160.00", "100.00", "60.00") == (owed["amount_due"], owed["paid"], owed["open"])

    drawn = evening("collect", "--json", "--as-of", "2026-12-21T08:00")

    taken = [row["amount"] for row in evening.rows("completed-payments")]
    assert "60.00" == drawn.json["drawn"]["amount"]
    assert ["100.00", "60.00"] == sorted(taken)  # 160.00 in all
