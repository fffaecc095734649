"""An export belongs to this utility, and its days were not closed before."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from billing_system.closing import publish
from billing_system.embedded import EmbeddedBillingSystem
from billing_system.importing import ImportStatus, import_export
from database import tables
from database.books import Database
from domain.failures import Refused
from domain.runs import RunState
from tests.builders_export import ACCOUNT, MANIFEST, MOVEMENT, a_table, write_export

NOW = datetime(2026, 12, 2, 15, tzinfo=UTC)


class Home:
    """Books that exports are imported into and closed in."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder

    def bring_in(self, *accounts: str, cycle: str = "", **changes: Any) -> ImportStatus:
        wishes = {name: changes.pop(name) for name in ("utility", "overlaps") if name in changes}
        bundle = MANIFEST
        for key, value in changes.items():
            line = next(line for line in bundle.splitlines() if line.startswith(f"{key} = "))
            bundle = bundle.replace(line, f"{key} = {value}", 1)
        if cycle:
            bundle = bundle.replace("[period]", f'[period]\ncycle = "{cycle}"')
        numbers = accounts or ("1", "2")
        source = write_export(
            self.folder / "export",
            bundle=bundle,
            accounts=a_table(*(ACCOUNT | {"account_number": number} for number in numbers)),
            transactions=a_table(*(MOVEMENT | {"account_number": number} for number in numbers)),
        )
        export = EmbeddedBillingSystem().read_export(source)
        folder = self.folder / "exports"
        return import_export(
            self.database, export, exports_folder=folder, now=NOW, who="anna", **wishes
        ).status

    def close(self, period: str = "2026-10") -> None:
        with self.database.writing() as books:
            run = sa.update(tables.bill_run).where(tables.bill_run.c.period == period)
            books.execute(run.values(state=RunState.APPROVED))
        publish(self.database, period, now=NOW, who="anna")

    def periods(self) -> list[str]:
        with self.database.reading() as books:
            return list(books.scalars(sa.select(tables.bill_run.c.period).order_by("period")))


@pytest.fixture
def home(database, tmp_path):
    return Home(database, tmp_path)


def refused(home: Home, code: str, **changes: Any) -> str:
    with pytest.raises(Refused) as no:
        home.bring_in(**changes)
    assert code == no.value.code
    return no.value.message


OTHERS = [
    pytest.param({"name": '"Elk Run Power & Light"'}, id="another name"),
    pytest.param({"timezone": '"America/Chicago"'}, id="another time zone"),
]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "staged"])
def test_another_utilitys_export_is_refused(home, other, is_closed):
    home.bring_in()
    if is_closed:
        home.close()

    message = refused(home, "other-utility", id='"2026-10-power"', **other)

    assert "this home belongs to City of Larkspur (America/Denver, period 2026-10)" in message
    assert ["2026-10"] == home.periods()


@pytest.mark.parametrize("other", OTHERS)
def test_another_utilitys_export_is_refused_in_the_place_of_ours(home, other):
    home.bring_in(id='"2026-09"', start="2026-09-01", end="2026-09-30", due_date="2026-10-20")
    home.bring_in()

    refused(home, "other-utility", **other)


def test_the_setting_says_whose_exports_are_taken(home):
    home.bring_in()
    new = {"name": '"Larkspur Water"', "timezone": '"America/Boise"', "id": '"b"'}

    assert "belongs to Town" in refused(home, "other-utility", utility="Town of Elk Run")
    assert "imported" == home.bring_in("7", utility="larkspur  WATER", **new)


def test_spaces_and_letters_case_make_no_other_utility(home):
    home.bring_in("1")

    assert "imported" == home.bring_in("2", id='"b"', name='"CITY of  Larkspur"')


def test_the_same_days_under_another_name_are_refused(home):  # ruling 22
    home.bring_in()
    home.close()

    message = refused(home, "overlap", id='"2026-10-corrected"')

    assert "overlaps period 2026-10 (2026-10-01 to 2026-10-31), which is closed" in message
    assert "2 accounts (1, 2)" in message
    assert ["2026-10"] == home.periods()


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [
        ("2026-10-31", "2026-11-30", True),
        ("2026-09-01", "2026-10-01", True),
        ("2026-10-10", "2026-10-12", True),
        ("2026-11-01", "2026-11-30", False),
        ("2026-09-01", "2026-09-30", False),
    ],
)
def test_periods_overlap_by_their_days(home, start, end, overlaps):
    home.bring_in()
    home.close()
    days = {"id": '"b"', "start": start, "end": end, "due_date": "2026-12-20"}

    if overlaps:
        refused(home, "overlap", **days)
    else:
        assert "imported" == home.bring_in(**days)


@pytest.mark.parametrize(
    ("accounts", "cycles"),
    [
        pytest.param(("3", "4"), ("A", "B"), id="other accounts"),
        pytest.param(("1",), ("", "final"), id="a final bill in a period of its own"),
        pytest.param(("1",), ("final", ""), id="the month after its final bill"),
    ],
)
def test_periods_of_other_accounts_and_final_ones_overlap_nobody(home, accounts, cycles):
    home.bring_in("1", "2", cycle=cycles[0])
    home.close()

    assert "imported" == home.bring_in(*accounts, id='"b"', cycle=cycles[1])
    home.close("b")


def test_a_reason_lets_a_period_overlap_and_is_audited(home, database):
    home.bring_in()
    home.close()

    home.bring_in(id='"b"', overlaps="billed anew after the meter exchange")
    home.close("b")

    with database.reading() as books:
        acts = books.execute(
            sa.select(tables.audit.c.subject, tables.audit.c.detail).where(
                tables.audit.c.action == "allow overlap"
            )
        )
        assert [("b", "billed anew after the meter exchange")] == [tuple(row) for row in acts]


def test_of_two_that_were_imported_the_second_is_not_closed(home):
    home.bring_in()
    home.bring_in(id='"b"')
    home.close("b")

    with pytest.raises(Refused, match=r"Period 2026-10 .* overlaps period b"):
        home.close("2026-10")


def test_a_reason_may_be_given_for_what_is_imported_already(home):
    home.bring_in()
    home.bring_in(id='"b"')
    home.close()

    assert "unchanged" == home.bring_in(id='"b"', overlaps="both are right")

    home.close("b")
