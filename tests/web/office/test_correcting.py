"""One bill corrected and a close taken back on the office's pages: shown first, then done."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa

from command_line.options import wall_clock
from database.definitions.corrections import correction
from database.tables import audit, period_close, print_batch
from domain.identity import Role
from office.clock import Clock
from office.equipment.office import Office
from office.settings.settings import open_settings
from tests.corrections.correcting_builders import small_export
from tests.flows.fixtures import closed, prepared, server, town
from tests.flows.town import ABBOTT, BAKER
from tests.web.office.conftest import TRIAL
from tests.web.office.test_close import zipped

__all__ = ["closed", "prepared", "server", "town"]
UNDO = "/office/close/2026-10/undo"
CHEAPER = replace(ABBOTT, charges="20.00")


def an_office(closed, place, at: str, **changes) -> Office:
    home = closed.copied(place / "office").home
    settings = open_settings(home).model_copy(update={"web": TRIAL} | changes)
    return Office(home, settings, Clock(wall_clock, datetime.fromisoformat(at)), "web desk")


@pytest.fixture
def office(closed, tmp_path):
    made = an_office(closed, tmp_path, "2026-11-03T10:00")
    yield made
    made.database.close()


def upload(browser, content: bytes, **fields: str):
    files = {"file": ("small.zip", content, "application/zip")}
    return browser.ask_with_files("/office/correct", {"csrf": browser.token, **fields}, files)


def count(office, table, *conditions) -> int:
    with office.database.reading() as books:
        return books.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions))


def acts(office) -> list[tuple[str, str]]:
    with office.database.reading() as books:
        rows = books.execute(sa.select(audit.c.action, audit.c.who).order_by(audit.c.id))
        return [tuple(row) for row in rows]


def test_a_bill_is_corrected_after_its_correction_was_shown(office, signed_in, tmp_path):
    clerk = signed_in(Role.CLERK)
    small = zipped(small_export(tmp_path / "small", CHEAPER))
    offered = clerk.get(f"/office/customers/{ABBOTT.number}").text
    clerk.get("/office/correct")

    shown = upload(clerk, small, account=ABBOTT.number, period="2026-10")

    assert "/office/correct?account=01.1001.1" in offered
    assert 200 == shown.status_code, shown.text
    for said in ("$27.35", "$20.00", "-$7.35", "Nothing is changed yet"):
        assert said in shown.text
    assert 0 == count(office, correction)
    kept = re.search(r'name="export" value="([0-9a-f]{16}[.]zip)"', shown.text)[1]
    asked = {"account": ABBOTT.number, "period": "2026-10", "export": kept}

    without = clerk.post("/office/correct/confirm", **asked)
    done = clerk.post("/office/correct/confirm", **asked, reason="Meter misread")
    again = clerk.post("/office/correct/confirm", **asked, reason="Meter misread")

    assert (422, True) == (without.status_code, "Say why: it is audited." in without.text)
    assert (200, True) == (done.status_code, "The bill is corrected." in done.text)
    assert "it was corrected by this export before" in again.text
    assert 1 == count(office, correction)
    assert ("correct bill", "clerk 1") in acts(office)


def test_what_cannot_be_corrected_is_said_and_nothing_is_changed(office, signed_in, tmp_path):
    clerk = signed_in(Role.CLERK)
    clerk.get("/office/correct")
    same = zipped(small_export(tmp_path / "same", ABBOTT))
    asked = {"account": ABBOTT.number, "period": "2026-10"}

    answers = [
        upload(clerk, same, **asked),
        upload(clerk, same, account=BAKER.number, period="2026-10"),
        upload(clerk, b"PK no archive", **asked),
        upload(clerk, same, account="", period="2026-10"),
        upload(clerk, same, account=ABBOTT.number, period="2031-01"),
        clerk.post("/office/correct/confirm", **asked, export="../billclose.toml", reason="x"),
    ]

    assert [422] * len(answers) == [answer.status_code for answer in answers]
    assert "is the one that was closed" in answers[0].text
    assert str(office.home) not in "".join(answer.text for answer in answers)
    assert 0 == count(office, correction)
    assert not any(answer.text.count("uploads/") for answer in answers)


def test_a_supervisor_takes_a_close_back_after_it_was_shown(office, signed_in):
    supervisor, clerk = signed_in(Role.SUPERVISOR), signed_in(Role.CLERK)
    link = f'href="{UNDO}"'
    assert link in supervisor.get("/office/close/2026-10").text
    assert link not in clerk.get("/office/close/2026-10").text
    assert 403 == clerk.get(UNDO).status_code
    shown = supervisor.get(UNDO).text
    close = re.search(r'name="close" value="([^"]+)"', shown)[1].replace("&#43;", "+")

    without = supervisor.post(UNDO, close=close)
    stale = supervisor.post(UNDO, close="1 2026-01-01T00:00:00+00:00", reason="Wrong rates")
    stood = count(office, period_close)
    done = supervisor.post(UNDO, close=close, reason="Wrong rates")

    assert "balances go back" in shown and "Cannot be taken back" in shown
    assert (422, 422, 1) == (without.status_code, stale.status_code, stood)
    assert (200, True) == (done.status_code, "is not closed any more" in done.text)
    assert 0 == count(office, period_close)
    assert ("undo close", "supervisor 1") in acts(office)
    assert "is not closed" in supervisor.get(UNDO).text


def test_too_late_the_page_lists_what_stands_and_offers_no_yes(closed, tmp_path, signed_in_at):
    office = an_office(closed, tmp_path, "2026-11-09T10:00")

    shown = signed_in_at(office, Role.SUPERVISOR, "a").get(UNDO).text

    office.database.close()
    assert "could be taken back until 2026-11-06" in shown
    assert "9 mails that left or may have left (9 bill)" in shown
    assert "<code>billclose correct ACCOUNT --period 2026-10 --bundle FOLDER</code>" in shown
    assert 'name="close"' not in shown


def test_with_four_eyes_the_first_yes_changes_nothing(closed, tmp_path, signed_in_at):
    office = an_office(closed, tmp_path, "2026-11-03T10:00")
    people = office.settings.approval.model_copy(update={"people": 2})
    office = replace(office, settings=office.settings.model_copy(update={"approval": people}))
    first, second = (signed_in_at(office, Role.SUPERVISOR, name) for name in ("a", "b"))

    said, shown, started = [], [], []
    for browser in (first, first, second):
        started.append(browser.get("/office").text)
        shown.append(browser.get(UNDO).text)
        close = re.search(r'name="close" value="([^"]+)"', shown[-1])[1]
        said.append(browser.post(UNDO, close=close.replace("&#43;", "+"), reason="Rates").text)

    assert "1 other person has to say yes too. Nothing was changed." in said[0]
    assert "1 other person has to say yes too. Nothing was changed." not in said[2]
    assert "is not closed any more" in said[2]
    asked = "said yes to it on Nov 3, 2026: Rates. Another person has to say yes too."
    assert [False, True, True] == [asked in page for page in shown]
    waits = "taking the close of 2026-10 back waits for another person&#39;s yes"
    started.append(second.get("/office").text)
    assert [False, True, True, False] == [waits in page for page in started]
    assert f'href="{UNDO}"' in started[1]
    assert "The close of 2026-10 was taken back on Nov 3, 2026" in second.get(UNDO[:-5]).text


def test_on_day_six_it_is_refused_with_what_to_do_instead(closed, tmp_path, signed_in_at):
    office = an_office(closed, tmp_path, "2026-11-07T10:00")
    supervisor = signed_in_at(office, Role.SUPERVISOR, "a")

    page = supervisor.get(UNDO).text

    assert "could be taken back until 2026-11-06" in page
    assert ">Take the close back<" not in page


def test_a_print_batch_is_told_until_somebody_has_it(office, signed_in):
    clerk = signed_in(Role.CLERK)
    before, listed = clerk.get("/office").text, clerk.get("/office/print").text
    with office.database.reading() as books:
        (file,) = books.scalars(sa.select(print_batch.c.file)).all()

    clerk.get(f"/office/print/fetched?key={file}")
    done = clerk.post("/office/print/fetched", key=file)

    assert "1 print file not fetched by anybody" in before and file in listed
    assert 303 == done.status_code
    assert "not fetched by anybody" not in clerk.get("/office").text
    assert "clerk 1" in clerk.get("/office/print").text
    assert ("fetch print file", "clerk 1") in acts(office)
    supervisor = signed_in(Role.SUPERVISOR)
    assert f"print batches that somebody has: {file}" in supervisor.get(UNDO).text
