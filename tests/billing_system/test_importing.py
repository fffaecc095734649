"""Importing: whole or not at all, once, and never over a closed period."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing_system.embedded import EmbeddedBillingSystem
from billing_system.importing import ImportOutcome, import_export
from billing_system.port import BillingExport
from database import tables
from database.books import Database
from domain.failures import Refused
from domain.money import Money
from domain.runs import RunState
from tests.builders_export import (
    ACCOUNT,
    COSIGNER,
    MANIFEST,
    MOVEMENT,
    PORTAL_LINK,
    a_table,
    write_export,
)

NOW = datetime(2026, 11, 2, 15, tzinfo=UTC)


def an_export(tmp_path: Path, name: str = "export", **changes: str | bytes | None) -> BillingExport:
    return EmbeddedBillingSystem().read_export(write_export(tmp_path / name, **changes))


def a_change(tmp_path: Path) -> BillingExport:
    accounts = a_table(ACCOUNT | {"closing_balance": "99.00"}, ACCOUNT | {"account_number": "2"})
    return an_export(tmp_path, "changed", accounts=accounts, bills=b"%PDF-1.4 changed")


def bring_in(
    database: Database, tmp_path: Path, export: BillingExport, **wishes: bool
) -> ImportOutcome:
    return import_export(
        database, export, exports_folder=tmp_path / "exports", now=NOW, who="clerk", **wishes
    )


def rows(database: Database, table: sa.Table) -> list[dict[str, object]]:
    with database.reading() as connection:
        found = connection.execute(sa.select(table).order_by(*table.primary_key.columns))
        return [dict(row) for row in found.mappings()]


def everything(database: Database) -> dict[str, list[dict[str, object]]]:
    return {name: rows(database, table) for name, table in tables.metadata.tables.items()}


def put_in_state(database: Database, state: RunState) -> None:
    with database.writing() as connection:
        connection.execute(sa.update(tables.bill_run).values(state=state))


def close(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(
            tables.period_close.insert().values(period="2026-10", closed_at=NOW, closed_by="anna")
        )


def copies(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "exports").rglob("*") if path.is_file())


def test_an_export_is_staged_in_all_its_tables(database, tmp_path):
    bad = "email,name\nsven@example.com,Sven\nx@example.com,Too,many\n"

    outcome = bring_in(database, tmp_path, an_export(tmp_path, portal_users=bad))

    assert (
        outcome.period,
        outcome.status,
        outcome.accounts,
        outcome.movements,
        outcome.problems,
    ) == ("2026-10", "imported", 1, 1, 1)
    run = rows(database, tables.bill_run)[0]
    assert (RunState.STAGED, date(2026, 11, 20), Money(27_35), "clerk", NOW) == (
        run["state"],
        run["due_on"],
        run["control_billed"],
        run["imported_by"],
        run["imported_at"],
    )
    account = rows(database, tables.account)[0]
    assert ("0110371", "01.1037.1", Money(27_35)) == (
        account["account_key"],
        account["account"],
        account["amount_due"],
    )
    movement = rows(database, tables.movement)[0]
    assert (date(2026, 10, 31), Money(27_35), 4.0) == (
        movement["posted_on"],
        movement["amount"],
        movement["usage"],
    )
    assert [c["portal_user"] for c in rows(database, tables.cosigner)] == ["landlord@example.net"]
    assert [
        (link["mailbox"], link["address"], link["paperless"])
        for link in rows(database, tables.portal_link)
    ] == [("sven@example.com", "SVEN@example.com", True)]
    assert [
        (mandate["days_prior"], mandate["active"]) for mandate in rows(database, tables.mandate)
    ] == [(5, True)]
    assert [method["last4"] for method in rows(database, tables.payment_method)] == ["0113"]
    assert [(p["code"], p["file"], p["row"]) for p in rows(database, tables.problem)] == [
        ("unreadable-row", "portal_users.csv", 3)
    ]
    assert [act["action"] for act in rows(database, tables.audit)] == ["import"]


def test_movements_are_numbered_through_in_the_order_of_the_file(database, tmp_path):
    rows = [MOVEMENT | {"amount": f"{place}.00"} for place in range(1, 451)]
    rows[117] |= {"amount": "much"}

    bring_in(database, tmp_path, an_export(tmp_path, transactions=a_table(*rows)))

    with database.reading() as books:
        query = sa.select(tables.movement.c.line, tables.movement.c.amount)
        found = [tuple(row) for row in books.execute(query.order_by("line"))]
    kept = [Money(place * 100) for place in range(1, 451) if place != 118]
    assert list(enumerate(kept, start=1)) == found


def test_problems_of_movements_are_kept_too(database, tmp_path):
    movements = a_table(MOVEMENT, MOVEMENT | {"amount": "x"})

    outcome = bring_in(database, tmp_path, an_export(tmp_path, transactions=movements))

    assert (outcome.movements, outcome.problems) == (1, 1)
    assert [problem["column_name"] for problem in rows(database, tables.problem)] == ["amount"]


def test_addresses_are_kept_with_what_is_wrong_with_them(database, tmp_path):
    accounts = a_table(ACCOUNT | {"email": "a@example.com; broken3@@example"})

    bring_in(database, tmp_path, an_export(tmp_path, accounts=accounts))

    assert [
        (row["position"], row["address"], row["fault"] is None)
        for row in rows(database, tables.account_email)
    ] == [(0, "a@example.com", True), (1, "broken3@@example", False)]


def test_addresses_of_portal_users_and_landlords_are_kept_with_what_is_wrong(database, tmp_path):
    nobody = "sven at example"
    cosigners = [COSIGNER, COSIGNER | {"cosigner_id": "LL2", "portal_user": nobody}]
    cosigners.append(COSIGNER | {"cosigner_id": "LL3", "portal_user": ""})
    links = [PORTAL_LINK, PORTAL_LINK | {"portal_user": nobody}]

    export = an_export(tmp_path, portal_links=a_table(*links), cosigners=a_table(*cosigners))
    bring_in(database, tmp_path, export)

    linked, landlords = rows(database, tables.portal_link), rows(database, tables.cosigner)
    assert {nobody: True, "sven@example.com": False} == {
        row["mailbox"]: row["fault"] is not None for row in linked
    }
    assert {"LL1": False, "LL2": True, "LL3": False} == {
        row["cosigner_id"]: row["fault"] is not None for row in landlords
    }


def test_bulk_files_are_copied_for_the_office_alone(database, tmp_path):
    bundle = MANIFEST.replace('form = "', 'region = [300, 0, 612, 120]\nform = "')

    bring_in(database, tmp_path, an_export(tmp_path, bundle=bundle))

    bulk = rows(database, tables.bulk_file)[0]
    copy = tmp_path / "exports" / str(bulk["path"])
    assert [copy] == copies(tmp_path)
    assert copy.read_bytes() == b"%PDF-1.4 small"
    assert bulk["region"] == [300, 0, 612, 120]
    assert (copy.stat().st_mode & 0o777, copy.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_an_equal_pay_amount_is_due_from_active_accounts_alone(database, tmp_path):
    equal_pay = ACCOUNT | {"equal_pay_amount": "50.00"}
    accounts = a_table(
        equal_pay,
        equal_pay | {"account_number": "2", "status": "final"},
        equal_pay | {"account_number": "3", "status": "closed"},
    )

    bring_in(database, tmp_path, an_export(tmp_path, accounts=accounts))

    assert [Money(50_00), Money(27_35), Money(27_35)] == [
        account["amount_due"] for account in rows(database, tables.account)
    ]


def test_the_same_export_again_changes_nothing(database, tmp_path):
    bring_in(database, tmp_path, an_export(tmp_path))
    put_in_state(database, RunState.FINISHED)
    close(database)
    before = everything(database)

    outcome = bring_in(database, tmp_path, an_export(tmp_path))

    assert (outcome.status, outcome.accounts, outcome.movements) == ("unchanged", 1, 1)
    assert before == everything(database)


@pytest.mark.parametrize("state", [RunState.STAGED, RunState.WAITING, RunState.REFUSED])
def test_a_changed_export_is_refused_until_it_is_asked_for(database, tmp_path, state):
    bring_in(database, tmp_path, an_export(tmp_path))
    put_in_state(database, state)
    before = everything(database)

    with pytest.raises(Refused, match="--replace") as refused:
        bring_in(database, tmp_path, a_change(tmp_path))

    assert refused.value.code == "export-changed"
    assert (state is RunState.WAITING) is ("say no to what waits" in str(refused.value))
    assert before == everything(database)
    assert len(copies(tmp_path)) == 1


def test_a_changed_export_replaces_the_run_when_asked(database, tmp_path):
    bring_in(database, tmp_path, an_export(tmp_path))
    put_in_state(database, RunState.APPROVED)

    outcome = bring_in(database, tmp_path, a_change(tmp_path), replace=True)

    assert (outcome.status, outcome.accounts) == ("replaced", 2)
    assert [run["state"] for run in rows(database, tables.bill_run)] == [RunState.STAGED]
    assert [Money(99_00), Money(27_35)] == [
        account["closing_balance"] for account in rows(database, tables.account)
    ]
    assert [copy.read_bytes() for copy in copies(tmp_path)] == [b"%PDF-1.4 changed"]
    assert len(rows(database, tables.audit)) == 2


def test_a_correction_replaces_a_refused_run_and_no_other(database, tmp_path):
    bring_in(database, tmp_path, an_export(tmp_path))

    with pytest.raises(Refused):
        bring_in(database, tmp_path, a_change(tmp_path), corrects_refused=True)
    put_in_state(database, RunState.REFUSED)
    outcome = bring_in(database, tmp_path, a_change(tmp_path), corrects_refused=True)

    assert outcome.status == "replaced"


def test_a_closed_period_is_never_replaced(database, tmp_path):
    bring_in(database, tmp_path, an_export(tmp_path))
    put_in_state(database, RunState.CLOSED)
    close(database)
    before = everything(database)

    with pytest.raises(Refused, match="closed on 2026-11-02 15:00 UTC by anna") as refused:
        bring_in(database, tmp_path, a_change(tmp_path), replace=True, corrects_refused=True)

    assert refused.value.code == "period-closed"
    assert before == everything(database)


class _Interrupted(BaseException):
    """The power cut."""


def interrupted(export: BillingExport) -> BillingExport:
    """The same export, whose reading breaks off after some movements."""

    def movements(report):
        yield next(export.movements(report))
        raise _Interrupted

    fields = {name: getattr(export, name) for name in BillingExport.__dataclass_fields__}
    return BillingExport(**fields | {"movements": movements})


def test_an_interrupted_import_leaves_nothing(database, tmp_path):
    export = an_export(tmp_path)

    with pytest.raises(_Interrupted):
        bring_in(database, tmp_path, interrupted(export))

    assert not any(everything(database).values())
    assert bring_in(database, tmp_path, export).status == "imported"


def test_an_interrupted_replacement_leaves_the_old_export_whole(database, tmp_path):
    bring_in(database, tmp_path, an_export(tmp_path))
    before = everything(database)
    changed = a_change(tmp_path)

    with pytest.raises(_Interrupted):
        bring_in(database, tmp_path, interrupted(changed), replace=True)

    assert before == everything(database)
    assert b"%PDF-1.4 small" in [copy.read_bytes() for copy in copies(tmp_path)]
    assert bring_in(database, tmp_path, changed, replace=True).status == "replaced"
    assert [copy.read_bytes() for copy in copies(tmp_path)] == [b"%PDF-1.4 changed"]


@pytest.mark.parametrize("file", ["bills.pdf", "accounts.csv"])
def test_an_export_that_changes_while_it_is_read_is_refused(database, tmp_path, file):
    export = an_export(tmp_path)
    with (tmp_path / "export" / file).open("ab") as stream:
        stream.write(b"\n")

    with pytest.raises(Refused, match="changed while it was read") as refused:
        bring_in(database, tmp_path, export)

    assert refused.value.code == "export-unstable"
    assert not any(everything(database).values())


@pytest.mark.parametrize("same", [True, False])
def test_two_imports_at_once_do_not_mix(database, tmp_path, same):
    first = an_export(tmp_path)
    second = an_export(tmp_path) if same else a_change(tmp_path)
    start = threading.Barrier(2)
    ended: list[str] = []

    def run(export: BillingExport) -> None:
        start.wait()
        try:
            ended.append(bring_in(database, tmp_path, export).status)
        except Refused as refused:
            ended.append(refused.code)

    threads = [threading.Thread(target=run, args=(export,)) for export in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ["imported", "unchanged" if same else "export-changed"] == sorted(
        ended, key=lambda status: status != "imported"
    )
    sha256 = rows(database, tables.bill_run)[0]["export_sha256"]
    winner = first if sha256 == first.sha256 else second
    assert [account.number for account in winner.accounts] == [
        account["account"] for account in rows(database, tables.account)
    ]
    assert [winner.sha256[:16]] == [copy.parent.name for copy in copies(tmp_path)]
