"""The desk where a yes or no is taken: bound to figures, by the right people, audited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from database.approvals import approved_checklist, list_requests
from database.runs import LOCK_LEASE, take_lock
from database.tables import account, audit, bill_run, check_result, planned_payment, waiver
from domain.approvals import Decision
from domain.checks import CheckStatus, Severity
from domain.failures import Misuse, Refused
from domain.money import Money
from domain.runs import RunState
from office.clock import Clock
from office.equipment.office import Office
from office.procedures.closing.approval import (
    PendingApproval,
    ask,
    decide,
    find_asked,
    require_answerable,
)
from office.procedures.closing.checklist import checklist_of, record_backup
from office.procedures.closing.close_figures import sheet_figures
from office.settings.approval import ApprovalSettings, ChecklistSettings
from office.settings.settings import Settings
from reporting.report.approval_request import asked_figures, question
from rules.closing_checklist import open_items
from tests.builders import NOW, RUN, a_household, stage_run

YES, NO = Decision.APPROVE, Decision.REFUSE


@pytest.fixture
def here(database, tmp_path):
    """An office whose October is checked and waits."""
    stage_run(database, a_household("1"), a_household("2"), state=RunState.WAITING)
    check(database, "bill-amount", CheckStatus.PASSED)
    chosen = Settings(approval=ApprovalSettings())
    clock = Clock(lambda: datetime(2026, 11, 2, 16, tzinfo=UTC), None)
    office = Office(tmp_path, chosen, clock, "anna")
    office.__dict__["database"] = database
    return office


def with_terms(here: Office, **terms) -> Office:
    chosen = here.settings.model_copy(update={"approval": ApprovalSettings(**terms)})
    office = replace(here, settings=chosen)
    office.__dict__["database"] = here.database
    return office


def check(database, name: str, status: CheckStatus, severity=Severity.BLOCKING) -> None:
    with database.writing() as books:
        books.execute(check_result.delete().where(check_result.c.check_name == name))
        books.execute(
            check_result.insert().values(
                period=RUN, check_name=name, position=0, severity=severity, status=status,
                failed=int(status is not CheckStatus.PASSED), what="", fix="", error="",
            )
        )  # fmt: skip


def change(here, table, **values) -> None:
    with here.database.writing() as books:
        books.execute(table.update().values(**values))


def acts(here) -> list[tuple[str, str, str]]:
    with here.database.reading() as books:
        query = sa.select(audit.c.who, audit.c.action, audit.c.detail).order_by(audit.c.id)
        return [tuple(row) for row in books.execute(query)]


def approve(here, who: str = "anna", **given) -> PendingApproval:
    return decide(here, ask(here, RUN), YES, who=who, **given)


def test_the_same_figures_are_asked_about_once(here):
    first, second = ask(here, RUN), ask(here, RUN)

    assert (1, first.request) == (first.request.number, second.request)
    assert find_asked(here, RUN).request == first.request


def test_one_yes_is_enough_by_default_and_is_audited_with_its_figures(here):
    asked = approve(here, reason="looked at it")

    (act,) = acts(here)
    assert (True, ("anna",)) == (asked.standing.is_approved, asked.standing.approved_by)
    assert ("anna", "approve") == act[:2]
    assert act[2].startswith("looked at it; 0 bills, $0.00; ")
    assert act[2].endswith(f"request 1, figures {asked.request.digest[:16]}")


@pytest.mark.parametrize(
    ("table", "values"),
    [
        pytest.param(bill_run, {"export_sha256": "1" * 64}, id="another export"),
        pytest.param(account, {"closing_balance": Money(1)}, id="another balance"),
        pytest.param(account, {"amount_due": Money(1)}, id="another amount due"),
        pytest.param(bill_run, {"due_on": datetime(2026, 11, 25).date()}, id="another due date"),
    ],
)
def test_a_yes_does_not_count_for_other_figures(here, table, values):
    approve(here)

    change(here, table, **values)

    assert find_asked(here, RUN) is None
    asked = ask(here, RUN)
    assert (2, False, 1) == (
        asked.request.number, asked.standing.is_approved, asked.standing.missing,
    )  # fmt: skip
    with here.database.reading() as books:
        before, _ = list_requests(books, RUN)
    assert ["anna"] == [decided.who for decided in before.decisions]


def test_a_yes_outlives_an_export_that_is_replaced_but_counts_no_more(here):
    approve(here)
    with here.database.writing() as books:
        books.execute(bill_run.delete())
    stage_run(here.database, a_household("1", closing_balance=Money(90_00)), state=RunState.WAITING)

    assert (2, False) == (ask(here, RUN).request.number, ask(here, RUN).standing.is_approved)


@pytest.mark.parametrize("severity", Severity)
def test_a_check_that_blocks_anew_takes_the_yes_back_a_warning_does_not(here, severity):
    approve(here)
    is_blocking = severity is Severity.BLOCKING
    status = CheckStatus.FAILED if is_blocking else CheckStatus.WARNED

    check(here.database, "negative-bill", status, severity)

    assert ask(here, RUN).standing.is_approved is not is_blocking


def test_what_only_time_moves_leaves_the_yes_and_is_told(here):
    approve(here)
    with here.database.writing() as books:
        books.execute(
            planned_payment.insert().values(
                period=RUN, account_key="1", account="1", amount=Money(80_00), pay_on=NOW.date(),
                immediate=True, method_token="tok", last4="4242",
            )
        )  # fmt: skip

    asked = ask(here, RUN)

    assert asked.standing.is_approved
    assert "autopay 1 payment, $80.00" in asked.drift


def test_four_eyes_are_two_people(here):
    office = with_terms(here, people=2)

    first = approve(office)
    with pytest.raises(Refused, match=r"anna .Prefect UI. has approved already"):
        approve(office, "anna (Prefect UI)")
    second = approve(office, "ben (Prefect UI)")

    assert (False, 1) == (first.standing.is_approved, first.standing.missing)
    assert ("anna", "ben (Prefect UI)") == second.standing.approved_by
    assert ["1 of 2 people", "2 of 2 people"] == [act[2].partition(";")[0] for act in acts(here)]


def test_who_is_not_named_decides_nothing(here):
    office = with_terms(here, approvers=("ben",))

    with pytest.raises(Refused, match="anna may not decide"):
        approve(office)

    assert [] == acts(here)
    assert approve(office, "Ben").standing.is_approved


def test_a_no_needs_a_reason_refuses_the_run_and_stands_until_a_yes(here):
    with pytest.raises(Misuse, match="needs a reason"):
        decide(here, ask(here, RUN), NO, who="ben", reason=" ")

    refused = decide(here, ask(here, RUN), NO, who="ben", reason="old rates")
    with here.database.reading() as books:
        state = books.execute(sa.select(bill_run.c.state)).scalar_one()
    approved = approve(here)

    assert ("old rates", RunState.REFUSED) == (refused.standing.refusal.reason, state)
    assert (None, True) == (approved.standing.refusal, approved.standing.is_approved)
    assert ["refuse approval", "approve"] == [act[1] for act in acts(here)]


def test_a_check_that_blocks_must_be_waived_with_the_yes(here):
    check(here.database, "bill-amount", CheckStatus.FAILED)

    with pytest.raises(Refused, match="bill-amount failed") as refused:
        approve(here)
    asked = approve(here, reason="a cent", waivers={"bill-amount": "a cent"})
    check(here.database, "bill-amount", CheckStatus.WAIVED)
    checked_again = ask(here, RUN)

    assert "bill-amount" == refused.value.code
    assert (True, ()) == (asked.standing.is_approved, asked.blocking)
    assert (True, 1) == (checked_again.standing.is_approved, checked_again.request.number)
    assert ["waive check", "approve"] == [act[1] for act in acts(here)]
    with here.database.reading() as books:
        assert [("bill-amount", "a cent", "anna")] == [
            tuple(row)
            for row in books.execute(
                sa.select(waiver.c.check_name, waiver.c.reason, waiver.c.waived_by)
            )
        ]


def test_a_check_that_is_never_waived_decides_nothing(here):
    check(here.database, "sensitive-data", CheckStatus.FAILED)

    with pytest.raises(Refused, match="cannot be waived"):
        approve(here, waivers={"sensitive-data": "x"})

    assert [] == acts(here)


@pytest.mark.parametrize(
    ("state", "code"), [(RunState.STAGED, "not-ready"), (RunState.FINISHED, "period-closed")]
)
def test_nobody_is_asked_about_a_run_that_is(here, state, code):
    change(here, bill_run, state=state)

    with pytest.raises(Refused) as refused:
        require_answerable(here, RUN)

    assert code == refused.value.code


@pytest.mark.parametrize("state", [RunState.WAITING, RunState.REFUSED, RunState.APPROVED])
def test_people_may_be_asked_about_a_run_that_is(here, state):
    change(here, bill_run, state=state)

    require_answerable(here, RUN)


def test_the_checklist_is_recorded_as_it_stood_when_each_yes_was_said(here):
    approve(here)
    with here.database.reading() as books:
        before = approved_checklist(books, RUN)
    record_backup(here, "monday.tar.gz", 1_000, NOW)

    assert ("backup-made",) == open_items(before)
    assert () == open_items(ask(here, RUN).sheet.checklist)
    assert "; checklist open: backup-made; request 1" in acts(here)[0][2]


def test_an_open_line_that_the_office_insists_on_stops_the_yes_and_never_a_no(here):
    insisting = with_checklist(here, must_be_done=("backup-made",))

    with pytest.raises(Refused, match="No backup is known"):
        approve(insisting)
    refused = decide(insisting, ask(insisting, RUN), NO, who="anna", reason="no backup")
    record_backup(insisting, "monday.tar.gz", 1_000, NOW)
    taken = approve(insisting)

    assert refused.standing.refusal is not None
    assert taken.standing.is_approved


def test_who_else_is_at_work_stands_on_the_checklist_until_that_process_is_gone(here):
    wall = here.clock.wall()
    take_lock(here.database, "2026-10-B", "ben", "another-host|7|boot.1|", wall)
    take_lock(here.database, "2026-10-C", "cleo", "another-host|8|boot.1|", wall - LOCK_LEASE * 2)

    said = {line.item: line.says for line in checklist_of(here, RUN)}

    assert "Others are at work: ben works on 2026-10-B." == said["nobody-at-work"]


def test_the_forms_of_every_door_show_the_checklist(here):
    sheet = ask(here, RUN).sheet

    asked = question(asked_figures(sheet), (), sheet)

    assert "### Checklist before the yes" in asked
    assert "- OPEN: No backup is known." in asked
    assert "backup-made" in {line["item"] for line in sheet_figures(here, RUN)["checklist"]}


def with_checklist(here: Office, **chosen) -> Office:
    settings = here.settings.model_copy(update={"checklist": ChecklistSettings(**chosen)})
    office = replace(here, settings=settings)
    office.__dict__["database"] = here.database
    return office
