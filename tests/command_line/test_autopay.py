"""`billclose autopay`: what a clerk types, sees, and can get wrong."""

from __future__ import annotations

import pytest

from database.books import Database
from tests.builders import a_household
from tests.flows.desk import Answer, Desk
from tests.payments.enrolling_builders import OLGA, SVEN, a_town

WAITS, AT_ONCE = "2026-11-09T09:00", "2026-11-24T09:00"


@pytest.fixture
def office(prepared, tmp_path) -> Desk:
    """A closed period: one account is not enrolled, one by the export, one is on direct pay."""
    desk = prepared.copied(tmp_path / "office")
    _stage(
        desk,
        a_household("01.0001", mandates=(), links=((SVEN, True),)),
        a_household("2"),
        a_household("3", mandates=(), direct_pay=True),
    )
    return desk


def _stage(desk: Desk, *households, closed: bool = True) -> None:
    books = Database(f"sqlite:///{desk.home / 'billclose.db'}")
    a_town(books, *households, closed=closed)
    books.close()


def enroll(desk: Desk, *more: object, account="01.0001", on=WAITS) -> Answer:
    given = {str(word).partition("=")[0] for word in more}
    usual = {"--user": SVEN, "--method": "4242", "--days-prior": 5}
    words = [word for name in usual if name not in given for word in (name, usual[name])]
    return desk("autopay", "enroll", account, *words, *more, "--as-of", on)


def at_the_terminal(monkeypatch, answer: str) -> None:
    """A clerk who answers a question, or presses Ctrl-C."""

    def type_in(_prompt: str) -> str:
        if answer == "^C":
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr("command_line.options.is_at_terminal", lambda: True)
    monkeypatch.setattr("click.termui.visible_prompt_func", type_in)


def test_what_waits_for_its_day_needs_no_yes(office):
    done = enroll(office, "--json")

    assert (0, "enrolled") == (done.status, done.json["status"])
    assert {
        "account": "01.0001", "period": "2026-10", "due_date": "2026-11-20",
        "open_balance": "80.00", "outcome": "on-day", "pay_date": "2026-11-13", "amount": "80.00",
        "reason": None, "over_maximum": False, "linked": True, "consent_version": "1",
        "mandate": {
            "method": "card", "last4": "4242", "enrolled_on": "2026-11-09", "days_prior": 5,
            "maximum": None, "pays_up_to_maximum": None,
        },
    } == {name: value for name, value in done.json.items() if name != "status"}  # fmt: skip
    (payment,) = office.rows("scheduled-payments", "account=01.0001")
    assert ("Pending", "2026-11-13", "80.00") == tuple(
        payment[name] for name in ("status", "pay_date", "amount")
    )
    assert ["enroll in autopay"] == [row["action"] for row in office.rows("audit")][-1:]


def test_what_is_drawn_at_once_needs_a_yes_where_nobody_can_be_asked(office):
    before = office.files()
    asked = enroll(office, on=AT_ONCE)
    told = enroll(office, "--json", on=AT_ONCE)

    assert (4, 4) == (asked.status, told.status)
    assert "Enrolling now: $80.00 is drawn at once." in asked.out
    assert "again with --yes" in asked.sentences[0]
    assert ("needs-yes", "at-once") == (told.json["status"], told.json["outcome"])
    assert before == office.files()
    assert 0 == enroll(office, "--yes", on=AT_ONCE).status
    (payment,) = office.rows("scheduled-payments", "account=01.0001")
    assert (True, "2026-11-24") == (payment["immediate"], payment["pay_date"])


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 4), ("", 4), ("^C", 1)])
def test_at_the_terminal_the_customer_is_asked(office, monkeypatch, answer, status):
    at_the_terminal(monkeypatch, answer)

    done = enroll(office, on=AT_ONCE)

    assert status == done.status, done.err
    assert (status == 0) == bool(office.rows("scheduled-payments"))
    assert (status == 0) == bool(office.query("SELECT 1 FROM enrollment"))


def test_the_maximum_is_shown_before_the_yes_ruling_5(office):
    choice = ("--maximum", "50.00", "--skip-over-maximum")

    asked, done = enroll(office, *choice), enroll(office, *choice, "--yes", "--json")

    assert (4, 0) == (asked.status, done.status)
    assert "above the maximum of $50.00: tell the customer" in asked.out
    assert ("after-next-close", "over-maximum", True) == tuple(
        done.json[name] for name in ("outcome", "reason", "over_maximum")
    )
    assert ["over-maximum"] == [row["reason"] for row in office.rows("autopay-unscheduled")]


def test_up_to_the_maximum_is_drawn_where_the_customer_wants_it(office):
    done = enroll(office, "--maximum", "50", "--pay-up-to-maximum", "--yes", "--json")

    assert ("50.00", True) == (done.json["amount"], done.json["mandate"]["pays_up_to_maximum"])


@pytest.mark.parametrize(
    ("words", "account", "status", "told"),
    [
        ((), "99", 2, "No export has that account"),
        (("--method=tok_nobody",), "01.0001", 2, "no such payment method"),
        ((f"--user={OLGA}", "--method=1881"), "01.0001", 2, "2 payment methods in that wallet"),
        (("--user=kim@example.org",), "01.0001", 2, "no payment method in the newest export"),
        (("--maximum=lots",), "01.0001", 2, "no amount such as 150.00"),
        (("--maximum=0",), "01.0001", 2, "above zero"),
        (("--skip-over-maximum",), "01.0001", 2, "need --maximum"),
        (("--days-prior=31",), "01.0001", 2, "0<=x<=30"),
        ((), "3", 3, "delete or inactivate that in the billing system"),
        ((), "2", 3, "to change that, cancel and enroll again"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence_and_changes_nothing(
    office, words, account, status, told
):
    before = office.files()

    answer = enroll(office, *words, account=account)

    assert (status, 1) == (answer.status, len(answer.sentences)), answer.err
    assert told in answer.sentences[0]
    assert not any(word in answer.sentences[0] for word in ("tok_", "kim@"))
    assert before == office.files()


def test_a_refusal_has_a_code_for_programs(office):
    assert "direct-pay" == enroll(office, "--json", account="3").json["refusal"]["code"]


def test_the_days_prior_are_mandatory_rule_48(office):
    answer = office("autopay", "enroll", "01.0001", "--user", SVEN, "--method", "4242")

    assert 2 == answer.status
    assert "--days-prior" in answer.sentences[0]


def test_before_the_first_close_it_starts_with_that(prepared, tmp_path):
    desk = prepared.copied(tmp_path / "office")
    nothing = enroll(desk)
    _stage(desk, a_household("01.0001", mandates=()), closed=False)

    done = enroll(desk, "--json")

    assert (2, 0) == (nothing.status, done.status)
    assert ("after-next-close", "no-closed-period", None) == tuple(
        done.json[name] for name in ("outcome", "reason", "period")
    )


def test_the_offices_own_text_takes_the_place_of_ours(office):
    text = "Version: 2026-B\n{account} {method} {amount_rule} {day_rule} {today_rule} Larkspur\n"
    (office.home / "autopay-consent.txt").write_text(text, encoding="utf-8")

    done = enroll(office, "--json")

    assert "2026-B" == done.json["consent_version"]
    ((kept,),) = office.query("SELECT consent_text FROM enrollment")
    assert kept.startswith("01.0001 card ending 4242 the whole balance due")
    assert kept.endswith("Larkspur")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Agreed?\n", "its first line must be `Version: NAME`"),
        ("Version: 1\n{account} {iban}\n", "only these may stand in braces"),
        ("Version: 1\n{account} {method} {day_rule} {today_rule}\n", "must say {amount_rule}"),
    ],
)
def test_a_text_that_does_not_say_what_is_agreed_is_not_used(office, text, told):
    (office.home / "autopay-consent.txt").write_text(text, encoding="utf-8")

    answer = enroll(office)

    assert 2 == answer.status
    assert told in answer.sentences[0]


def test_cancelling_tells_what_falls_away_and_twice_is_refused(office):
    enroll(office)
    done = office("autopay", "cancel", "01-0001", "--as-of", WAITS, "--json")
    again = office("autopay", "cancel", "01-0001", "--as-of", WAITS)

    assert (0, 3) == (done.status, again.status)
    assert ("cancelled", "01.0001", None) == tuple(
        done.json[name] for name in ("status", "account", "stands")
    )
    assert [{"period": "2026-10", "pay_date": "2026-11-13", "amount": "80.00"}] == (
        done.json["dropped"]
    )
    assert "Enrolling again from 2026-11-13 on draws $80.00 at once." in done.json["consequence"]
    assert "is not enrolled" in again.sentences[0]
    assert ["Cancelled"] == [row["status"] for row in office.rows("scheduled-payments")]


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 4), ("^C", 1)])
def test_at_the_terminal_cancelling_is_asked_about(office, monkeypatch, answer, status):
    at_the_terminal(monkeypatch, answer)

    done = office("autopay", "cancel", "2", "--as-of", WAITS)

    assert status == done.status
    assert (status == 0) == bool(office.query("SELECT 1 FROM enrollment_end"))


def test_showing_tells_what_is_agreed_what_comes_next_and_what_was_paid(office):
    """Rule 65."""
    before = office("autopay", "show", "01.0001", "--as-of", WAITS, "--json").json
    enroll(office, "--maximum", "90.00")
    shown = office("autopay", "show", "01.0001", "--as-of", WAITS)
    told = office("autopay", "show", "01.0001", "--as-of", WAITS, "--json").json

    assert (False, None, []) == (before["enrolled"], before["mandate"], before["payments"])
    assert (True, "office", {"pay_date": "2026-11-13", "amount": "80.00"}) == (
        told["enrolled"], told["taken_down_by"], told["next_payment"],
    )  # fmt: skip
    assert ["Pending"] == [payment["status"] for payment in told["payments"]]
    for part in ("since 2026-11-09 (office)", "card ending 4242", "maximum $90.00", "Next payment"):
        assert part in shown.out
    assert "tok_" not in shown.out + str(told)


def test_an_exports_mandate_is_shown_as_the_portals(office):
    told = office("autopay", "show", "2", "--as-of", WAITS, "--json").json

    assert ("portal", "2026-04-09") == (told["taken_down_by"], told["mandate"]["enrolled_on"])
