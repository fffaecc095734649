"""Usage records one by one: filtered, with the columns that somebody wants, or sent as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.responses import Response

from database.queries.portal.accounts import PortalAccount
from database.queries.portal.usage import (
    UsageRecord,
    UsageWish,
    count_usage,
    metered_services,
    usage_records,
)
from domain.failures import Misuse, Refused
from domain.languages import say_short_day
from identity.activity import record_activity
from identity.attempts.counting import count_bad, record_attempt
from mail.letters.phrases import period_words
from office.equipment.mail import export_address
from office.equipment.office import in_name_of
from office.procedures.usage_export import export_usage
from reporting.documents.usage_export import MOST
from web.customers.accounts import my_accounts
from web.layout import say_ledger, say_number, show
from web.visits import Visit, redirect

PATH = "/bills/usage"
A_PAGE = 50
EXPORTS_A_DAY, DAY = 10, timedelta(days=1)
NUMBERS = ("quantity", "amount")
UNUSUAL = ("id", "invoiced")  # columns that are shown to whoever asks for them


def column_titles(visit: Visit) -> dict[str, str]:
    """Return what the columns are called, in their order."""

    return {
        "id": visit.say("ID"),
        "date": visit.say("Date"),
        "account": visit.say("Account"),
        "service": visit.say("Service"),
        "description": visit.say("Description"),
        "quantity": visit.say("Quantity"),
        "unit": visit.say("Unit"),
        "amount": visit.say("Amount"),
        "invoiced": visit.say("Invoiced"),
    }


NO_DAY = "Enter a day in the form 2026-10-31, or leave it empty."
WRONG_WAY_ROUND = "The last day is before the first one."
NOTHING_THERE = "There is no usage record to send. Choose other days or another service."
NOT_NOW = "The file cannot be made now. Please try again later, or call the billing office."
TOO_OFTEN = "You had very many files made. Please try again in 24 hours."


@dataclass(frozen=True, slots=True)
class RecordsWish:
    """What of the usage records somebody asks for; `account` is empty for all of theirs."""

    account: str
    wish: UsageWish
    columns: tuple[str, ...]
    page: int
    problems: Mapping[str, str]

    def link(self, page: int) -> str:
        """Return the address of another page of the same."""
        asked: list[tuple[str, str]] = [("account", self.account), ("service", self.wish.service)]
        asked += [("since", _iso(self.wish.since)), ("until", _iso(self.wish.until))]
        asked += [("column", name) for name in self.columns]
        return f"{PATH}?{urlencode([*asked, ('page', str(page))])}"


def show_records(visit: Visit) -> Response:
    """Show usage records by filter and columns (rules 180, 182)."""
    return _page(visit, read_wish(visit, visit.request.query_params), 200)


def take_export(visit: Visit) -> Response:
    """Have the newest records of one account sent to whoever is signed in (rule 183)."""
    asked, problems = read_wish(visit, visit.form), {}
    mine = {one.account_key: one for one in my_accounts(visit)}
    chosen = mine.get(asked.account) or (next(iter(mine.values())) if len(mine) == 1 else None)
    if asked.problems:
        return _page(visit, asked, 422)
    if chosen is None:
        problems["account"] = visit.say("Choose one account: a file is of one alone.")
    elif _is_too_often(visit):
        problems[""] = visit.say(TOO_OFTEN)
    else:
        try:
            office = in_name_of(visit.office, f"customer {visit.user.number}")
            export_usage(office, chosen.account, visit.user.address, asked.wish)
        except (Refused, Misuse) as refusal:
            problems[""] = visit.say(NOTHING_THERE if refusal.code == "no-usage" else NOT_NOW)
    if problems or chosen is None:
        return _page(visit, asked, 422, problems)
    with visit.office.database.writing() as books:
        record_attempt(books, "export", [_subject(visit)], visit.now, good=False)
        record_activity(
            books, visit.user.number, "usage-exported", visit.now, account_key=chosen.account_key
        )
    visit.wake_mail()
    return redirect(f"{PATH}?done=sent")


def read_wish(visit: Visit, asked: Mapping[str, str]) -> RecordsWish:
    """Read what is asked for; what cannot be meant is said, and narrows nothing."""
    problems: dict[str, str] = {}
    days = {name: _day(visit, asked, name, problems) for name in ("since", "until")}
    since, until = days["since"], days["until"]
    if since and until and until < since:
        problems["until"] = visit.say(WRONG_WAY_ROUND)
    wanted = asked.getlist("column") if isinstance(asked, QueryParams) else []
    columns = tuple(name for name in _SAID if name in wanted) or tuple(
        name for name in _SAID if name not in UNUSUAL
    )
    page = asked.get("page", "1")
    return RecordsWish(
        asked.get("account", "").strip()[:64],
        UsageWish(asked.get("service", "")[:100], since, until),
        columns,
        int(page) if page.isdecimal() and len(page) < 7 else 1,
        problems,
    )


def _page(
    visit: Visit, asked: RecordsWish, status: int, problems: Mapping[str, str] | None = None
) -> Response:
    mine = my_accounts(visit)
    keys = [one.account_key for one in mine if asked.account in ("", one.account_key)]
    wish = UsageWish() if asked.problems else asked.wish
    with visit.office.database.reading() as books:
        total = count_usage(books, keys, wish)
        pages = max(1, -(-total // A_PAGE))
        page = min(max(asked.page, 1), pages)
        services = metered_services(books, [one.account_key for one in mine])
        found = usage_records(books, keys, wish, most=A_PAGE, after=(page - 1) * A_PAGE)
    titles = column_titles(visit)
    return show(
        visit,
        "usage-records.html",
        status,
        problems={**asked.problems, **(problems or {})},
        accounts=mine,
        asked=asked,
        titles=titles,
        numbers=NUMBERS,
        rows=[
            [(_SAID[name](visit, one), *_cell(name, one)) for name in asked.columns]
            for one in found
        ],
        services=services,
        total=total,
        most=MOST,
        page=page,
        pages=pages,
        chosen=_only(mine, asked.account),
        can_be_sent=bool(export_address(visit.office.settings)),
        since=_iso(asked.wish.since),
        until=_iso(asked.wish.until),
        done=visit.request.query_params.get("done", "") == "sent",
    )


def _cell(name: str, record: UsageRecord) -> tuple[bool, str]:
    """Say whether a cell is a number, and where it leads."""
    link = f"/accounts/{record.account_key}/lines/{record.identity}" if name == "amount" else ""
    return name in NUMBERS, link


_SAID: dict[str, Callable[[Visit, UsageRecord], Any]] = {
    "id": lambda _visit, one: one.identity,
    "date": lambda visit, one: say_short_day(one.posted_on, visit.language),
    "account": lambda _visit, one: one.account,
    "service": lambda _visit, one: one.service,
    "description": lambda _visit, one: one.description,
    "quantity": lambda _visit, one: say_number(one.usage),
    "unit": lambda _visit, one: one.unit,
    "amount": lambda _visit, one: say_ledger(one.amount),
    # What is not on a bill yet is in no closed period, and shows nowhere (rule 3).
    "invoiced": lambda visit, one: visit.say(
        "Yes, %(period)s", period=period_words(one.period, visit.language)
    ),
}


def _only(mine: list[PortalAccount], asked: str) -> PortalAccount | None:
    found = [one for one in mine if asked in ("", one.account_key)]
    return found[0] if len(found) == 1 else None


def _day(
    visit: Visit, asked: Mapping[str, str], name: str, problems: dict[str, str]
) -> date | None:
    text = asked.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        problems[name] = visit.say(NO_DAY)
        return None


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _subject(visit: Visit) -> str:
    return f"user/{visit.user.number}"


def _is_too_often(visit: Visit) -> bool:
    with visit.office.database.reading() as books:
        return count_bad(books, "export", [_subject(visit)], visit.now, DAY) >= EXPORTS_A_DAY
