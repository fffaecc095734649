"""Reading a billing export: what is understood, and the sentence for what is not."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from billing_system.embedded import EmbeddedBillingSystem
from billing_system.port import BillingExport
from domain.accounts import AccountStatus
from domain.failures import Misuse, Refused
from domain.money import Money
from domain.problems import Problem
from tests.builders_export import (
    ACCOUNT,
    AUTOPAY,
    COSIGNER,
    MANIFEST,
    METHOD,
    MOVEMENT,
    PORTAL_LINK,
    PORTAL_USER,
    a_table,
    write_export,
)

CARD = "4111 1111 1111 1111"


def read(folder: Path, **changes: str | bytes | None) -> BillingExport:
    return EmbeddedBillingSystem().read_export(write_export(folder / "export", **changes))


def all_problems(export: BillingExport) -> list[Problem]:
    problems = list(export.problems)
    list(export.movements(problems.append))
    return problems


def test_a_correct_export_is_read_without_problems(tmp_path):
    export = read(tmp_path)

    assert all_problems(export) == []
    assert ("2026-10", date(2026, 11, 20)) == (export.period.id, export.period.due_on)
    assert Money(27_35) == export.control_totals.billed
    assert [account.number for account in export.accounts] == ["01.1037.1"]
    assert [[Money(27_35)]] == [some.amount for some in export.movements([].append)]
    assert [link.mailbox for link in export.portal_links] == ["sven@example.com"]
    assert [(e.method_token, e.days_prior, e.maximum, e.is_active) for e in export.enrollments] == [
        ("tok_7_1", 5, None, True)
    ]


def test_optional_files_and_columns_may_be_absent(tmp_path):
    optional = ("phone", "email", "equal_pay_amount", "cosigner_id")
    accounts = a_table({k: v for k, v in ACCOUNT.items() if k not in optional})
    absent = ("portal_users", "portal_links", "cosigners", "payment_methods", "autopay")

    export = read(tmp_path, accounts=accounts, **dict.fromkeys(absent))

    assert all_problems(export) == []
    assert (
        export.accounts[0].phone,
        export.accounts[0].email,
        export.accounts[0].equal_pay_amount,
    ) == ("", "", None)
    assert export.enrollments == ()


ACCENTED = a_table(ACCOUNT | {"name": "Beltrán, Zoë – “Ñ”"})


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(ACCENTED.encode("utf-8"), id="UTF-8"),
        pytest.param(ACCENTED.encode("utf-8-sig"), id="UTF-8 with a byte order mark"),
        pytest.param(ACCENTED.encode("cp1252"), id="cp1252"),
        pytest.param(ACCENTED.replace("\n", "\r\n").encode(), id="Windows line ends"),
        pytest.param((ACCENTED + "\n\n,,,,\n").encode(), id="blank lines at the end"),
        pytest.param(
            a_table(ACCOUNT | {"name": "Beltrán, Zoë – “Ñ”"}, delimiter=";").encode(),
            id="semicolons",
        ),
        pytest.param(
            a_table(ACCOUNT | {"name": "Beltrán, Zoë – “Ñ”"}, delimiter="\t").encode(), id="tabs"
        ),
        pytest.param(
            ACCENTED.replace("account_number,name", " Account_Number , NAME").encode(),
            id="headings in other letters",
        ),
    ],
)
def test_tables_are_read_as(tmp_path, content):
    export = read(tmp_path, accounts=content)

    assert export.problems == ()
    assert [account.name for account in export.accounts] == ["Beltrán, Zoë – “Ñ”"]


def test_names_that_look_like_missing_values_are_names(tmp_path):
    accounts = a_table(ACCOUNT | {"name": "NA", "last_name": "Null"})

    account = read(tmp_path, accounts=accounts).accounts[0]

    assert (account.name, account.last_name) == ("NA", "Null")


def test_us_formats_are_read(tmp_path):
    accounts = a_table(
        ACCOUNT
        | {"opening_balance": "($31.47)", "closing_balance": "$1,027.35", "status": "FINAL"}
        | {"ebill": "TRUE", "send_paper": "0", "direct_pay": "no", "block_ach": ""}
    )
    movements = a_table(MOVEMENT | {"date": "10/5/2026", "amount": "(1.00)", "type": "Payment"})

    export = read(tmp_path, accounts=accounts, transactions=movements)

    account = export.accounts[0]
    assert (Money(-31_47), Money(1027_35)) == (account.opening_balance, account.closing_balance)
    assert AccountStatus.FINAL is account.status
    assert (
        account.ebill,
        account.send_paper,
        account.direct_pay,
        account.block_ach,
    ) == (True, False, False, False)
    some = next(export.movements([].append))
    assert ([date(2026, 10, 5)], [Money(-1_00)]) == (some.posted_on, some.amount)


def test_columns_may_have_their_own_names(tmp_path):
    accounts = a_table(
        {
            "Customer Number": "01.1037.1",
            **{k: v for k, v in ACCOUNT.items() if k != "account_number"},
        }
    )
    bundle = MANIFEST + '\n[columns.accounts]\naccount_number = "customer number"\n'

    export = read(tmp_path, accounts=accounts, bundle=bundle)

    assert [account.number for account in export.accounts] == ["01.1037.1"]


def test_a_row_is_counted_as_an_editor_does(tmp_path):
    accounts = a_table(
        ACCOUNT | {"mailing_address": "PO Box 1\nRear"},
        ACCOUNT | {"account_number": "01.2", "closing_balance": "x"},
    )

    export = read(tmp_path, accounts=accounts)

    assert export.accounts[0].mailing_address == "PO Box 1\nRear"
    assert [problem.row for problem in export.problems] == [4]


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        pytest.param("accounts", ACCOUNT, "opening_balance", "12,3O.00", id="no amount"),
        pytest.param("accounts", ACCOUNT, "closing_balance", "27.355", id="third decimal"),
        pytest.param("accounts", ACCOUNT, "equal_pay_amount", "NaN", id="not a number"),
        pytest.param("accounts", ACCOUNT, "ebill", "maybe", id="no flag"),
        pytest.param("accounts", ACCOUNT, "status", "dormant", id="unknown status"),
        pytest.param("accounts", ACCOUNT, "zip", "84999-1234-5678-9012x", id="too long"),
        pytest.param("transactions", MOVEMENT, "date", "2/29/2026", id="no such day"),
        pytest.param("transactions", MOVEMENT, "date", "20261031", id="no date"),
        pytest.param("transactions", MOVEMENT, "type", "refund", id="unknown type"),
        pytest.param("transactions", MOVEMENT, "amount", "١٢.00", id="digits of other scripts"),
        pytest.param("transactions", MOVEMENT, "usage", "inf", id="no quantity"),
        pytest.param("portal_links", PORTAL_LINK, "paperless", "x", id="no flag of a link"),
        pytest.param("payment_methods", METHOD, "kind", "cash", id="unknown kind"),
        pytest.param("payment_methods", METHOD, "last4", "11x", id="not four digits"),
        pytest.param("autopay", AUTOPAY, "days_prior", "-1", id="negative days"),
        pytest.param("autopay", AUTOPAY, "days_prior", "2.5", id="half a day"),
        pytest.param("autopay", AUTOPAY, "maximum", "lots", id="no maximum"),
        pytest.param("autopay", AUTOPAY, "enrolled_on", "yesterday", id="no enrollment date"),
    ],
)
def test_an_unreadable_cell_is_a_problem_with_its_place(tmp_path, table, row, column, value):
    problem, *others = all_problems(read(tmp_path, **{table: a_table(row | {column: value})}))

    assert others == []
    assert ("unreadable-row", f"{table}.csv", 2, column) == (
        problem.code,
        problem.file,
        problem.row,
        problem.column,
    )
    assert f'{table}.csv row 2, column {column}: "{value}" is' in problem.message
    if "account_number" in row:
        assert problem.account == "01.1037.1"


def test_a_row_among_hundreds_is_told_in_its_place_and_the_others_are_kept(tmp_path):
    rows = [ACCOUNT | {"account_number": f"01.{place}"} for place in range(1, 251)]
    rows[117] |= {"status": "y"}
    rows[204] |= {"name": CARD}

    export = read(tmp_path, accounts=a_table(*rows))

    kept = [f"01.{place}" for place in range(1, 251) if place != 118]
    assert kept == [account.number for account in export.accounts]
    assert [("unreadable-row", "01.118", 119), ("sensitive-data", "01.205", 206)] == [
        (problem.code, problem.account, problem.row) for problem in export.problems
    ]
    assert "" == export.accounts[203].name


def test_a_movement_among_hundreds_is_told_in_its_place_and_the_others_are_kept(tmp_path):
    rows = [MOVEMENT | {"amount": f"{place}.00"} for place in range(1, 251)]
    rows[117] |= {"amount": "much"}
    rows[204] |= {"description": CARD}
    problems: list[Problem] = []

    some = list(read(tmp_path, transactions=a_table(*rows)).movements(problems.append))

    kept = [Money(place * 100) for place in range(1, 251) if place != 118]
    assert kept == [amount for columns in some for amount in columns.amount]
    assert [("unreadable-row", 119), ("sensitive-data", 206)] == [
        (problem.code, problem.row) for problem in problems
    ]
    assert not any(CARD in columns.description for columns in some)


def test_all_unreadable_cells_are_told_and_only_their_rows_left_out(tmp_path):
    accounts = a_table(
        ACCOUNT | {"opening_balance": "x", "status": "y"},
        ACCOUNT | {"account_number": "01.2"},
        ACCOUNT | {"account_number": "..."},
    )

    export = read(tmp_path, accounts=accounts, transactions=a_table(MOVEMENT))

    assert [account.number for account in export.accounts] == ["01.2"]
    assert [(problem.row, problem.column) for problem in export.problems] == [
        (2, "status"),
        (2, "opening_balance"),
        (4, "account_number"),
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        pytest.param("01.9,2026-10-31,WATER", "has 3 fields where the heading has 7", id="few"),
        pytest.param("01.9,,,,,,,,", "has 9 fields where the heading has 7", id="many"),
        pytest.param('01.9,2026-10-31,"WATER', "quotation mark that is never closed", id="open"),
        pytest.param('01.9,"WA"TER",,,,,', "quotation mark within a quoted field", id="inner"),
    ],
)
def test_a_record_that_is_no_row_is_a_problem(tmp_path, line, fault):
    problems = all_problems(read(tmp_path, transactions=a_table(MOVEMENT) + line))

    assert [(problem.code, problem.row) for problem in problems] == [("unreadable-row", 3)]
    assert fault in problems[0].message


def test_long_values_are_shortened(tmp_path):
    problems = read(tmp_path, accounts=a_table(ACCOUNT | {"status": "z" * 300})).problems

    assert f'"{"z" * 40}…" is not one of' in problems[0].message


def test_a_second_row_of_an_account_is_a_duplicate_in_the_first_spelling(tmp_path):
    accounts = a_table(ACCOUNT, ACCOUNT | {"account_number": "01-1037-1", "name": "Other"})

    export = read(tmp_path, accounts=accounts)

    assert [account.name for account in export.accounts] == ["Beltran, Sven"]
    assert [(problem.code, problem.account, problem.row) for problem in export.problems] == [
        ("account-duplicate", "01.1037.1", 3)
    ]


@pytest.mark.parametrize(
    ("table", "first", "second"),
    [
        pytest.param("payment_methods", METHOD, {"last4": "9999"}, id="a token"),
        pytest.param("portal_users", PORTAL_USER, {"name": "Somebody"}, id="a portal user"),
        pytest.param("cosigners", COSIGNER, {"portal_user": "x@example.net"}, id="a cosigner"),
    ],
)
def test_a_row_that_comes_twice_is_tolerated_only_if_identical(tmp_path, table, first, second):
    identical = read(tmp_path, **{table: a_table(first, first)})
    different = read(tmp_path, **{table: a_table(first, first | second)})

    assert identical.problems == ()
    assert len(getattr(identical, table)) == 1
    assert [(p.code, p.row) for p in different.problems] == [("unreadable-row", 3)]


def test_a_link_is_paperless_where_any_of_its_rows_says_so(tmp_path):
    links = a_table(PORTAL_LINK | {"paperless": "N"}, PORTAL_LINK, PORTAL_LINK)

    export = read(tmp_path, portal_links=links)

    assert (export.problems, [link.paperless for link in export.portal_links]) == ((), [True])


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        pytest.param("accounts", ACCOUNT, "name", f"Sven {CARD}", id="a card in a name"),
        pytest.param("accounts", ACCOUNT, "phone", "4111-1111-1111-1111", id="a card as phone"),
        pytest.param("accounts", ACCOUNT, "closing_balance", "378282246310005", id="as amount"),
        pytest.param("transactions", MOVEMENT, "description", f"paid {CARD}", id="a payment"),
        pytest.param("transactions", MOVEMENT, "description", "021000021/1234567", id="a bank"),
        pytest.param("payment_methods", METHOD, "token", "4111111111111111", id="a card token"),
        pytest.param("payment_methods", METHOD, "token", "1234-5678", id="a bank token"),
        pytest.param("payment_methods", METHOD, "last4", "4111111111111111", id="not last four"),
        pytest.param("autopay", AUTOPAY, "method_token", "000123456789", id="a mandate's token"),
    ],
)
def test_a_card_or_bank_number_is_neither_shown_nor_kept(tmp_path, table, row, column, value):
    export = read(tmp_path, **{table: a_table(row | {column: value})})

    problems = all_problems(export)
    assert [("sensitive-data", 2, column)] == [(p.code, p.row, p.column) for p in problems]
    kept = f"{export}{list(export.movements([].append))}{problems}"
    assert value not in kept
    assert value[-9:] not in kept


def test_a_number_that_is_too_long_for_last4_is_not_shown(tmp_path):
    problems = read(tmp_path, payment_methods=a_table(METHOD | {"last4": "12345"})).problems

    assert [problem.code for problem in problems] == ["unreadable-row"]
    assert "12345" not in problems[0].message


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"account_number\nok\n\x81\x8d\n", id="neither UTF-8 nor cp1252"),
        pytest.param(b"\xef\xbb\xbfaccount_number\nok\n\xe9\n", id="a mark for UTF-8 that is not"),
    ],
)
def test_an_unknown_encoding_is_refused_with_its_line(tmp_path, content):
    with pytest.raises(Refused, match=r"accounts.csv row [13] has bytes") as refused:
        read(tmp_path, accounts=content)

    assert refused.value.code == "wrong-encoding"


def test_a_missing_column_is_told_with_what_to_do(tmp_path):
    movements = a_table({k: v for k, v in MOVEMENT.items() if k != "amount"})

    with pytest.raises(Misuse) as misuse:
        read(tmp_path, transactions=movements)

    sentence = misuse.value.message
    assert 'transactions.csv has no column "amount"' in sentence
    assert "account_number, date, service" in sentence
    assert "[columns.transactions] amount" in sentence


def test_the_same_heading_twice_is_refused(tmp_path):
    with pytest.raises(Misuse, match='has the heading "Amount" twice'):
        read(tmp_path, transactions="account_number,amount,Amount\n")


@pytest.mark.skipif("BILLCLOSE_BUNDLES" not in os.environ, reason="BILLCLOSE_BUNDLES is not set")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("larkspur-plain", []),
        ("larkspur-boxed", []),
        ("larkspur-html", []),
        ("refused-unreadable-row", [("unreadable-row", "01.1222.6")]),
        ("refused-account-duplicate", [("account-duplicate", "01.1148.4")]),
    ],
)
def test_sample_exports_have_the_planted_problems(name, expected):
    export = EmbeddedBillingSystem().read_export(Path(os.environ["BILLCLOSE_BUNDLES"]) / name)

    assert expected == [(problem.code, problem.account) for problem in all_problems(export)]
