"""Customers' tables on a narrow screen: each row stands as lines, so that no amount is cut off."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[3] / "web"
PAGES = sorted((WEB / "customers" / "templates").glob("*.html"))
TABLE = re.compile(r"<table([^>]*)>(.*?)</table>", re.S)
CELL = re.compile(r"<td([^>]*)>(.*?)</td>", re.S)
TABLES = [
    (page.name, attributes, body)
    for page in PAGES
    for attributes, body in TABLE.findall(page.read_text())
]


def test_there_are_tables():
    assert 10 <= len(TABLES)


@pytest.mark.parametrize(("page", "attributes", "body"), TABLES, ids=lambda one: str(one)[:24])
def test_each_cell_of_a_table_names_itself_where_its_heading_is_hidden(page, attributes, body):
    assert 'class="rows"' in attributes
    rows = re.sub(r'<tr class="sum">.*?</tr>', "", body, flags=re.S)
    unnamed = [
        text
        for written, text in CELL.findall(rows)
        if "data-of=" not in written and not re.match(r"<(a|form) ", text)  # a link names itself
    ]

    assert [] == unnamed
    headings = re.findall(r'<th scope="col"[^>]*>(\{\{ _\("[^"]+"\) \}\})', body)
    named = set(re.findall(r'data-of="(\{\{ _\("[^"]+"\) \}\})"', body))
    assert not headings or named <= set(headings)
    assert "<tfoot><tr>" not in body  # a sum stands beside its words


def test_headings_that_are_hidden_take_no_room():
    """Wider than the screen they would have the page, or the table, scrolled sideways."""
    (hidden,) = re.findall(r"\.rows thead \{([^}]*)\}", (WEB / "static" / "portal.css").read_text())

    assert {"width: 1px", "overflow: hidden"} <= {rule.strip() for rule in hidden.split(";")}


def test_a_table_of_staff_with_several_amounts_in_a_row_is_told_as_lines_too():
    found = [
        (page.name, attributes, body)
        for place in ("office", "csr")
        for page in sorted((WEB / place / "templates").glob("*.html"))
        for attributes, body in TABLE.findall(page.read_text())
        if 1 < len(re.findall(r"\|money|\.dollars\(\)", body))
    ]

    assert {"arrangement.html", "bank.html"} <= {page for page, _, _ in found}
    assert [] == [page for page, attributes, _ in found if "rows" not in attributes]
    for page, _, body in found:
        unnamed = [text for written, text in CELL.findall(body) if "data-of=" not in written]
        assert (page, []) == (page, unnamed)


def test_nothing_that_is_clicked_is_printed():
    """Its rules stand last, and are stronger than those that show the same on a screen."""
    style = (WEB / "static" / "portal.css").read_text()
    _, _, printed = style.partition("@media print {")
    hidden, _, rest = printed.partition("{ display: none !important; }")

    for one in (".tabs", ".pages", "button", ".main", ".second", ".danger", "footer"):
        assert one in hidden
    assert "@media" not in rest
    assert "overflow: visible" in rest


def test_a_list_of_the_office_is_printed_whole_and_its_empty_filters_are_not():
    style = (WEB / "static" / "office.css").read_text()
    layout = (WEB / "office" / "templates" / "office.html").read_text()

    assert "size: landscape" in style
    assert '.filters:not(:has(input:not([value=""]))) { display: none !important; }' in style
    assert """static('office.css') }}">""" in layout
