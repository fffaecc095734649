"""A bank's BAI2 file: what it says, and each way in which it can be wrong, with its row."""

from __future__ import annotations

from datetime import date

import pytest

from domain.failures import Misuse
from domain.money import Money
from payments.bank.bai2 import is_bai2, read_bai2
from tests.payments.bank.bank_files import DAY, TWO, bai2, bai2_rows


def only(text: str):
    (found,) = read_bai2(text)
    return found


def test_what_comes_in_and_what_goes_out_with_day_reference_and_text():
    incoming, outgoing = read_bai2(TWO)

    assert (4, "4567", DAY, Money(100_00)) == (
        incoming.row, incoming.bank_account, incoming.posted_on, incoming.amount
    )  # fmt: skip
    assert ("BREF1 CREF1", "STRIPE PAYOUT po_1") == (incoming.reference, incoming.text)
    assert (Money(-40_00), "", "STRIPE RETURNS") == (
        outgoing.amount, outgoing.reference, outgoing.text
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "cents"),
    [("142", 100), ("399", 100), ("400", -100), ("699", -100), ("920", 100), ("960", -100)],
)
def test_a_type_code_says_whether_money_came_or_went(code, cents):
    assert Money(cents) == only(bai2((code, 100, ",,,x"))).amount


@pytest.mark.parametrize("code", ["700", "890", "910", "010"])
def test_what_moves_no_money_is_no_line_and_still_counts(code):
    assert [] == list(read_bai2(bai2((code, 100, ",,,x"))))


@pytest.mark.parametrize(
    "availability", ["0,", "1,", "2,", "Z,", ",", "S,1,2,3,", "V,261118,0600,", "D,2,0,50,1,50,"]
)
def test_every_funds_type_leaves_reference_and_text_where_they_are(availability):
    found = only(bai2(("142", 100, f"{availability}BREF,,text, with a comma/")))

    assert ("BREF", "text, with a comma") == (found.reference, found.text)


def test_a_text_that_goes_on_is_one_text_and_its_records_count():
    rows = bai2_rows([("142", 100, ",BREF,,STRIPE")])
    rows.insert(4, "88,PAYOUT po_7")
    rows[5:] = ["49,50100,4/", "98,50100,1,6/", "99,50100,1,8/"]

    assert "STRIPE PAYOUT po_7" == only("\r\n".join(rows)).text


def test_a_record_that_goes_on_after_a_slash_goes_on_with_its_next_field():
    rows = bai2_rows([("142", 100, "/")])
    rows[3] = "16,142,100/"
    rows.insert(4, "88,Z,BREF,CREF,text")
    rows[5:] = ["49,50100,4/", "98,50100,1,6/", "99,50100,1,8/"]

    assert ("BREF CREF", "text") == (only("\n".join(rows)).reference, only("\n".join(rows)).text)


def test_a_file_of_several_days_gives_each_line_its_own():
    first, second = bai2_rows([("142", 100, ",,,a")]), bai2_rows([("142", 200, ",,,b")])
    second[1] = second[1].replace("261117", "261118")
    rows = [*first[:-1], *second[1:-1], "99,100300,2,12/"]

    assert [(DAY, "a"), (date(2026, 11, 18), "b")] == [
        (one.posted_on, one.text) for one in read_bai2("\n".join(rows))
    ]


ROWS = bai2_rows([("142", 100_00, ",REF,,STRIPE"), ("142", 50_00, ",REF,,STRIPE")])
HARM = [
    (lambda rows: rows[:-1], "row 7 is the last one, and the end of the file"),
    (lambda rows: rows[:3], "row 3 is the last one"),
    (lambda rows: [*rows, "01,X"], "row 9 stands behind the end"),
    (lambda rows: [rows[0].replace(",2/", ",1/"), *rows[1:]], "row 1 is not the header"),
    (lambda rows: swap(rows, 1, "02,C,B,2,261117,,USD,2/"), "row 2 begins a group that is a del"),
    (lambda rows: swap(rows, 1, "02,C,B,4,261117,,USD,2/"), "a test (status 4)"),
    (lambda rows: swap(rows, 1, "02,C,B,1,261317,,USD,2/"), "row 2 has no day as YYMMDD"),
    (lambda rows: swap(rows, 1, "02,C,B,1,26111,,USD,2/"), "row 2 has no day as YYMMDD"),
    (lambda rows: [], "row 1 is the last one, and the end of the file"),
    (lambda rows: swap(rows, 2, "03,,USD/"), "row 3 names no account"),
    (lambda rows: swap(rows, 2, "03,1234,EUR/"), "row 3 is of an account in EUR"),
    (lambda rows: swap(rows, 3, "16,142,100.00,,,,x"), "row 4 has an amount '100.00'"),
    (lambda rows: swap(rows, 3, "16,142,1_0,,,,x"), "row 4 has an amount"),
    (lambda rows: swap(rows, 3, "16,142,\u0661\u0660,,,,x"), "row 4 has an amount"),
    (lambda rows: swap(rows, 3, "16,14,100,,,,x"), "row 4 has no type code"),
    (lambda rows: swap(rows, 3, "16,142,10000,Q,,,x"), "row 4 has a funds type 'Q'"),
    (lambda rows: swap(rows, 3, "16"), "row 4 has no type code"),
    (lambda rows: swap(rows, 3, "17,142,1"), "row 4 begins with '17'"),
    (lambda rows: swap(rows, 3, "nonsense"), "row 4 begins with 'no'"),
    (lambda rows: [rows[0], rows[1], *rows[3:]], "row 3 (record 16) belongs to no account"),
    (lambda rows: [rows[0], *rows[2:]], "row 2 (record 03) does not belong there"),
    (lambda rows: ["88,x", *rows], "row 1 goes on with a record (88) that was not begun"),
    (lambda rows: [*rows[:4], *rows[5:]], "row 5 says a control total of $650.00"),
    (lambda rows: swap(rows, 5, "49,65000,3/"), "row 6 counts 3 records, and there are 4"),
    (lambda rows: swap(rows, 5, "49,65000/"), "row 6 is a trailer without its counts"),
    (lambda rows: swap(rows, 6, "98,65000,2,6/"), "row 7 counts 2 sections, and there are 1"),
    (lambda rows: swap(rows, 7, "99,1,1,8/"), "row 8 says a control total of $0.01"),
    (lambda rows: [*rows[:5], *rows[6:]], "row 6 (record 98) ends what was not begun"),
]  # fmt: skip


def swap(rows: list[str], at: int, row: str) -> list[str]:
    return [*rows[:at], row, *rows[at + 1 :]]


@pytest.mark.parametrize(("harm", "said"), HARM)
def test_a_file_that_is_wrong_is_refused_with_its_row(harm, said):
    with pytest.raises(Misuse) as refused:
        list(read_bai2("\n".join(harm(ROWS))))

    assert said in refused.value.message
    assert "bank-file" == refused.value.code
    assert refused.value.message.endswith("Nothing of it was taken in.")


@pytest.mark.parametrize("between", ["\n", "\n\n", "\r\n"])
def test_a_sound_file_is_not_refused(between):
    assert 2 == len(list(read_bai2(between.join(ROWS))))


def test_a_record_without_an_amount_tells_of_no_money():
    rows = bai2_rows([("142", 100_00, ",REF,,STRIPE"), ("890", 0, ",,,A NOTE")])

    told = "\n".join(rows).replace("16,890,0,", "16,890,,")

    assert [100_00] == [one.amount.cents for one in read_bai2(told)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("01,A", True), ("\ufeff\n01,", True), ("Date,Amount", False), ("", False)],
)
def test_bai2_is_known_by_its_first_record(text, expected):
    assert expected is is_bai2(text)
