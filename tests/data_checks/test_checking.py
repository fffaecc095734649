"""Checking a run: verdicts, waivers, and what is written down."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from data_checks.check import says
from data_checks.checking import (
    blocking_failures,
    check_run,
    unknown_check_names,
    unwaivable_check_names,
)
from data_checks.checks.catalog import CATALOG, ROOT_CAUSES
from data_checks.runner import FailedRows, judge
from database.approvals import record_waivers
from database.tables import check_finding, check_result, outsorted_bill
from domain.checks import CheckStatus
from tests.builders import NOW
from tests.data_checks.mutations import MUTATIONS
from tests.data_checks.rows import PREVIOUS, RUN, TODAY, key, number

DEFECTS = {mutation.check: mutation for mutation in MUTATIONS}


def plant(books, *checks: str) -> None:
    with books.writing() as connection:
        for check in checks:
            for statement in DEFECTS[check].statements:
                connection.execute(sa.text(statement))


def statuses(results) -> dict[str, CheckStatus]:
    """Return the status of every check that did not simply pass."""
    return {
        result.check: result.status for result in results if result.status is not CheckStatus.PASSED
    }


def listed(books, table) -> list[dict]:
    with books.reading() as connection:
        statement = sa.select(table).where(table.c.period == RUN).order_by(*table.primary_key)
        return [dict(row) for row in connection.execute(statement).mappings()]


def catalog_with(sql: str):
    others = [check for check in CATALOG if check.name in ("bill-missing", "roll-forward")]
    return [replace(CATALOG[0], name="broken", sql=sql), *others]


def test_a_clean_run_passes_every_check_in_the_order_of_causes(books, capsys):
    results = check_run(books, RUN, today=TODAY)

    assert statuses(results) == {}
    assert list(ROOT_CAUSES) == [result.check for result in results][: len(ROOT_CAUSES)]
    assert capsys.readouterr().out == ""
    assert [result.check for result in results] == [
        row["check_name"] for row in sorted(listed(books, check_result), key=position)
    ]


def position(row: dict) -> int:
    return row["position"]


def test_what_is_wrong_blocks_or_warns_with_its_accounts(books):
    plant(books, "roll-forward", "bill-due-date", "ebill-no-email")

    results = check_run(books, RUN, today=TODAY)

    assert statuses(results) == {
        "roll-forward": CheckStatus.FAILED,
        "bill-due-date": CheckStatus.FAILED,
        "ebill-no-email": CheckStatus.WARNED,
    }
    failures = blocking_failures(results)
    assert [failure.check for failure in failures] == ["roll-forward", "bill-due-date"]
    assert (2, (number(5), number(6))) == (failures[0].failed, failures[0].accounts)
    assert [row["detail"] for row in listed(books, check_finding)] == [
        "the bill is due on nothing, the period on 2026-11-20",
        "paperless without a valid address; goes on paper",
        "opening $50.00 and movements $10.00 make $60.00, the closing balance is $60.01",
        "opening $50.00 and movements $10.00 make $60.00, the closing balance is $59.99",
    ]


def test_a_waived_check_holds_its_accounts_and_a_warning_needs_no_waiver(books):
    plant(books, "roll-forward", "unreadable-row", "ebill-no-email")
    waived = dict.fromkeys(("roll-forward", "unreadable-row", "ebill-no-email"), "seen")

    with books.writing() as connection:
        record_waivers(connection, RUN, waived, at=NOW, who="anna")
    results = check_run(books, RUN, today=TODAY, waived=waived)

    assert statuses(results) == {
        "unreadable-row": CheckStatus.FAILED,
        "roll-forward": CheckStatus.WAIVED,
        "ebill-no-email": CheckStatus.WARNED,
    }
    held = {(row["account_key"], row["check_name"]) for row in listed(books, outsorted_bill)}
    assert {(key(5), "roll-forward"), (key(6), "roll-forward")} == held


def test_checking_again_replaces_what_was_found(books):
    plant(books, "roll-forward")
    with books.writing() as connection:
        record_waivers(connection, RUN, {"roll-forward": "seen"}, at=NOW, who="anna")
    check_run(books, RUN, today=TODAY, waived={"roll-forward": "seen"})
    with books.writing() as connection:
        for account, cents in ((5, -1), (6, 1)):
            connection.execute(
                sa.text(
                    "UPDATE account SET closing_balance = closing_balance + :cents"
                    " WHERE period = :period AND account_key = :key"
                ),
                {"cents": cents, "period": RUN, "key": key(account)},
            )

    results = check_run(books, RUN, today=TODAY)

    assert statuses(results) == {}
    assert listed(books, check_finding) == []
    assert listed(books, outsorted_bill) == []
    assert len(CATALOG) == len(listed(books, check_result))


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT '' AS account_key, '' AS account FROM no_such_table", id="no table"),
        pytest.param("SELECT account_key, account FROM account WHERE period = ", id="not SQL"),
    ],
)
def test_a_crashed_check_blocks_as_an_error_and_spoils_no_other(books, sql):
    plant(books, "roll-forward")

    results = check_run(
        books, RUN, today=TODAY, waived={"broken": "seen"}, checks=catalog_with(sql)
    )

    assert statuses(results) == {"broken": CheckStatus.FAILED, "roll-forward": CheckStatus.FAILED}
    assert (results[0].failed, results[0].accounts) == (0, ())
    errors = {row["check_name"]: row["error"] for row in listed(books, check_result)}
    assert errors.pop("broken")
    assert {""} == set(errors.values())


def test_a_long_list_of_findings_is_complete(books):
    with books.writing() as connection:
        connection.execute(
            sa.text(
                'INSERT INTO problem (period, line, code, account, file, "row", column_name, '
                "message) VALUES (:period, :line, 'unreadable-row', :account, "
                "'a.csv', :line, '', 'wrong')"
            ),
            [{"period": RUN, "line": line, "account": f"9-{line:04}"} for line in range(1, 501)],
        )

    result = check_run(books, RUN, today=TODAY, checks=CATALOG[:1])[0]

    assert (result.failed, len(result.accounts)) == (500, 500)
    assert len(listed(books, check_finding)) == 500
    assert listed(books, check_finding)[0]["account_key"] == "90001"


def test_signs_that_mean_something_to_the_machinery_are_only_signs(books):
    sql = """SELECT account_key, account, '{batch} 100% 12:30 :x' AS remark FROM account
        WHERE period = :period AND last_name LIKE 'Name 1%'"""
    odd = replace(CATALOG[0], name="odd", sql=sql.replace(":x", "\\:x"), detail=says("{remark}"))

    result = check_run(books, RUN, today=TODAY, checks=[odd])[0]

    assert (result.failed, result.status) == (4, CheckStatus.FAILED)
    assert {"{batch} 100% 12:30 :x"} == {row["detail"] for row in listed(books, check_finding)}


def test_another_run_is_left_alone(books):
    check_run(books, PREVIOUS, today=TODAY, checks=CATALOG[:1])

    check_run(books, RUN, today=TODAY, checks=CATALOG[:1])

    with books.reading() as connection:
        runs = connection.execute(sa.select(check_result.c.period)).scalars().all()
    assert sorted(runs) == [PREVIOUS, RUN]


def test_a_misspelled_waiver_is_noticed():
    names = ("bill-amount", "bill-amonut", "ebill-no-email", "sensitive-data")

    assert unknown_check_names(names) == ("bill-amonut",)
    assert unwaivable_check_names(names) == ("bill-amonut", "ebill-no-email", "sensitive-data")


def test_what_the_office_lets_block_is_waived_by_name_but_what_never_goes():
    raised = ("ebill-no-email", "sensitive-data")

    assert ("sensitive-data",) == unwaivable_check_names(raised, raised)


def test_the_framework_asks_each_check_once(books):
    marked = {"first": "SELECT 1 AS seen", "second": "SELECT 2 AS seen WHERE 1 = 0"}
    asked = []

    def note(_connection, _cursor, statement, *_more):
        asked.extend(name for name, sql in marked.items() if sql in statement)

    sa.event.listen(Engine, "before_cursor_execute", note)
    try:
        verdicts = judge(books.url, marked)
    finally:
        sa.event.remove(Engine, "before_cursor_execute", note)

    assert {"first": FailedRows(1), "second": FailedRows(0)} == verdicts
    assert ["first", "second"] == sorted(asked)


def test_sqlite_knows_how_many_rows_an_account_has_once_a_run_is_checked(books):
    if not books.is_sqlite:
        pytest.skip("PostgreSQL keeps its own statistics")

    check_run(books, RUN, today=TODAY)

    with books.reading() as connection:
        counted = connection.execute(sa.text("SELECT DISTINCT tbl FROM sqlite_stat1")).scalars()
        assert {"account", "bill", "movement"} <= set(counted)


@pytest.mark.parametrize(
    "program",
    [
        "import sys, data_checks.checking; assert 'great_expectations' not in sys.modules",
        pytest.param(
            "import sys, data_checks.checking as c; c.warm_up();"
            "assert 'great_expectations' in sys.modules;"
            "assert 'scipy.stats._stats_py' not in sys.modules",  # half the time, for divergences
            marks=pytest.mark.release,
        ),
    ],
    ids=["before", "without its statistics"],
)
def test_the_framework_is_imported_only_when_checks_run(program):
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert (finished.returncode, finished.stdout) == (0, ""), finished.stderr
