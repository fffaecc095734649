"""The lists of the office's pages: narrowed under each heading, sorted, paged, taken to Excel."""

from __future__ import annotations

import html
import io
import re

import openpyxl
import pytest

from database.ledger.entries import record_entries
from domain.identity import Role
from domain.ledger import EntryKind, EntrySource
from tests.builders import NOW, a_household, an_entry, stage_run
from web.office.lists import ROWS_A_PAGE
from web.office.pages import LIST_PAGES


@pytest.fixture
def clerk(signed_in):
    return signed_in(Role.ADMIN)


@pytest.mark.parametrize("page", LIST_PAGES, ids=lambda page: page.what)
def test_every_list_opens_is_filtered_by_each_column_and_exports_what_it_shows(clerk, page):
    """Rules 74, 76, 77, 88 and 132: the two lists of autopay, what was taken, who is linked."""
    shown = clerk.get(page.path)
    names = re.findall(r'id="filter-([a-z_0-9]+)"', shown.text)

    assert 200 == shown.status_code
    assert names
    for label in ("Apply", "Export to Excel"):
        assert f">{label}</" in shown.text
    for name in names:
        assert f'<label class="unseen" for="filter-{name}">' in shown.text
        asked = {"sort": f"-{name}"}
        narrowed = clerk.get(page.path, params=asked | {name: "1"}).status_code
        assert 200 == narrowed or (422, 200) == (
            narrowed,
            clerk.get(page.path, params=asked).status_code,
        )
    book = openpyxl.load_workbook(io.BytesIO(clerk.get(f"{page.path}/export.xlsx").content))
    assert names == [cell.value for cell in book.active[1]]


def test_the_file_read_back_equals_the_page(clerk):
    asked = {"status": "active", "sort": "-name"}
    page = clerk.get("/office/customers", params=asked).text
    link = html.unescape(re.search(r'href="([^"]+export\.xlsx[^"]*)"', page)[1])

    answer = clerk.get(link)

    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    in_file = [[as_shown(cell) for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert cells_of(page) == in_file
    assert 2 == len(in_file)
    assert 'attachment; filename="customers.xlsx"' == answer.headers["content-disposition"]


def test_a_code_stands_in_words_and_is_found_by_them(signed_in):
    signed_in(Role.SUPERVISOR), signed_in(Role.CSR)
    admin = signed_in(Role.ADMIN)

    everybody = admin.get("/office/settings/staff").text
    found = admin.get("/office/settings/staff", params={"role": "customer serv"}).text

    assert ("<td>customer service</td>" in everybody, "<td>csr</td>" in everybody) == (True, False)
    assert ("<td>customer service</td>" in found, "<td>supervisor</td>" in found) == (True, False)


def test_a_spreadsheet_takes_no_name_for_a_formula(clerk):
    content = clerk.get("/office/customers/export.xlsx").content

    cells = [cell for row in openpyxl.load_workbook(io.BytesIO(content)).active for cell in row]

    (hostile,) = [cell for cell in cells if cell.value == "=HYPERLINK(1)"]
    assert "s" == hostile.data_type


@pytest.mark.parametrize(
    ("asked", "accounts"),
    [
        ({"account": "01-1001-1"}, ["01.1001.1"]),
        ({"account": "1002"}, ["01.1002.2"]),
        ({"name": "abb"}, ["01.1001.1"]),
        ({"name": "%"}, []),
        ({"account": "%"}, []),
        ({"account": "_"}, []),
        ({"account": "1%9"}, []),
        ({"name": "abb", "account": "1002"}, []),
        ({"sort": "account"}, ["01.1001.1", "01.1002.2"]),
        ({"sort": "-account"}, ["01.1002.2", "01.1001.1"]),
        ({"sort": "_account_key"}, ["01.1001.1", "01.1002.2"]),
        ({"sort": "nonsense", "page": "99"}, ["01.1001.1", "01.1002.2"]),
        ({"page": "-1", "_account_key": "x"}, ["01.1001.1", "01.1002.2"]),
    ],
)
def test_a_list_is_narrowed_and_sorted_as_asked(clerk, asked, accounts):
    page = clerk.get("/office/customers", params=asked)

    assert accounts == [row[0] for row in cells_of(page.text)]


def test_a_filter_that_means_nothing_is_named_and_the_list_still_stands(clerk):
    answer = clerk.get("/office/customers", params={"amount_due": "many"})

    assert 422 == answer.status_code
    assert "many is no value of amount due" in answer.text
    assert 2 == len(cells_of(answer.text))


def test_names_are_escaped(clerk):
    page = clerk.get("/office/customers", params={"name": '"><script>alert(1)</script>'}).text

    assert "<script>alert" not in page


def test_pages_together_hold_each_row_once_in_the_order_of_the_whole_list(signed_in, books, office):
    """The second half is read from the end: what is alike, or empty, keeps its order."""
    from tests.builders import close_run, empty

    empty(books)
    phones = ("", "970 555 0100", "970 555 0101")
    stage_run(
        books,
        *(a_household(f"01.{n:04}.1", phone=phones[n % 3]) for n in range(1, ROWS_A_PAGE * 2 + 3)),
    )
    close_run(books)
    clerk = signed_in(Role.CLERK)

    for sort in ("", "city", "-city", "phone", "-phone", "-account"):
        asked = {"sort": sort}
        pages = [
            clerk.get("/office/customers", params=asked | {"page": str(number)}).text
            for number in (1, 2, 3)
        ]
        file = clerk.get("/office/customers/export.xlsx", params=asked).content

        seen = [row[0] for page in pages for row in cells_of(page)]
        (first, *_), *whole = openpyxl.load_workbook(io.BytesIO(file)).active.values
        assert ("account", seen) == (first, [row[0] for row in whole]), sort
        assert ROWS_A_PAGE * 2 + 2 == len(set(seen))
        assert "Page 3 of 3" in pages[2]


def test_an_account_is_shown_at_a_glance_and_an_unknown_one_is_not(clerk, office):
    told = {"account_key": "0110011", "source": EntrySource.FEED, "kind": EntryKind.ADJUSTMENT}
    with office.database.writing() as books:
        record_entries(books, [an_entry("feed/W-1", "-7.00", **told)], now=NOW, who="anna")

    known = clerk.get("/office/customers/01.1001.1")

    assert "ABBOTT, ANN, account 01.1001.1" in known.text
    assert "Balance due" in known.text
    moved = known.text.partition("What moved the balance")[2].partition("</table>")[0]
    assert {"adjustment", "-$7.00", "feed"} <= set(re.findall(r"<td[^>]*>([^<]+)</td>", moved))
    assert 404 == clerk.get("/office/customers/99.9999.9").status_code


def cells_of(page: str) -> list[list[str]]:
    (body,) = re.findall(r"<tbody>(.*?)</tbody>", page, re.S)
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
    return [
        [html.unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall("<td.*?</td>", row)]
        for row in rows
    ]


def as_shown(cell) -> str:
    if cell.data_type == "n" and cell.number_format == "#,##0.00":
        return f"{'-' if cell.value < 0 else ''}${abs(cell.value):,.2f}"
    return "" if cell.value is None else str(cell.value)


def test_a_list_too_long_for_excel_says_so_and_leaves_nothing_out(clerk, monkeypatch):
    monkeypatch.setattr("web.office.lists.MOST_EXPORTED", 1)

    answer = clerk.get("/office/customers/export.xlsx")

    assert "2 rows are too many for Excel from this page (1 at most)" in answer.text
    assert "billclose list customers --csv FILE" in answer.text
