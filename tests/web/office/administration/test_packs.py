"""The auditor's pack from a page: the command's very bytes, for whoever reads the audit list."""

from __future__ import annotations

import hashlib
from datetime import datetime

import pytest
import sqlalchemy as sa

from command_line.options import wall_clock
from database.tables import audit
from domain.identity import Role
from office.clock import Clock
from office.equipment.office import Office
from office.settings.settings import open_settings
from tests.flows.desk import AS_OF
from tests.flows.fixtures import closed, prepared, server, town
from tests.web.customers.conftest import Browser
from tests.web.office.conftest import TRIAL
from web.desk import desk_of
from web.office.pages import PACK

__all__ = ["closed", "prepared", "server", "town"]
PERIOD = "2026-10"
PACKED = "write auditor's pack"
# What TRIAL sets, for the command: the settings in force stand in the pack.
SAME = {"BILLCLOSE_WEB__URL": TRIAL.url, "BILLCLOSE_WEB__STAFF_TOTP": "false"}


@pytest.fixture
def desk_home(closed, tmp_path):
    return closed.copied(tmp_path / "office")


@pytest.fixture
def real_office(desk_home, monkeypatch):
    settings = open_settings(desk_home.home).model_copy(update={"web": TRIAL})
    clock = Clock(wall_clock, datetime.fromisoformat(AS_OF))
    made = Office(desk_home.home, settings, clock, "web desk")
    yield made
    made.database.close()


def packed(office) -> list[tuple[str, str]]:
    query = sa.select(audit.c.who, audit.c.detail).where(audit.c.action == PACKED)
    with office.database.reading() as books:
        return [tuple(row) for row in books.execute(query.order_by(audit.c.id))]


def test_the_page_gives_the_bytes_of_the_command_and_audits_who_took_them(
    desk_home, real_office, signed_in_at, tmp_path
):
    auditor = signed_in_at(real_office, Role.AUDITOR, "auditor")
    page = auditor.get(PACK).text
    assert f"<option>{PERIOD}</option>" in page and "sha256sum -c MANIFEST" in page

    answer = auditor.post(PACK, period=PERIOD)

    assert (200, "application/zip") == (answer.status_code, answer.headers["content-type"])
    assert (
        f'attachment; filename="auditors-pack-{PERIOD}.zip"'
        == (answer.headers["content-disposition"])
    )
    assert "no-store" in answer.headers["cache-control"]
    file = tmp_path / "pack.zip"
    assert 0 == desk_home("auditors-pack", PERIOD, "--to", file, **SAME).status
    assert file.read_bytes() == answer.content
    told = f"sha256 {hashlib.sha256(answer.content).hexdigest()}"
    acts = packed(real_office)
    assert ("auditor 1", told) == acts[0]
    assert [told, told] == [detail for _who, detail in acts]


# The walk of all roles asks this page for each, too; the pack is the same whoever may take it.
TAKES_IT_AS_WELL = [
    pytest.param(role, marks=pytest.mark.release if role in (Role.SUPERVISOR, Role.ADMIN) else ())
    for role in Role
]


@pytest.mark.parametrize("role", TAKES_IT_AS_WELL)
def test_only_who_reads_the_audit_list_takes_a_pack(real_office, signed_in_at, role):
    browser = signed_in_at(real_office, role, f"{role}")
    browser.get("/office")

    answer = browser.post(PACK, period=PERIOD)

    allowed = role in (Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR)
    assert (200 if allowed else 403) == answer.status_code
    assert allowed is bool(packed(real_office))


@pytest.mark.parametrize("period", ["2026-11", "", "../2026-10", "2026-10/../../x"])
def test_no_pack_of_a_period_that_the_page_does_not_offer(real_office, signed_in_at, period):
    browser = signed_in_at(real_office, Role.ADMIN, "admin")
    browser.get(PACK)

    answer = browser.post(PACK, period=period)

    assert (422, []) == (answer.status_code, packed(real_office))


def test_nothing_is_taken_by_a_form_of_another_site_or_by_an_address(real_office, signed_in_at):
    browser = signed_in_at(real_office, Role.ADMIN, "admin")

    assert 403 == browser.send(PACK, period=PERIOD).status_code
    assert "application/zip" not in browser.get(f"{PACK}?period={PERIOD}").headers["content-type"]
    assert 303 == Browser(desk_of(real_office)).send(PACK, period=PERIOD).status_code
    assert [] == packed(real_office)


def test_the_report_of_the_close_is_a_page_that_runs_nothing(real_office, signed_in_at):
    browser = signed_in_at(real_office, Role.CSR, "csr")
    place = f"/office/close/{PERIOD}"

    assert f'href="{place}/report"' in browser.get(place).text
    answer = browser.get(f"{place}/report")

    written = (real_office.home / "reports" / f"close-{PERIOD}.html").read_bytes()
    assert (200, written) == (answer.status_code, answer.content)
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert 404 == browser.get("/office/close/2026-11/report").status_code
