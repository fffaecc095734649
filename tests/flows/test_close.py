"""A close from end to end: what comes out, and what anybody can see of it.

Rules 2-4, 20.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import re

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, LogFilter
from prefect.client.schemas.sorting import FlowRunSort

from tests.flows.desk import TELLS_LOGS, Desk, at_server
from tests.flows.town import TOWN

STEPS = {  # what the final state of each step says, its counts above all
    "import billing export": r"12 accounts, 11 movements .*",
    "guard calendar": r".*2026-11-02.*",
    "split bulk bills": r"13 pages, 11 bills, 1 separator; 11 copies read back, 1 audited",
    "check bills and balances": r"\d+ checks, .*10 warn.*",
    "await approval": r"approved by .+",
    "publish bills": r"11 balances moved, \$1,534\.31",
    "schedule autopay": r"3 .*\$167\.35, 1 .*; 4 .*",
    "send paperless bills": r"9 sent",
    "write print batch": r"5 bills, 5 pages",
    "report run": r"reports/close-2026-10\.html",
}
PAYMENT = ("account", "pay_date", "amount", "method", "last4", "immediate", "status")


@pytest.fixture(scope="module")
def figures(closed, town):
    return closed.close(town, "--yes").json


@pytest.fixture(scope="module")
def recorded(prepared, server, town, tmp_path_factory):
    """What the Prefect server holds of one close: its runs, artifacts and logs."""
    home = prepared.copied(tmp_path_factory.mktemp("recorded") / "office").home
    desk = Desk(home, server.environment | {TELLS_LOGS: "true"})
    assert desk.close(town, "--yes").status == 0
    with at_server(server.running.api_url), get_client(sync_client=True) as client:
        (run,) = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)
        server.running.wait_until_recorded(str(run.id))
        of_run = FlowRunFilter(id={"any_": [run.id]})
        of_log = LogFilter(flow_run_id={"any_": [run.id]})
        return {
            "flow": run,
            "tasks": client.read_task_runs(flow_run_filter=of_run, limit=200),
            "artifacts": client.read_artifacts(flow_run_filter=of_run, limit=200),
            "logs": client.read_logs(log_filter=of_log, limit=200),
        }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("status", "closed"),
        ("refusal", None),
        ("pages", {"total": 13, "billed": 12, "separators": 1, "unassigned": 0}),
        ("bills", 11),
        (
            "totals",
            {
                "accounts": 12,
                "bills": 11,
                "opening_balance": "-51.47",
                "billed": "1612.78",
                "payments": "0.00",
                "adjustments": "0.00",
                "penalties": "0.00",
                "closing_balance": "1561.31",
            },
        ),
        ("autopay", {"scheduled": 3, "immediate": 1, "unscheduled": 4, "amount": "167.35"}),
        ("deliveries", {"sent": 9, "failed": 0, "deferred": 0, "queued": 0, "in_doubt": 0}),
    ],
)
def test_the_figures_of_the_close(figures, name, expected):
    assert expected == figures[name]


def test_the_seconds_of_each_step_are_told(figures):
    assert list(STEPS) == list(figures["seconds"])


def test_every_account_gets_its_bill_over_its_amount_due(closed):
    expected = {found.number: (str(found.amount_due), found.pages) for found in TOWN if found.pages}

    bills = closed.rows("bills")

    assert expected == {row["account"]: (row["amount_due"], row["pages"]) for row in bills}
    assert all(row["visible"] and row["due_date"] == "2026-11-20" for row in bills)


def test_bills_go_to_every_mailbox_once(closed):
    assert [
        ("01.1001.1", "ann.abbott@example.com", "customer-record"),
        ("01.1003.3", "cam.cole@example.com", "customer-record"),
        ("01.1003.3", "dana@example.net", "portal-user"),
        ("01.1005.5", "eve.ellis@example.com", "customer-record"),
        ("01.1005.5", "landlord@example.net", "landlord"),
        ("01.1006.6", "fay.frost@example.com", "customer-record"),
        ("01.1007.7", "gone-gray@example.com", "customer-record"),
        ("01.1008.8", "+hal@example.com", "customer-record"),
        ("01.1011.1", "kit.kane@example.com", "customer-record"),
    ] == [
        (row["account"], row["recipient"], row["source"])
        for row in closed.rows("deliveries", "status=sent")
    ]


def test_each_mail_carries_the_bill_of_its_account_and_no_other(closed):
    bills = {row["account"]: row["sha256"] for row in closed.rows("bills")}
    expected = sorted(
        (row["recipient"], bills[row["account"]]) for row in closed.rows("deliveries")
    )

    found = []
    for path in (closed.home / "mail").iterdir():
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        (bill,) = [part.get_content() for part in mail.iter_attachments()]
        found.append((mail["To"].addresses[0].addr_spec, hashlib.sha256(bill).hexdigest()))

    assert expected == sorted(found)


def test_paper_goes_to_whoever_asked_for_it_or_cannot_be_mailed(closed):
    assert [
        ("01.1002.2", "send-paper"),
        ("01.1004.4", "no-valid-email"),
        ("01.1006.6", "send-paper"),
        ("01.1009.9", "no-ebill"),
        ("01.1012.2", "send-paper"),
    ] == [(row["account"], row["reason"]) for row in closed.rows("paper")]


def test_autopay_is_drawn_on_banking_days_and_what_is_late_at_once(closed):
    assert [
        ("01.1009.9", "2026-11-02", "90.00", "card", "0099", True, "Pending"),
        ("01.1006.6", "2026-11-10", "50.00", "card", "0066", False, "Pending"),
        ("01.1001.1", "2026-11-13", "27.35", "ach", "0011", False, "Pending"),
    ] == [tuple(row[name] for name in PAYMENT) for row in closed.rows("scheduled-payments")]


def test_every_enrolled_account_without_a_payment_has_a_reason(closed):
    assert [
        ("01.1007.7", "zero-balance"),
        ("01.1008.8", "direct-pay"),
        ("01.1010.0", "account-closed"),
        ("01.1011.1", "over-maximum"),
    ] == [(row["account"], row["reason"]) for row in closed.rows("autopay-unscheduled")]


def test_bills_are_private_and_the_report_is_there(closed):
    bills = [closed.home / "bills" / row["pdf"] for row in closed.rows("bills")]

    assert {0o600} == {path.stat().st_mode & 0o777 for path in bills}
    assert "2026-10" in (closed.home / "reports" / "close-2026-10.html").read_text("utf-8")


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_a_task_run_that_says_what_came_of_it(recorded, step):
    (task,) = [run for run in recorded["tasks"] if run.name == f"{step} 2026-10"]

    assert task.state is not None
    assert task.state.is_completed()
    assert re.fullmatch(STEPS[step], task.state.message)


def test_the_flow_run_holds_these_steps_and_no_others(recorded):
    assert {f"{step} 2026-10" for step in (*STEPS, "guard postings")} == {
        run.name for run in recorded["tasks"]
    }
    assert all(run.state.message for run in recorded["tasks"])
    assert ("close 2026-10 Larkspur", "2026-10 is closed") == (
        recorded["flow"].name,
        recorded["flow"].state.message,
    )


def test_what_needs_a_person_and_the_report_are_artifacts(recorded):
    by_key = {found.key: found for found in recorded["artifacts"]}

    assert {"exceptions-2026-10", "report-2026-10", "report-file-2026-10"} <= set(by_key)
    assert {"checks-2026-10", "print-2026-10", "print-folder-2026-10"} <= set(by_key)
    assert "bill-amount" in by_key["checks-2026-10"].data
    assert "utility-bill" in by_key["print-2026-10"].data
    assert "file:///" in by_key["report-file-2026-10"].data
    assert "01.1007.7" in by_key["exceptions-2026-10"].data
    assert "1,534.31" in by_key["report-2026-10"].data


def test_the_server_is_told_nothing_personal(recorded):
    logs = [log.message for log in recorded["logs"]]
    told = [
        *(str(found.data) + str(found.description) for found in recorded["artifacts"]),
        *logs,
        *(f"{run.name} {run.task_inputs} {run.state}" for run in recorded["tasks"]),
        f"{recorded['flow'].parameters} {recorded['flow'].state}",
    ]
    last_names = {found.name.partition(",")[0] for found in TOWN}

    personal = re.compile(rf"@example|\b(?:{'|'.join(last_names)})\b|Canyon St|Main St|tok-")
    assert [] == [text for text in told if personal.search(text)]
    assert len(logs) >= len(STEPS)


def test_the_run_sheet_tells_how_many_copies_were_looked_at(closed, figures):
    page = (closed.home / "reports" / "close-2026-10.html").read_text("utf-8")

    assert {"read_back": 11, "audited": 1} == figures["copies"]
    assert "11 copies read back before filing, 1 audited in full" in page


def test_an_office_may_look_at_fewer_copies_and_audit_more(desk, town):
    answer = desk.close(
        town,
        "--yes",
        BILLCLOSE_SPLITTER__READ_BACK_EVERY="10",
        BILLCLOSE_SPLITTER__AUDIT_EVERY="2",
    )

    assert 0 == answer.status, answer.err
    assert {"read_back": 2, "audited": 6} == answer.json["copies"]
    assert "11 bills, 1 separator; 2 copies read back, 6 audited" in answer.err
