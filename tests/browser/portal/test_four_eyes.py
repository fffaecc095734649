"""A close that waits, before the people whose yes it needs, each signed in at a browser."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from database.approvals import newest_request
from database.definitions.desk import desk_work
from database.runs import find_run
from database.tables import audit, check_result
from domain.checks import CheckStatus, Severity
from domain.desk_work import WorkKind, WorkState
from domain.identity import Role
from domain.runs import RunState
from office.settings.approval import ApprovalSettings
from office.settings.close import WebSettings
from tests.browser.portal.conftest import DESKTOP, MINE, WINDOWS
from tests.builders import a_household, stage_run
from tests.web.office.begun_work import held_back

NOVEMBER = "2026-11"
PLACE = f"/office/close/{NOVEMBER}"


@pytest.fixture
def office_settings():
    return {"web": WebSettings(staff_totp=False), "approval": ApprovalSettings(people=2)}


@pytest.fixture
def begun(portal, monkeypatch):
    """November is checked and waits; what a page begins is kept here and not done."""
    books = portal.office.database
    stage_run(
        books,
        a_household("01.1037.1", mandates=(), balance="51.20"),
        period=NOVEMBER,
        ends_on=date(2026, 11, 30),
        due_on=date(2026, 12, 20),
        state=RunState.WAITING,
    )
    with books.writing() as opened:
        opened.execute(
            check_result.insert().values(
                period=NOVEMBER, check_name="bill-amount", position=0, severity=Severity.BLOCKING,
                status=CheckStatus.PASSED, failed=0, what="", fix="", error="",
            )
        )  # fmt: skip
    _ask(portal.office)
    return held_back(monkeypatch)


def _ask(office) -> None:
    from office.procedures.closing import approval

    approval.ask(office, NOVEMBER)


def acts(portal) -> list[tuple[str, str]]:
    """Return who decided what about November, in order."""
    query = sa.select(audit.c.action, audit.c.who, audit.c.detail).where(
        audit.c.subject == NOVEMBER, audit.c.action.in_(("approve", "refuse approval"))
    )
    with portal.office.database.reading() as books:
        return [(row.action, row.who) for row in books.execute(query.order_by(audit.c.id))]


def buttons(person) -> set[str]:
    person.open(PLACE)
    person.see("Close of 2026-11")
    named = person.page.get_by_role("button").all_inner_texts()
    return set(named) & {"Approve", "Refuse"}


@pytest.mark.release  # test_outsorting holds and releases one by the same forms, without a browser
@WINDOWS
def test_a_bill_of_a_close_that_waits_is_held_and_released(begun, staff, window):
    clerk, size = staff(Role.CLERK, window), window["width"]
    clerk.open(f"/office/customers/{MINE}")
    clerk.write(Reason="The meter was read twice")
    clerk.press("Hold this bill")
    clerk.see("The bill is held back.")
    clerk.look(f"bill-held-{size}")
    clerk.open("/office/outsorted")
    clerk.see("The meter was read twice")
    clerk.open(f"/office/customers/{MINE}")
    clerk.press("Release")
    clerk.see("The bill is released.")
    clerk.look(f"bill-released-{size}")
    clerk.open("/office/outsorted")
    clerk.see("No bill is held back.")


@pytest.mark.release  # test_approval_desk waits for two, and test_close approves by the same form
@WINDOWS
def test_a_close_waits_for_two_people_and_whoever_said_yes_is_asked_no_more(
    portal, begun, staff, window
):
    clerk, first, second = (
        staff(role, window) for role in (Role.CLERK, Role.SUPERVISOR, Role.ADMIN)
    )
    size = window["width"]
    assert (set(), {"Approve", "Refuse"}) == (buttons(clerk), buttons(first))
    clerk.see("It waits for the yes of a supervisor.")
    clerk.look(f"close-clerk-{size}")

    first.look(f"close-waits-{size}")
    first.press("Approve")
    first.see("another person has to.")
    first.look(f"close-one-yes-{size}")

    assert {"Refuse"} == buttons(first)
    assert [] == begun
    assert {"Approve", "Refuse"} == buttons(second)
    second.see("Approved by supervisor 2; another person has to.")
    second.press("Approve")
    second.see("The close is going on, begun by admin 3.")
    second.look(f"close-begun-{size}")

    assert 1 == len(begun)
    assert [("approve", "supervisor 2"), ("approve", "admin 3")] == acts(portal)
    with portal.office.database.reading() as books:
        work = books.execute(sa.select(desk_work)).one()
    assert (WorkKind.CLOSE, WorkState.BEGUN, "admin 3") == (work.kind, work.state, work.who)


@pytest.mark.release  # test_close refuses with and without one by the same form, without a browser
@WINDOWS
def test_a_no_needs_a_reason_takes_the_yes_with_it_and_is_read_by_everybody(
    portal, begun, staff, window
):
    first, second = staff(Role.SUPERVISOR, window), staff(Role.ADMIN, window)
    size = window["width"]
    first.open(PLACE)
    first.press("Approve")
    first.see("another person has to.")

    second.open(PLACE)
    second.press("Refuse")
    second.see("A refusal needs a reason: it is audited with it.")
    second.look(f"close-no-reason-{size}")
    assert RunState.WAITING is find_run(portal.office.database, NOVEMBER).state
    second.write(**{"Reason (needed to refuse)": "the rates are of last year"})
    second.press("Refuse")
    second.see("and is refused: correct the export")
    second.see("Refused by admin 2: the rates are of last year.")
    second.look(f"close-refused-{size}")

    assert {"Approve", "Refuse"} == buttons(first)  # the yes before it is gone
    first.see("Refused by admin 2: the rates are of last year.")
    assert [] == begun
    assert [("approve", "supervisor 1"), ("refuse approval", "admin 2")] == acts(portal)
    with portal.office.database.reading() as books:
        (yes, no) = newest_request(books, NOVEMBER).decisions
    assert ("supervisor 1", "admin 2") == (yes.who, no.who)
    assert "the rates are of last year" == no.reason


def test_whoever_begins_a_close_is_not_the_second_of_the_two_who_say_yes(portal, begun, staff):
    supervisor = staff(Role.SUPERVISOR, DESKTOP)
    supervisor.open(PLACE)
    supervisor.press("Close the period")
    supervisor.see("The close is going on, begun by supervisor 1.")
    with portal.office.database.writing() as books:  # as its process leaves it
        books.execute(desk_work.update().values(state=WorkState.WAITING))

    supervisor.open(PLACE)
    supervisor.press("Approve")
    supervisor.see("another person has to.")
    token = supervisor.page.locator("input[name=csrf]").first.get_attribute("value")
    digest = supervisor.page.locator("input[name=digest]").get_attribute("value")
    answer = supervisor.page.request.post(  # a form that the page does not offer any more
        f"{portal.url}{PLACE}/approve",
        form={"csrf": token, "digest": digest},
        headers={"Origin": portal.url},
    )

    assert 422 == answer.status
    assert "supervisor 1 has approved already" in answer.text()
    assert [("approve", "supervisor 1")] == acts(portal)
    assert 1 == len(begun)
