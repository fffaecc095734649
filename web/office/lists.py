"""One page for every list: a filter under each heading, sorting, paging, and Excel of the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from starlette.responses import Response

from database.types import Cents
from domain.failures import Misuse
from domain.money import Money
from domain.words import say_count
from office.procedures.lists import select_bare, select_list
from reporting.codes import said_of
from reporting.lists.asking import amount_names, column_names, contains
from reporting.lists.catalog import LISTS
from reporting.lists.paging import TOTAL, Row, counted_beside, filled
from reporting.lists.reading import known_part, to_plain
from reporting.lists.writing import to_text, to_xlsx
from web.office.layout import Group, show_office
from web.office.permissions import Permission, may
from web.visits import Visit

ROWS_A_PAGE = 50
MOST_EXPORTED = 200_000  # rows; Excel has a million, and the file is made in memory
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def every_row(_row: Mapping[str, Any]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class RowLink:
    """
    The link of a row to what can be done with it; `key` is the column that names the row.

    `asks` is what the page that it leads to calls it; empty where it ends the page's address.
    """

    path: str
    key: str
    name: str
    permission: Permission
    offered: Callable[[Mapping[str, Any]], bool] = every_row
    asks: str = "key"
    more: str = ""  # what its address has behind that


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page that shows one list of the catalog; `group` are the pages that stand together."""

    path: str
    what: str
    title: str
    group: str
    tab: str
    permission: Permission = Permission.LOOK
    about: str = ""
    empty: str = "No row is like that."
    newest_first: str = ""  # the column that a list is sorted by, backwards, unless asked
    leaves_out: frozenset[str] = frozenset()  # columns that tell a person nothing
    leads: tuple[str, ...] = ()  # what it is read for, right after the first column
    row_link: RowLink | None = None
    begin: RowLink | None = None  # where a new row is made; it has no key
    done: Mapping[str, str] = field(default_factory=dict)  # what is said after something was done


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What of a list is asked for: the filters by column, the column to sort by, the page."""

    path: str
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    page: int = 1

    def link(self, path: str = "", **changed: Any) -> str:
        asked = replace(self, **changed)
        values = dict(asked.filters)
        if asked.sort:
            values["sort"] = asked.sort
        if asked.page > 1:
            values["page"] = str(asked.page)
        return (path or self.path) + (f"?{urlencode(values)}" if values else "")


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A heading with its filter and the way to sort by it."""

    name: str
    title: str
    filter: str
    is_number: bool
    direction: str
    sort_link: str

    @property
    def arrow(self) -> str:
        return {"ascending": " ▲", "descending": " ▼"}.get(self.direction, "")


@dataclass(frozen=True, slots=True)
class ShownCell:
    text: str
    is_number: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class ShownList:
    """A list as a page has it."""

    columns: tuple[ShownColumn, ...]
    rows: tuple[tuple[ShownCell, ...], ...]
    row_link: str  # the heading of the second column, empty where there is no such
    total: int
    page: int
    pages: int
    sort: str
    is_filtered: bool
    export_link: str
    previous_link: str
    next_link: str

    @property
    def sentence(self) -> str:
        return say_count(self.total, "row")


def show_list(visit: Visit, page: ListPage, group: Group = (), **more: Any) -> Response:
    """Show a list; what a filter cannot mean is said beside it, and the rest is shown."""
    asked, shown, narrowed, problems = _asked(visit, page)
    bare = None if problems else _bare(visit, page, asked)
    with visit.office.database.reading() as books:
        found = None if bare is None else read_in_two(books, page, bare, asked, visit.zone)
        rows, total = found or read_page(books, page, shown, narrowed, asked)
    pages = max(1, -(-total // ROWS_A_PAGE))
    asked = replace(asked, page=min(max(asked.page, 1), pages))
    names = _names(page, shown)
    links = may(visit.user.role, Permission.CUSTOMERS)
    row_link = page.row_link
    if row_link is not None and not may(visit.user.role, row_link.permission):
        row_link = None
    listed = ShownList(
        columns=tuple(_column(shown, name, asked, page) for name in names),
        rows=tuple(
            (
                shown_cell(names[0], known_part(row, names[0]), visit.zone, links=links),
                *_row_link(row_link, row),  # second, where no window is too narrow for it
                *(
                    shown_cell(name, known_part(row, name), visit.zone, links=links)
                    for name in names[1:]
                ),
            )
            for row in rows
        ),
        row_link=row_link.name if row_link else "",
        total=total,
        page=asked.page,
        pages=pages,
        sort=asked.sort,
        is_filtered=bool(asked.filters),
        export_link=asked.link(f"{page.path}/export.xlsx", page=1),
        previous_link=asked.link(page=asked.page - 1) if asked.page > 1 else "",
        next_link=asked.link(page=asked.page + 1) if asked.page < pages else "",
    )
    values = {"message": "", "action": None, "begin": None} | more
    return show_office(
        visit,
        "list.html",
        422 if problems else 200,
        title=page.title,
        about=page.about,
        empty=page.empty,
        group=group,
        shown=listed,
        may_export=may(visit.user.role, Permission.EXPORT),
        problems=problems,
        **values,
    )


def read_page(
    books: Connection,
    page: ListPage,
    shown: sa.Subquery,
    narrowed: sa.Select[Any],
    asked: ListQuery,
) -> tuple[list[Row], int]:
    """
    Read the rows of one page, and how many there are of all; a page beyond is the last one.

    The second half of a list is read from its end, backwards: a database walks over all the rows
    before a page, so that the last one costs what the first does.
    """
    total = books.scalar(sa.select(sa.func.count()).select_from(narrowed.subquery())) or 0
    number = min(max(asked.page, 1), max(1, -(-total // ROWS_A_PAGE)))
    before = (number - 1) * ROWS_A_PAGE
    here = max(0, min(ROWS_A_PAGE, total - before))
    after = total - before - here
    if before <= after:
        ordered = _ordered(page, shown, narrowed, asked.sort)
        return [*books.execute(ordered.limit(ROWS_A_PAGE).offset(before)).mappings()], total
    ordered = _ordered(page, shown, narrowed, asked.sort, backwards=True)
    return [*books.execute(ordered.limit(here).offset(after)).mappings()][::-1], total


def read_in_two(
    books: Connection, page: ListPage, bare: sa.Subquery, asked: ListQuery, zone: tzinfo
) -> tuple[list[Row], int] | None:
    """
    Read the same by bare rows first, then whole those that are on the page.

    What a list says of each row (a name, a method, how many accounts) is asked for fifty of them,
    and not for a city. None: this page is read as a whole.
    """
    listing = LISTS[page.what]
    narrowed = sa.select(bare).where(*(contains(bare, *one, zone) for one in asked.filters.items()))
    chosen: list[Row] = []
    if listing.bare:  # the rows are made once, to be counted and to be chosen
        ordered = _ordered(page, bare, counted_beside(narrowed), asked.sort)
        before = (max(asked.page, 1) - 1) * ROWS_A_PAGE
        chosen = [*books.execute(ordered.limit(ROWS_A_PAGE).offset(before)).mappings()]
    total = chosen[0][TOTAL] if chosen else 0
    if not chosen and (asked.page > 1 or not listing.bare):
        chosen, total = read_page(books, page, bare, narrowed, asked)
    rows = filled(books, listing, chosen, is_first=asked.page <= 1)
    return None if rows is None else (rows, total)


def _bare(visit: Visit, page: ListPage, asked: ListQuery) -> sa.Subquery | None:
    """Return what the page's rows can be chosen by; None where it is asked by more than that."""
    chosen = select_bare(visit.office, page.what)
    if chosen is None:
        return None
    bare = chosen.subquery()
    sort = (asked.sort or page.newest_first).removeprefix("-")
    by = {*asked.filters, *([sort] if sort else [])}
    return bare if by <= (set() if LISTS[page.what].bare else set(bare.c.keys())) else None


def export_list(visit: Visit, page: ListPage) -> Response:
    """Return the rows that the page shows, of all its pages, in its order (rules 77, 184)."""
    asked, shown, narrowed, problems = _asked(visit, page)
    if problems:
        return show_list(visit, page)
    names = _names(page, shown)
    zone = visit.zone
    ordered = _ordered(page, shown, narrowed, asked.sort)
    with visit.office.database.reading() as books:
        total = books.scalar(sa.select(sa.func.count()).select_from(narrowed.subquery())) or 0
        if total > MOST_EXPORTED:
            return show_list(visit, page, message=_too_many(page, total))
        rows = [
            {name: to_shown(name, known_part(row, name), zone) for name in names}
            for row in books.execute(ordered).mappings()
        ]
    content = to_xlsx(names, rows, page.what, amounts=amount_names(shown))
    named = {"Content-Disposition": f'attachment; filename="{page.what}.xlsx"'}
    return Response(content, media_type=XLSX, headers=named)


def _too_many(page: ListPage, total: int) -> str:
    """Say that a list is not taken to Excel from here: a part of it would look like all."""
    return (
        f"{total:,} rows are too many for Excel from this page ({MOST_EXPORTED:,} at most), and "
        f"nothing was left out in silence: narrow the list, or run `billclose list {page.what} "
        "--csv FILE`."
    )


def _asked(
    visit: Visit, page: ListPage
) -> tuple[ListQuery, sa.Subquery, sa.Select[Any], dict[str, str]]:
    """Read what a page's address asks for; what is wrong with a filter by its field."""
    shown = select_list(visit.office, page.what).subquery()
    names = _names(page, shown)
    typed = visit.request.query_params
    filters = {name: typed[name].strip() for name in names if typed.get(name, "").strip()}
    sort = typed.get("sort", "")
    sort = sort if sort.removeprefix("-") in names else ""
    number = typed.get("page", "1")
    at = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 1

    narrowed, problems = sa.select(shown), dict[str, str]()
    for name, value in filters.items():
        try:
            narrowed = narrowed.where(contains(shown, name, value, visit.zone))
        except Misuse:
            problems[f"filter-{name}"] = f"{value} is no value of {_title(name)}."
    return ListQuery(page.path, filters, sort, at), shown, narrowed, problems


def _ordered(
    page: ListPage,
    shown: sa.Subquery,
    narrowed: sa.Select[Any],
    sort: str,
    *,
    backwards: bool = False,
) -> sa.Select[Any]:
    """Sort as asked, then as the list stands; so two pages never show the same row."""
    chosen = sort or (f"-{page.newest_first}" if page.newest_first else "")
    named = [chosen, *LISTS[page.what].order] if chosen else list(LISTS[page.what].order)
    order = []
    for name in named:
        column = shown.c[name.removeprefix("-")]
        order.append(column.desc() if name.startswith("-") != backwards else column.asc())
    return narrowed.order_by(*order)


def _names(page: ListPage, shown: sa.Subquery) -> list[str]:
    first, *others = (name for name in column_names(shown) if name not in page.leaves_out)
    return [first, *page.leads, *(name for name in others if name not in page.leads)]


def _column(shown: sa.Subquery, name: str, asked: ListQuery, page: ListPage) -> ShownColumn:
    sort = asked.sort or (f"-{page.newest_first}" if page.newest_first else "")
    direction = {name: "ascending", f"-{name}": "descending"}.get(sort, "none")
    other = f"-{name}" if direction == "ascending" else name
    return ShownColumn(
        name,
        _title(name).capitalize(),
        asked.filters.get(name, ""),
        isinstance(shown.c[name].type, Cents | sa.Integer)
        and not isinstance(shown.c[name].type, sa.Boolean),
        direction,
        asked.link(sort=other, page=1),
    )


def shown_cell(name: str, value: Any, zone: ZoneInfo, *, links: bool = False) -> ShownCell:
    """Write a value as a list shows it: money in dollars, moments by the office's clock."""
    if isinstance(value, Money):
        return ShownCell(value.dollars(), is_number=True)
    text = to_text(to_shown(name, value, zone))
    if name == "account" and text and links:
        return ShownCell(text, link=f"/office/customers/{quote(text, safe='')}")
    return ShownCell(text, is_number=isinstance(value, int) and not isinstance(value, bool))


def _row_link(link: RowLink | None, row: Row) -> tuple[ShownCell, ...]:
    if link is None:
        return ()
    if row[link.key] in (None, "") or not link.offered(dict(row)):
        return (ShownCell(""),)
    key = row[link.key]
    asked = f"?{urlencode({link.asks: key})}" if link.asks else f"/{quote(str(key), safe='')}"
    return (ShownCell(link.name, link=f"{link.path}{asked}{link.more}"),)


def to_shown(name: str, value: Any, zone: ZoneInfo) -> Any:
    """
    Write a moment as the office's clock shows it, and a code in words; all else as the command.

    The command's own lists keep the codes: its conditions go by them.
    """
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"
    return to_plain(said_of(name, value))


def _title(name: str) -> str:
    return name.replace("_", " ")
