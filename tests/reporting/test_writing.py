"""Lists in Excel: nothing left out in silence, and nothing taken for a formula."""

from __future__ import annotations

import io

import openpyxl

from reporting.lists.writing import to_xlsx


def test_rows_beyond_a_sheet_go_on_in_the_next_with_the_headings_again():
    rows = ({"account": f"01.{number}", "at_stake": "2.50"} for number in range(7))

    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(["account", "at_stake"], rows, "f", most=3)))

    assert ["f", "f 2", "f 3"] == book.sheetnames
    assert [4, 4, 2] == [sheet.max_row for sheet in book]
    assert ["account"] * 3 == [sheet["A1"].value for sheet in book]
    assert ["01.0", "01.3", "01.6"] == [sheet["A2"].value for sheet in book]
    assert 2.5 == book["f 3"]["B2"].value


def test_a_list_without_rows_is_a_sheet_with_its_headings():
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(["account"], [], "empty")))

    assert [["account"]] == [[cell.value for cell in row] for row in book.active.iter_rows()]
