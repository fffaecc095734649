"""A bank's CSV by the layout of the settings, and each way in which a row can be wrong."""

from __future__ import annotations

from datetime import date

import pytest

from domain.failures import Misuse
from payments.bank.table import CsvLayout, read_table

PLAIN = CsvLayout()
APART = CsvLayout(amount="", credit="Credit", debit="Debit", reference="Ref", days="iso")


def read(text: str, layout: CsvLayout = PLAIN) -> list[tuple[date, str, str, str]]:
    return [
        (one.posted_on, str(one.amount), one.reference, one.text)
        for one in read_table(text, layout)
    ]


def test_a_table_with_a_signed_amount_under_the_banks_own_title():
    text = 'First Bank\nDATE,Description,Amount\n11/17/2026,"STRIPE, PAYOUT","$1,100.00"\n'

    assert [(date(2026, 11, 17), "1100.00", "", "STRIPE, PAYOUT")] == read(text)


def test_what_came_in_and_what_went_out_in_columns_of_their_own():
    text = (
        "Date;Ref;Credit;Debit;Description\n"
        "2026-11-17;r1;100.00;;in\n\n2026-11-18;r2;;40.00;out\n2026-11-18;r3;;-1.00;out"
    )

    assert ["100.00", "-40.00", "-1.00"] == [row[1] for row in read(text, APART)]
    assert ["r1", "r2", "r3"] == [row[2] for row in read(text, APART)]


@pytest.mark.parametrize(
    ("days", "written", "expected"),
    [
        ("month-first", "3/4/2026", date(2026, 3, 4)),
        ("month-first", "03-04-26", date(2026, 3, 4)),
        ("day-first", "3/4/2026", date(2026, 4, 3)),
        ("day-first", "03.04.2026", date(2026, 4, 3)),
        ("iso", "2026-03-04", date(2026, 3, 4)),
    ],
)
def test_a_day_is_read_as_the_bank_writes_it(days, written, expected):
    text = f"Date,Amount,Description\n{written},1.00,x\n"

    assert expected == read(text, CsvLayout(days=days))[0][0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2026-11-17,1.00,x", "row 2 has no day (month-first) in Date but '2026-11-17'"),
        ("02/30/2026,1.00,x", "row 2 has no day"),
        ("17/11/2026,1.00,x", "row 2 has no day"),
        ("11/17/2026,1.000,x", "row 2 has no amount such as 27.35 in Amount but '1.000'"),
        ("11/17/2026,,x", "row 2 has no amount"),
        ("11/17/2026", "row 2 ends before its column Amount"),
        (f"11/17/2026,1.00,{'x' * 140_000}", "row 2 cannot be read: field larger than"),
    ],
)
def test_a_row_that_is_wrong_is_refused_with_its_number(row, said):
    with pytest.raises(Misuse, match="Nothing of it was taken in") as refused:
        read(f"Date,Amount,Description\n{row}\n")

    assert said in refused.value.message


@pytest.mark.parametrize("cells", [";", "1.00;1.00"])
def test_a_row_with_both_or_neither_amount_is_refused(cells):
    text = f"Date;Ref;Credit;Debit;Description\n2026-11-17;r;{cells};x\n"

    with pytest.raises(Misuse, match=r"row 2 has (both|neither) of Credit and Debit"):
        read(text, APART)


@pytest.mark.parametrize(
    "text", ["x,y\n1,2\n", "Date,Sum\n", "\n" * 30 + "Date,Amount,Description"]
)
def test_a_table_without_the_headings_says_which_settings_name_them(text):
    with pytest.raises(Misuse, match=r"set bank\.csv_date"):
        read(text)


def test_a_layout_without_any_amount_is_said():
    with pytest.raises(Misuse, match=r"bank\.csv_credit and bank\.csv_debit"):
        read("Date\n", CsvLayout(amount=""))
