"""What `list` shows of a closed period, and the files it writes."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest

from tests.flows.town import TOWN

FIELDS = {
    "bills": "account period form amount_due due_date pages pdf sha256 visible",
    "deliveries": "account name period kind recipient source status message_id attempts sent_at "
    "error",
    "email-events": "account name period kind recipient status sent_at error form",
    "texts": "account period kind phone_ending status attempts queued_at sent_at error words",
    "paper": "account name period pages reason",
    "print-batches": "period part form file bills pages written_at fetched_at fetched_by",
    "bounces": "id received_at account period action status kind waits diagnostic",
    "suppressed-addresses": "address account since reason",
    "communications": "number title expires pages link added_at removed_at removal_reason",
    "mailings": "number day subject status mailboxes sent failed deferred waiting left_out",
    "unsubscribed-addresses": "address since",
    "arrangements": "number account period state amount installments first last reason",
    "balances": "account period",
    "scheduled-payments": "account name period pay_date amount method last4 immediate state "
    "status confirmation",
    "autopay-unscheduled": "account name reason",
    "pending-payments": "confirmation account amount taken_at attempts next_retry error",
    "completed-payments": "confirmation account amount method taken_at posted_at source",
    "returned-payments": "account name happened_at kind amount reason answer_by state confirmation",
    "movements": "account date type amount service description reference source period "
    "in_balance_due id",
    "changes": "id account field value at by state",
    "deposits": "deposit provider date confirmation account kind amount fee posted_at",
    "return-rates": "period kind returned originated rate_percent limit_percent",
    "outsorted": "account name period amount_due check reason outsorted_at outsorted_by closed",
    "checks": "check severity status failed accounts",
    "findings": "period check severity status account name service found at_stake known_until "
    "remedy",
    "register-figures": "period check service rate_code figure value low high before passed "
    "sentence",
    "exceptions": "account name stage code message",
    "accounts": "account name service_address mailing_address phone email status ebill send_paper "
    "direct_pay amount_due balance due_date cycle period",
    "enrollments": "account name portal_user method last4 days_prior maximum enrolled_on source "
    "state ended_on ended_by end_reason",
    "portal-users": "portal_user name state accounts phone made_at seen_at source",
    "portal-links": "account name portal_user relation paperless linked_at linked_by period",
    "mass-texts": "number day words spanish phones sent waiting failed in_doubt segments "
    "recorded_at recorded_by",
    "landlords": "cosigner_id landlord portal_user state accounts source linked_at linked_by "
    "ended_at ended_by reason",
    "landlord-accounts": "cosigner_id landlord portal_user account name service_address status "
    "amount_due balance period",
    "payment-methods": "portal_user method last4 brand expires_on source added_at suspended_at",
    "activity": "at portal_user kind account detail who",
    "autopay-enrolled": "account name portal_user method last4 days_prior maximum enrolled_on "
    "source",
    "unknown-payments": "key account period amount asked_at lookups code",
    "customers": "account name service_address city email phone status amount_due balance period",
    "staff": "number address role state made_at made_by seen_at",
    "audit": "at who action subject detail",
}
ROWS = {
    "bills": 11,
    "deliveries": 9,
    "paper": 5,
    "scheduled-payments": 3,
    "autopay-unscheduled": 4,
    "pending-payments": 0,
    "completed-payments": 0,
    "exceptions": 13,  # three are payments whose day has passed by now, undrawn (ruling 20)
    "audit": 6,
}


@pytest.mark.parametrize("what", FIELDS)
def test_a_list_has_the_fields_of_the_contract(closed, what):
    answer = closed("list", what, "--csv")
    (headings, *rows) = csv.reader(io.StringIO(answer.out))

    assert (0, "") == (answer.status, answer.err)
    assert FIELDS[what].split() == [name for name in headings if name in FIELDS[what].split()]
    assert len(closed.rows(what)) == len(rows) == ROWS.get(what, len(rows))
    assert all(set(FIELDS[what].split()) <= row.keys() for row in closed.rows(what))


def test_the_pages_of_the_contract_are_all_here():
    from reporting.lists.catalog import LISTS

    assert set(FIELDS) == set(LISTS)


def test_money_is_text_dates_are_iso_and_flags_are_flags(closed):
    (bill,) = closed.rows("bills", "account=01.1007.7")
    (payment,) = closed.rows("scheduled-payments", "account=01.1009.9")
    (mail,) = closed.rows("deliveries", "account=01.1007.7")

    assert ("-31.47", "2026-11-20", 1, True) == tuple(
        bill[name] for name in ("amount_due", "due_date", "pages", "visible")
    )
    assert ("90.00", "2026-11-02", True, None) == tuple(
        payment[name] for name in ("amount", "pay_date", "immediate", "confirmation")
    )
    assert mail["sent_at"].startswith("2026-11-02T16:0")
    assert mail["sent_at"].endswith("+00:00")


def test_people_read_the_utilitys_own_clocks(closed):
    table = closed("list", "deliveries", "--where", "account=01.1007.7", "--columns", "sent_at")

    assert "2026-11-02 09:0" in table.out
    assert "+00:00" not in table.out


@pytest.mark.parametrize(
    ("what", "condition", "accounts"),
    [
        ("bills", "account=01.1001.1", ["01.1001.1"]),
        ("bills", "account=01-1001-1", ["01.1001.1"]),
        ("bills", "account=0110011", ["01.1001.1"]),
        ("bills", "account=0110012", []),
        ("bills", "amount_due=$1,031.00", ["01.1002.2"]),
        ("bills", "amount_due=1031", ["01.1002.2"]),
        ("bills", "amount_due=($31.47)", ["01.1007.7"]),
        ("bills", "pages=2", ["01.1011.1"]),
        ("bills", "visible=no", []),
        ("bills", "period=2026-09", []),
        ("scheduled-payments", "immediate=yes", ["01.1009.9"]),
        ("scheduled-payments", "immediate=FALSE", ["01.1006.6", "01.1001.1"]),
        ("scheduled-payments", "pay_date=11/10/2026", ["01.1006.6"]),
        ("scheduled-payments", "pay_date=2026-11-13", ["01.1001.1"]),
        ("scheduled-payments", "status=pending", ["01.1009.9", "01.1006.6", "01.1001.1"]),
        ("deliveries", "recipient=ANN.ABBOTT@example.com", ["01.1001.1"]),
        ("deliveries", "source=landlord", ["01.1005.5"]),
        ("paper", "reason=no-valid-email", ["01.1004.4"]),
        ("exceptions", "code=negative-bill", ["01.1007.7"]),
        ("exceptions", "account=01 1007 7", ["01.1007.7"]),
    ],
)
def test_a_list_is_narrowed_as_people_mean_it(closed, what, condition, accounts):
    """Rule 76."""
    assert accounts == [row["account"] for row in closed.rows(what, condition)]


@pytest.mark.parametrize(
    ("what", "conditions", "accounts"),
    [
        ("bills", ["amount_due>200"], ["01.1002.2"]),
        ("bills", ["amount_due>=200", "amount_due<1000"], ["01.1011.1"]),
        ("bills", ["amount_due<0"], ["01.1007.7"]),
        ("bills", ["amount_due<=($31.47)"], ["01.1007.7"]),
        ("bills", ["pages!=1"], ["01.1011.1"]),
        ("bills", ["pages > 1"], ["01.1011.1"]),
        ("bills", ["account~1002"], ["01.1002.2"]),
        ("bills", ["account!=01-1002-2", "amount_due>=200"], ["01.1011.1"]),
        ("scheduled-payments", ["pay_date<2026-11-10"], ["01.1009.9"]),
        ("scheduled-payments", ["pay_date>11/10/2026"], ["01.1001.1"]),
        ("scheduled-payments", ["pay_date~2026-11-1", "method!=ACH"], ["01.1006.6"]),
        ("scheduled-payments", ["name~ABBOTT"], ["01.1001.1"]),
        ("scheduled-payments", ["confirmation!="], []),
        ("deliveries", ["recipient~landlord@", "sent_at=2026-11-02"], ["01.1005.5"]),
        ("deliveries", ["sent_at>2026-11-02"], []),
        ("deliveries", ["sent_at<2026-11-02T09:00", "source=landlord"], []),
        ("accounts", ["name~frost"], ["01.1006.6"]),
        ("accounts", ["account~%"], []),
        ("accounts", ["account~_"], []),
        ("accounts", ["account=%"], []),
        ("bills", ["account!=%", "pages>1"], ["01.1011.1"]),
        ("deliveries", ["recipient~%"], []),
        ("deliveries", ["recipient~_"], []),
        ("enrollments", ["state=active", "last4=0017"], []),
    ],
)
def test_a_condition_compares_by_what_a_column_is(closed, what, conditions, accounts):
    """Money as cents, days as days, counts as counts, moments by the utility's own days."""
    assert accounts == [row["account"] for row in closed.rows(what, *conditions)]


def test_the_highest_bills_in_the_columns_wanted(closed):
    words = ("list", "bills", "--sort", "-amount_due", "--limit", "2", "--columns")

    answer = closed(*words, "amount_due,account", "--json")

    assert [
        {"amount_due": "1031.00", "account": "01.1002.2"},
        {"amount_due": "200.00", "account": "01.1011.1"},
    ] == answer.json


def test_what_is_empty_stands_at_the_end_however_it_is_sorted(closed):
    for sort in ("maximum", "-maximum"):
        rows = closed("list", "enrollments", "--sort", sort, "--json").json

        assert sorted(row["maximum"] is None for row in rows) == [
            row["maximum"] is None for row in rows
        ]


def test_descending_turns_the_order_around(closed):
    words = ("list", "bills", "--columns", "account", "--json", "--sort", "amount_due")

    assert closed(*words).json == closed(*words, "--descending").json[::-1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--where", "amuont_due>1"], "there is no column amuont_due (did you mean amount_due?)"),
        (["--sort", "-due"], "there is no column due (did you mean due_date?)"),
        (["--columns", "account,pags"], "there is no column pags (did you mean pages?)"),
        (["--where", "amount_due>plenty"], "'plenty' is no amount such as 27.35."),
        (["--where", "due_date>soon"], "'soon' is no day such as 2026-11-20."),
        (["--where", "amount_due~3"], "amount_due is compared with =, !=, <, >."),
        (["--where", "account"], "write COLUMN=VALUE, or with !=, <, <=, >, >= or ~ (contains)"),
        (["--descending"], "--descending goes with --sort COLUMN."),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_sentence(closed, words, sentence):
    answer = closed("list", "bills", *words)

    assert (2, "", 1) == (answer.status, answer.out, len(answer.err.splitlines()))
    assert sentence in answer.err


def test_conditions_hold_together(closed):
    both = closed.rows("scheduled-payments", "method=card", "immediate=no")

    assert ["01.1006.6"] == [row["account"] for row in both]


def test_a_file_holds_just_the_rows_shown(closed, tmp_path):
    """Rules 77, 184."""
    file = tmp_path / "bills.csv"

    answer = closed("list", "bills", "--where", "pages=2", "--csv", file)

    assert (0, "", "") == (answer.status, answer.out, answer.err)
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    assert [("01.1011.1", "200.00", "yes")] == [
        (row["account"], row["amount_due"], row["visible"]) for row in rows
    ]
    assert 0o600 == file.stat().st_mode & 0o777


def test_excel_gets_numbers_for_amounts_and_text_for_the_rest(closed, tmp_path):
    file = tmp_path / "bills.xlsx"

    answer = closed("list", "bills", "--xlsx", file)

    assert (0, "") == (answer.status, answer.err)
    sheet = openpyxl.load_workbook(file).active
    headings, *rows = sheet.iter_rows(values_only=True)
    amounts = {row[headings.index("account")]: row[headings.index("amount_due")] for row in rows}
    assert {found.number: found.amount_due.cents / 100 for found in TOWN if found.pages} == amounts
    assert {"2026-11-20"} == {row[headings.index("due_date")] for row in rows}
    assert f"A1:{sheet.cell(1, len(headings)).column_letter}12" == sheet.auto_filter.ref


def test_a_spreadsheet_takes_no_text_for_a_formula(closed, tmp_path):
    file = tmp_path / "deliveries.xlsx"
    closed("list", "deliveries", "--where", "account=01.1008.8", "--xlsx", file)
    as_csv = closed("list", "deliveries", "--where", "account=01.1008.8", "--csv").out

    (row,) = csv.DictReader(io.StringIO(as_csv))
    cells = {cell.value: cell.data_type for cell in openpyxl.load_workbook(file).active[2]}

    assert "'+hal@example.com" == row["recipient"]
    assert "s" == cells["+hal@example.com"]


def test_a_negative_amount_stays_a_number_in_a_spreadsheet(closed):
    answer = closed("list", "bills", "--where", "account=01.1007.7", "--csv")

    (row,) = csv.DictReader(io.StringIO(answer.out))
    assert "-31.47" == row["amount_due"]


def test_the_screen_shows_a_table_and_how_many_rows_there_are(closed):
    answer = closed("list", "paper")

    headings, first, *_ = answer.out.splitlines()
    assert headings.split()[:5] == FIELDS["paper"].split()
    assert first.split()[:4] == ["01.1002.2", "Baker,", "Ben", "2026-10"]
    assert "5 rows\n" == answer.err


@pytest.mark.parametrize("option", ["--csv", "--xlsx"])
def test_a_file_that_cannot_be_written_is_told_in_one_sentence(closed, tmp_path, option):
    answer = closed("list", "bills", option, tmp_path / "nowhere" / "bills.file")

    assert (1, 1) == (answer.status, len(answer.err.splitlines()))
    assert "no such file or directory" in answer.sentences[0]
