"""One closed bill replaced by a corrected one, as the clerk does it and the customer sees it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from corrections import correcting
from domain.accounts import account_key
from tests.corrections.correcting_builders import (
    WEDNESDAY,
    correct,
    corrected_mails,
    of,
    open_of,
    payment_of,
    small_export,
)
from tests.flows.town import (
    ABBOTT,
    BAKER,
    COLE,
    FROST,
    JONES,
    KANE,
    manifest,
    printed_bills,
    with_household,
    write_town,
)

CHEAPER, DEARER = replace(ABBOTT, charges="20.00"), replace(ABBOTT, charges="40.00")


@pytest.fixture
def office(closed, tmp_path):
    return closed.copied(tmp_path / "office")


def test_the_corrected_bill_takes_the_old_ones_place_everywhere(office, tmp_path):
    small = small_export(tmp_path / "small", CHEAPER)
    (before,) = of(office, ABBOTT, "bills")

    answer = correct(office, small, ABBOTT)

    assert (0, "done", "27.35", "20.00", "-7.35", "20.00") == (
        answer.status,
        *(answer.json[name] for name in ("status", "amount_before", "amount_due", "difference")),
        open_of(office, ABBOTT),
    )
    (bill,) = of(office, ABBOTT, "bills")
    assert ("20.00", "2026-11-20", True, True) == (
        bill["amount_due"], bill["due_date"], bill["visible"], bill["corrected"],
    )  # fmt: skip
    assert ("scheduled", "20.00", "2026-11-13") == payment_of(office, ABBOTT)
    assert before["sha256"] != bill["sha256"]
    assert all((office.home / "bills" / one["pdf"]).is_file() for one in (before, bill))
    (kept,) = office.query("SELECT pdf, amount_due, replaced_by FROM replaced_bill")
    assert (before["pdf"], 27_35, "correction") == kept
    (audited,) = [row for row in office.rows("audit") if row["action"] == "correct bill"]
    assert "$27.35 due 2026-11-20 to $20.00 due 2026-11-20" in audited["detail"]
    assert audited["detail"].endswith("Meter misread")


def test_run_again_it_says_what_was_done_and_does_nothing_twice(office, tmp_path):
    small = small_export(tmp_path / "small", CHEAPER)
    first = correct(office, small, ABBOTT)
    before = office.files()

    again, looked = correct(office, small, ABBOTT), correct(office, small, ABBOTT, "--dry-run")

    said = ("amount_before", "amount_due", "difference")
    assert [0, 0, 0] == [one.status for one in (first, again, looked)]
    assert [[first.json[name] for name in said]] * 2 == [
        [one.json[name] for name in said] for one in (again, looked)
    ]
    assert (before, "20.00") == (office.files(), open_of(office, ABBOTT))


def test_its_mail_is_marked_and_says_what_changed(office, tmp_path):
    small = small_export(
        tmp_path / "small",
        CHEAPER,
        bundle=_due_later(tmp_path),
        bills=printed_bills((CHEAPER,), "11/27/2026"),
    )

    correct(office, small, ABBOTT)

    (text,) = corrected_mails(office, ABBOTT)
    assert "The amount is now $20.00; it was $27.35." in text
    assert "The due date is now November 27, 2026; it was November 20, 2026." in text
    assert "$20.00 will be drawn on November 20, 2026" in text
    assert ("scheduled", "20.00", "2026-11-20") == payment_of(office, ABBOTT)
    assert ["2026-11-27"] == [row["due_date"] for row in of(office, ABBOTT, "balances")]


def _due_later(tmp_path):
    written = write_town(tmp_path / "pattern", (CHEAPER,))
    text = (written / "bundle.toml").read_text()
    return text.replace("due_date = 2026-11-20", "due_date = 2026-11-27")


def test_everybody_who_has_the_bill_gets_the_corrected_one_once(office, tmp_path):
    small = small_export(tmp_path / "small", replace(COLE, charges="30.00"))

    correct(office, small, COLE)
    again = correct(office, small, COLE)

    assert (True, {"sent": 2}, 0) == (
        again.json["already"], again.json["deliveries"], again.status,
    )  # fmt: skip
    assert 4 == len(of(office, COLE, "deliveries"))
    assert 1 == len(office.query("SELECT key FROM balance_entry WHERE kind = 'correction'"))


def test_mails_of_the_old_bill_that_have_not_left_are_taken_back(office, tmp_path):
    small = small_export(tmp_path / "small", CHEAPER)
    with closing(sqlite3.connect(office.home / "billclose.db")) as books, books:
        waiting = books.execute(
            "UPDATE delivery SET status = 'deferred', sent_at = NULL"
            " WHERE kind = 'bill' AND account_key = ?", (account_key(ABBOTT.number),),
        ).rowcount  # fmt: skip

    answer = correct(office, small, ABBOTT)

    assert (0, 1) == (answer.status, waiting)
    assert "1 mail of the old bill taken out of the outbox." in answer.json["said"]
    (subject,) = [row["kind"] for row in of(office, ABBOTT, "deliveries")]
    assert "bill" == subject and 1 == len(corrected_mails(office, ABBOTT))


def test_a_bill_that_another_corrects_meanwhile_is_not_corrected_over_theirs(
    office, tmp_path, monkeypatch
):
    small = small_export(tmp_path / "small", CHEAPER)
    planned = correcting._plan

    def before_another(*asked):
        made, plan = planned(*asked)
        return made, replace(plan, edition=plan.edition - 1)

    monkeypatch.setattr(correcting, "_plan", before_another)
    answer = correct(office, small, ABBOTT)

    assert (3, "corrected-meanwhile") == (answer.status, answer.json["failure"]["code"])
    assert "27.35" == open_of(office, ABBOTT)
    assert [] == office.query("SELECT pdf FROM replaced_bill")


def test_who_is_on_paper_gets_it_on_paper_in_a_part_of_its_own(office, tmp_path):
    small = small_export(tmp_path / "small", replace(BAKER, charges="1,000.00"))

    answer = correct(office, small, BAKER)

    assert (True, {}) == (answer.json["paper"], answer.json["deliveries"])
    assert [1, 2] == [row["part"] for row in of(office, BAKER, "paper")]
    (file,) = answer.json["print_files"]
    manifest = (office.home / file).with_suffix(".csv").read_text()
    (bill,) = of(office, BAKER, "bills")
    assert bill["sha256"] in manifest


def test_looked_at_first_it_says_who_gets_it_as_it_does(office, tmp_path):
    """Contract 2: a dry run decides with the same code and gives the same figures."""
    cheaper = (replace(one, charges="10.00") for one in (BAKER, COLE))
    small = small_export(tmp_path / "small", *cheaper)
    for household, mails in ((BAKER, 0), (COLE, 2)):
        before = office.files()

        shown = correct(office, small, household, "--dry-run")

        assert before == office.files()
        assert ("dry-run", 0) == (shown.json["status"], shown.status)
        made = correct(office, small, household).json
        assert mails == sum(shown.json["deliveries"].values()) == sum(made["deliveries"].values())
        changed = {"status", "deliveries", "print_files"}
        assert {name for name in made if made[name] != shown.json[name]} <= changed


def test_a_document_of_another_amount_is_refused_in_whole_sentences(office, tmp_path):
    wrong = replace(ABBOTT, charges="20.00", printed="$21.00")

    answer = correct(office, small_export(tmp_path / "small", wrong), ABBOTT)

    assert answer.json["failure"]["message"].startswith(
        "The amount on a bill is not the amount due: the bill shows $21.00, the amount due is "
        "$20.00. "
    )


def test_a_dearer_bill_of_a_bank_account_is_told_to_be_short_of_notice(office, tmp_path):
    answer = correct(office, small_export(tmp_path / "small", DEARER), ABBOTT)

    assert ("scheduled", "40.00", "2026-11-13") == payment_of(office, ABBOTT)
    assert any(said.startswith("notice-short") for said in answer.json["said"])


def test_nothing_left_to_draw_cancels_the_payment_and_lists_why(office, tmp_path):
    nothing = replace(ABBOTT, charges="0.00")

    correct(office, small_export(tmp_path / "small", nothing), ABBOTT)

    assert "cancelled" == payment_of(office, ABBOTT)[0]
    assert ["zero-balance"] == [row["reason"] for row in of(office, ABBOTT, "autopay-unscheduled")]
    (text,) = corrected_mails(office, ABBOTT)
    assert "Nothing is left to be paid." in text or "Nothing is owed" in text


def test_a_bill_that_was_paid_at_the_counter_becomes_a_credit_and_says_so(office, tmp_path):
    paid = "M1,01.1001.1,2026-11-02,payment,-27.35"
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed" / "movements.csv").write_text(
        f"movement_id,account_number,date,type,amount\n{paid}\n"
    )
    assert 0 == office("feed", tmp_path / "feed", "--as-of", "2026-11-03T10:00").status

    answer = correct(office, small_export(tmp_path / "small", CHEAPER), ABBOTT)

    assert ("-7.35", "cancelled") == (open_of(office, ABBOTT), payment_of(office, ABBOTT)[0])
    assert any("$7.35 is a credit on the account" in one for one in answer.json["said"])
    told = " ".join(office("why", ABBOTT.number, "--period", "2026-10").out.split())
    assert "The utility-bill is page 1 of corrected-1-01.1001.1.pdf" in told


def test_a_correction_of_a_correction_starts_from_what_the_first_one_said(office, tmp_path):
    for number, charges in enumerate(("0.00", "31.00", "20.00")):
        small = small_export(tmp_path / f"small{number}", replace(ABBOTT, charges=charges))
        assert 0 == correct(office, small, ABBOTT).status

    assert ("20.00", ("scheduled", "20.00", "2026-11-13")) == (
        open_of(office, ABBOTT),
        payment_of(office, ABBOTT),
    )
    entries = office.query(
        "SELECT amount FROM balance_entry WHERE kind = 'correction' ORDER BY key"
    )
    assert [-27_35, 31_00, -11_00] == [amount for (amount,) in entries]
    assert [] == of(office, ABBOTT, "autopay-unscheduled")
    last = corrected_mails(office, ABBOTT)
    assert any("The amount is now $20.00; it was $31.00." in text for text in last)


@pytest.mark.parametrize(
    ("charges", "left", "said"),
    [
        pytest.param("20.00", "-7.35", "Your account has a credit of $7.35.", id="a credit"),
        pytest.param("40.00", "12.65", "$12.65 is left, which autopay does not draw", id="owed"),
        pytest.param(
            *("27.35", "0.00", "Nothing is left to be paid."),
            id="only the document",
            marks=pytest.mark.release,
        ),
    ],
)
def test_what_was_drawn_is_not_drawn_again(office, tmp_path, charges, left, said):
    collected = ("collect", "--json", "--as-of")
    assert 0 == office(*collected, "2026-11-13T08:00").status
    changed = replace(ABBOTT, charges=charges, name="Abbott, Annie")

    answer = correct(
        office, small_export(tmp_path / "small", changed), ABBOTT, at="2026-11-14T10:00"
    )
    office(*collected, "2026-11-20T08:00")

    assert (left, ("succeeded", "27.35", "2026-11-13")) == (
        open_of(office, ABBOTT),
        payment_of(office, ABBOTT),
    )
    assert any("nothing is drawn a second time" in one for one in answer.json["said"])
    (text,) = corrected_mails(office, ABBOTT)
    assert said in text
    assert 3 == len(of(office, ABBOTT, "completed-payments")) + 2


def test_a_final_amount_over_the_customers_maximum_stays_unscheduled(office, tmp_path):
    """Kane's maximum is 100.00: of 200.00 nothing is drawn, of 90.00 all of it."""
    assert (
        0
        == correct(
            office, small_export(tmp_path / "small", replace(KANE, charges="90.00")), KANE
        ).status
    )

    assert "90.00" == payment_of(office, KANE)[1]
    assert [] == of(office, KANE, "autopay-unscheduled")


def test_an_agreed_amount_stays_and_only_the_document_changes(office, tmp_path):
    small = small_export(tmp_path / "small", replace(FROST, charges="90.00", name="Frost, Faye"))

    answer = correct(office, small, FROST)

    assert ("0.00", "50.00") == (answer.json["difference"], open_of(office, FROST))
    assert [] == office.query("SELECT key FROM balance_entry WHERE kind = 'correction'")


def test_other_accounts_of_the_small_export_stay_as_they_are_and_are_named(office, tmp_path):
    small = small_export(tmp_path / "small", CHEAPER, replace(KANE, charges="1.00"))

    answer = correct(office, small, ABBOTT)

    assert "200.00" == open_of(office, KANE)
    (note,) = answer.json["notes"]
    assert KANE.number in note


def test_pages_of_a_neighbor_whom_the_export_does_not_list_are_not_in_the_copy(office, tmp_path):
    small = small_export(
        tmp_path / "small", CHEAPER, bills=printed_bills((CHEAPER, KANE), "11/20/2026")
    )

    answer = correct(office, small, ABBOTT)

    assert (0, 1) == (answer.status, of(office, ABBOTT, "bills")[0]["pages"])


OWN = manifest((CHEAPER,), "2026-10", "2026-10-31", "2026-11-20")
BOULDERS = OWN.replace("Town of Larkspur", "Town of Boulder")
EASTERN = OWN.replace("America/Denver", "America/New_York")
REFUSALS = [
    pytest.param({"households": (replace(ABBOTT, charges="20.00", printed="$21.00"),)},
                 3, "bill-amount", id="the document shows another amount"),
    pytest.param({"households": (KANE,)}, 2, "not-in-export", id="the account is not in it"),
    pytest.param({"households": (CHEAPER,), "period": "2026-11"}, 2, "wrong-period",
                 id="another period"),
    pytest.param({"households": (CHEAPER, KANE), "bills": printed_bills((KANE,))},
                 3, "bill-missing", id="no document"),
    pytest.param({"households": (ABBOTT,)}, 3, "nothing-to-correct", id="nothing changed"),
    pytest.param({"households": (CHEAPER,), "bundle": BOULDERS}, 3, "other-utility",
                 id="another utility's"),
    pytest.param({"households": (CHEAPER,), "bundle": EASTERN}, 3, "other-utility",
                 id="the same name in another timezone"),
    pytest.param({"households": (JONES, KANE), "of": JONES}, 3, "account-closed",
                 id="a closed account"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "status", "code"), REFUSALS)
def test_what_is_not_a_corrected_bill_changes_nothing(office, tmp_path, given, status, code):
    given = dict(given)
    households, whose = given.pop("households"), given.pop("of", ABBOTT)
    small = small_export(tmp_path / "small", *households, **given)
    before = office.files()

    answer = correct(office, small, whose)

    assert (status, code) == (answer.status, answer.json["failure"]["code"]), answer.out
    assert before == office.files()


def test_a_bill_of_a_period_that_is_not_closed_is_corrected_by_its_export(desk, town, tmp_path):
    assert 0 == desk("import", town, "--as-of", WEDNESDAY).status

    answer = correct(desk, small_export(tmp_path / "small", CHEAPER), ABBOTT)

    assert (3, "period-open") == (answer.status, answer.json["failure"]["code"])


@pytest.fixture(scope="module")
def november(closed, tmp_path_factory):
    """The office after a correction and the next close, and what that said: to read and to copy."""
    place = tmp_path_factory.mktemp("november")
    office = closed.copied(place / "office")
    correct(office, small_export(place / "small", CHEAPER), ABBOTT)
    opens = replace(ABBOTT, opening="20.00", charges="30.00")
    later = write_town(
        place / "november",
        [replace(found, opening=str(found.closing), charges="0.00") if found is not ABBOTT
         else opens for found in with_household(ABBOTT)],
        period="2026-11",
    )  # fmt: skip
    return office, office.close(later, "--yes", as_of="2026-12-01T09:00")


def test_a_bill_that_a_later_one_followed_is_corrected_there(november, tmp_path):
    office = november[0].copied(tmp_path / "office")

    answer = correct(
        office, small_export(tmp_path / "small", CHEAPER), ABBOTT, at="2026-12-02T10:00"
    )

    assert (3, "later-bill") == (answer.status, answer.json["failure"]["code"])


def test_the_next_export_contains_the_correction(november):
    """The billing system made it: its next closing balance has it, with a line or without one."""
    office, answer = november

    assert 0 == answer.status, answer.err
    assert "50.00" == open_of(office, ABBOTT)
    changed = [one for one in answer.json["checks"] if one["check"] == "opening-changed"]
    assert [0] == [one["failed"] for one in changed]
