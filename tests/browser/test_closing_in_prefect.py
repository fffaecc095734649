"""A clerk closes a period in the Prefect UI: the form, the wait, the answer, the report."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import MISPRINTED_PERIOD, PERIOD
from tests.flows.town import TOWN

# Without a browser tests/flows/test_suspended.py and deployments/test_forms.py show it each time.
pytestmark = [pytest.mark.slow, pytest.mark.release]

LAST_NAMES = {found.name.partition(",")[0] for found in TOWN}
PERSONAL = re.compile(rf"@example|\b(?:{'|'.join(LAST_NAMES)})\b|Canyon St|Main St|tok-")
ARTIFACTS = {  # each with a line that a clerk looks for
    "report": "every total ties out",
    "exceptions": "Ask the customer for an address.",
    "checks": "A paperless account has no valid e-mail address.",
    "print": f"print/{PERIOD}/utility-bill-0.pdf",
}
CLOSES = {"flows": {"name": {"any_": ["close-period"]}}}
MONTHS = [f"{PERIOD[:4]}-{month:02}" for month in (9, 10, 11, 12)]


def test_what_cannot_be_right_is_refused_while_the_form_is_open(clerk, office):
    before = office.ask("flow_runs/count", CLOSES)
    clerk.open_form_of("close-period")
    clerk.form.get_by_role("button", name="Add item").click()
    clerk.choose("Check", "bill-amount")
    clerk.press("Run")

    clerk.is_told("'period' is a required property")
    clerk.is_told("'reason' is a required property")
    assert before == office.ask("flow_runs/count", CLOSES) != ""


def test_a_close_waits_for_a_yes_with_its_figures_and_shows_what_it_did(clerk, office):
    clerk.open_form_of("close-period")
    offered = clerk.choices("Period")
    clerk.choose("Period", PERIOD)
    clerk.write("Bundle", "/srv/export/larkspur")
    clerk.camera.take_form(clerk.form, "prefect-form")
    clerk.write("Bundle", str(office.export))
    clerk.start()

    office.wait_for(f"close {PERIOD} Larkspur", "Suspended")
    waiting = clerk.open_run(f"close {PERIOD} Larkspur", "waits for a yes")
    nothing_yet = closes(office)
    clerk.camera.wait_for_graph()
    clerk.open_menu()
    clerk.camera.take_page("prefect-waits")
    question = clerk.resume()
    clerk.choose("Decision", "approve")
    clerk.press("Resume")
    clerk.is_told("Validation failed for field 'name'")
    clerk.write("Your name", "Anna")
    clerk.write("Reason", "looked at it")
    clerk.camera.take_form(clerk.form, "prefect-answer")
    clerk.answer()

    office.wait_for(f"close {PERIOD} Larkspur", "Completed")
    done = clerk.open_run(f"close {PERIOD} Larkspur", f"{PERIOD} is closed")
    clerk.look_at("Artifacts")
    clerk.camera.wait_for_graph()
    clerk.camera.take_page("prefect")
    shown: dict[str, str] = {}
    for kind, line in ARTIFACTS.items():
        shown[kind] = clerk.read_artifact(f"{kind}-{PERIOD}", line)
        if kind == "report":
            clerk.camera.take_page("prefect-report")
        clerk.back_to_the_run()
    clerk.look_at("Logs")
    clerk.is_told("import billing export: ")
    logs = clerk.text()

    assert MONTHS == offered
    assert f"Period {PERIOD} (11 bills, $1,534.31; 9 mails, 5 bills on paper;" in waiting
    assert f"`billclose approve {PERIOD}`" in waiting
    assert f"Town of Larkspur: close period {PERIOD}?" in question
    assert "7 bills in 9 mails" in question
    assert "E-mailed\t7\tbills in 9 messages" in shown["report"]
    assert "01.1004.4" in shown["exceptions"]
    assert "autopay-over-maximum" in shown["checks"]
    everything = [waiting, done, *shown.values(), logs]  # the question names customers
    assert [] == [text for text in everything if PERSONAL.search(text)]
    assert ([], [(PERIOD,)]) == (nothing_yet, closes(office))
    assert [("approve", "Anna (Prefect UI)", "looked at it", "[]")] == decisions(office, PERIOD)
    ((who, detail),) = acts(office, PERIOD, "approve")
    assert ("Anna (Prefect UI)", True) == (who, detail.startswith("looked at it; 11 bills, $1,534"))


def test_a_check_is_waived_in_the_form_and_the_period_refused_with_a_reason(clerk, office):
    clerk.open_form_of("close-period")
    clerk.choose("Period", MISPRINTED_PERIOD)
    clerk.form.get_by_role("button", name="Add item").click()
    clerk.choose("Check", "bill-amount")
    clerk.write("Reason", "one cent")
    clerk.camera.take_form(clerk.form, "prefect-waive")
    clerk.start()

    office.wait_for(f"close {MISPRINTED_PERIOD} Larkspur", "Suspended")
    waiting = clerk.open_run(f"close {MISPRINTED_PERIOD} Larkspur", "waits for a yes")
    clerk.open_menu()
    question = clerk.resume()
    clerk.choose("Decision", "refuse")
    clerk.write("Your name", "Ben")
    clerk.press("Resume")
    clerk.is_told("Validation failed for field 'reason'")
    clerk.write("Reason", "old rates")
    clerk.answer()

    office.wait_for(f"close {MISPRINTED_PERIOD} Larkspur", "Failed")
    ended = clerk.open_run(f"close {MISPRINTED_PERIOD} Larkspur", "is not closed")

    assert "bill-amount\tblocking\twaived\t1" in question
    assert f"Period {MISPRINTED_PERIOD} is not closed: Ben (Prefect UI) refused it on" in ended
    assert "(old rates)" in ended
    assert [] == [text for text in (waiting, ended) if PERSONAL.search(text)]
    assert "@" not in question  # names of customers, and no more than that
    ((_, waived),) = acts(office, f"{MISPRINTED_PERIOD}/bill-amount", "waive check")
    assert "one cent" == waived
    assert [("refuse", "Ben (Prefect UI)", "old rates", "[]")] == decisions(
        office, MISPRINTED_PERIOD
    )
    ((who, detail),) = acts(office, MISPRINTED_PERIOD, "refuse approval")
    assert ("Ben (Prefect UI)", True) == (who, detail.startswith("old rates; 11 bills"))


def closes(office):
    return office.desk.query("SELECT period FROM period_close")


def decisions(office, period):
    columns = "decision, who, reason, waived"
    return office.desk.query(f"SELECT {columns} FROM approval_decision WHERE period = '{period}'")


def acts(office, subject, action):
    conditions = f"subject = '{subject}' AND action = '{action}'"
    return office.desk.query(f"SELECT who, detail FROM audit WHERE {conditions}")
