"""What stops a close, what waives it, and what comes after."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.flows.desk import AS_OF, Desk
from tests.flows.town import ABBOTT, MISPRINTED, RECHARGED, with_household, write_town

SHOWN = ("bills", "deliveries", "paper", "scheduled-payments", "autopay-unscheduled")
REASON = "misprint confirmed with the printer"


@pytest.fixture(scope="module")
def misprinted(tmp_path_factory):
    return write_town(tmp_path_factory.mktemp("misprinted") / "larkspur", MISPRINTED)


@pytest.fixture(scope="module")
def recharged(tmp_path_factory):
    return write_town(tmp_path_factory.mktemp("recharged") / "larkspur", RECHARGED)


@pytest.fixture(scope="module")
def refusal(prepared, server, misprinted, tmp_path_factory):
    """An office whose close was refused, and what it was told: for reading and copying."""
    home = prepared.copied(tmp_path_factory.mktemp("refused") / "office").home
    desk = Desk(home, server.environment)
    answer = desk.close(misprinted, "--yes")
    assert (3, "bill-amount") == (answer.status, answer.json["refusal"]["code"]), answer.err
    return desk, answer


@pytest.fixture
def refused(refusal, tmp_path):
    """An office of one's own after a refused close."""
    return refusal[0].copied(tmp_path / "office")


def shown(desk):
    return {what: desk.rows(what) for what in SHOWN if desk.rows(what)}


def left_behind(desk, *folders):
    return [path for name in folders for path in (desk.home / name).rglob("*") if path.is_file()]


def test_a_refused_close_changes_nothing_that_shows(refused):
    assert {} == shown(refused)
    assert [] == refused.rows("bills", "period=2026-10")
    assert [] == left_behind(refused, "bills", "mail", "print", "reports")


def test_a_refusal_names_the_check_and_the_account(refusal):
    _, answer = refusal

    (sentence,) = answer.sentences
    assert "bill-amount failed for 01.1002.2" in sentence
    assert "Traceback" not in answer.err
    assert "refused" == answer.json["status"]
    assert sentence == f"billclose: {answer.json['refusal']['message']}"


def test_what_a_refused_close_found_is_kept_for_whoever_looks(refused):
    (failed,) = refused.rows("checks", "status=failed")
    (exception,) = refused.rows("exceptions", "code=bill-amount")

    assert ("bill-amount", 1, ["01.1002.2"]) == (
        failed["check"],
        failed["failed"],
        failed["accounts"],
    )
    assert "01.1002.2" == exception["account"]
    assert ["import", "refuse"] == [row["action"] for row in refused.rows("audit")]


def test_a_corrected_export_closes_after_a_refusal(refused, town):
    answer = refused.close(town, "--yes")

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert len(refused.rows("bills")) == 11
    assert [] == refused.rows("checks", "status=failed")


@pytest.fixture(scope="module")
def waived(prepared, server, tmp_path_factory):
    """An office that closed with two wrong bills, their check waived, and what it was told."""
    place = tmp_path_factory.mktemp("waived")
    desk = Desk(prepared.copied(place / "office").home, server.environment)
    changed = write_town(
        place / "larkspur", with_household(replace(ABBOTT, printed="999.99"), MISPRINTED)
    )
    return desk, desk.close(changed, "--yes", "--waive", "bill-amount", "--reason", REASON)


def test_a_waived_check_holds_its_accounts_out_of_mail_and_autopay(waived):
    desk, answer = waived

    assert (0, "closed") == (answer.status, answer.json["status"]), answer.err
    assert [] == desk.rows("deliveries", "account=01.1001.1")
    assert [] == desk.rows("scheduled-payments", "account=01.1001.1")
    assert ["held"] == [
        row["reason"] for row in desk.rows("autopay-unscheduled", "account=0110011")
    ]
    assert 8 == len(desk.rows("deliveries", "status=sent"))
    held = {row["account"] for row in desk.rows("exceptions", "code=bill-amount")}
    assert {"01.1001.1", "01.1002.2"} == held


def test_a_waiver_is_audited_with_its_reason(waived):
    desk, answer = waived

    assert answer.status == 0, answer.err
    (waiver,) = desk.rows("audit", "action=waive check")
    assert ("2026-10/bill-amount", REASON) == (waiver["subject"], waiver["detail"])
    assert ["waived"] == [row["status"] for row in desk.rows("checks", "check=bill-amount")]


@pytest.mark.parametrize("check", ["unreadable-row", "account-duplicate", "sensitive-data"])
def test_some_checks_are_never_waived(desk, town, check):
    answer = desk.close(town, "--yes", "--waive", check, "--reason", REASON)

    assert (3, "not-waivable") == (answer.status, answer.json["refusal"]["code"])
    assert {} == shown(desk)


def test_an_unknown_check_cannot_be_waived(desk, town):
    answer = desk.close(town, "--yes", "--waive", "bill-amuont", "--reason", REASON)

    assert 2 == answer.status
    assert "bill-amuont" in answer.sentences[0]
    assert {} == shown(desk)


def test_a_waiver_needs_a_reason(desk, town):
    answer = desk.close(town, "--yes", "--waive", "bill-amount")

    assert (2, True) == (answer.status, "--reason" in answer.sentences[0])


def test_a_changed_export_needs_a_word(desk, town, recharged):
    desk("import", town, "--as-of", AS_OF)

    refused = desk.close(recharged, "--yes")
    replaced = desk.close(recharged, "--yes", "--replace")

    assert (3, "export-changed") == (refused.status, refused.json["refusal"]["code"])
    assert "--replace" in refused.sentences[0]
    assert (0, "1613.78") == (replaced.status, replaced.json["totals"]["billed"]), replaced.err


def test_a_closed_period_takes_no_other_export(closed, recharged, tmp_path):
    desk = closed.copied(tmp_path / "office")
    before = desk.files()

    answers = [
        desk.close(recharged, "--yes"),
        desk.close(recharged, "--yes", "--replace"),
        desk("import", recharged, "--replace", "--json"),
    ]

    assert [(3, "period-closed")] * 3 == [
        (answer.status, answer.json["refusal"]["code"]) for answer in answers
    ]
    assert before == desk.files()


def test_importing_twice_says_so_and_changes_nothing(desk, town):
    first = desk("import", town, "--as-of", AS_OF, "--json")
    before = desk.files()

    again = desk("import", town, "--as-of", AS_OF)

    assert (0, "imported", 12, 11) == (
        first.status,
        first.json["status"],
        first.json["accounts"],
        first.json["transactions"],
    )
    assert (0, True) == (again.status, "nothing has changed" in again.out)
    assert before == desk.files()
    assert {} == shown(desk)


def test_importing_a_changed_export_needs_a_word(desk, town, recharged):
    desk("import", town, "--as-of", AS_OF)

    refused = desk("import", recharged, "--as-of", AS_OF, "--json")
    replaced = desk("import", recharged, "--as-of", AS_OF, "--json", "--replace")

    assert (3, "export-changed") == (refused.status, refused.json["refusal"]["code"])
    assert (0, "replaced") == (replaced.status, replaced.json["status"])
