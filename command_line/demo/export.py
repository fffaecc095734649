"""An invented city's billing export, complete and always the same."""

from __future__ import annotations

import csv
from calendar import monthrange
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import Final, Protocol

from command_line.demo.bill import ACCOUNT, AMOUNT_DUE, DUE_DATE, SEPARATOR, Biller
from command_line.demo.households import Autopay, Household, cosigner_of, draw_households
from command_line.demo.paper import BulkPdf
from command_line.demo.people import CITY
from domain.accounts import Account
from domain.money import ZERO, Money
from domain.periods import ControlTotals, Period

HEADINGS: Final = {
    "accounts": (
        "account_number,name,last_name,service_address,mailing_address,city,state,zip,phone,email,"
        "ebill,send_paper,status,opening_balance,closing_balance,equal_pay_amount,direct_pay,"
        "block_ach,block_card,cosigner_id"
    ),
    "transactions": "account_number,date,service,description,type,amount,usage",
    "portal_users": "email,name",
    "portal_links": "portal_user,account_number,paperless",
    "cosigners": "cosigner_id,name,portal_user",
    "payment_methods": "token,portal_user,kind,last4",
    "autopay": "account_number,portal_user,method_token,days_prior,maximum,enrolled_on,status",
}


class _RowWriter(Protocol):
    def writerow(self, row: Iterable[object], /) -> object: ...


class Tables:
    """All tables open at once; use it as a context, and add accounts in their order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = ExitStack()
        self._writers: dict[str, _RowWriter] = {}

    def __enter__(self) -> Tables:
        for table, heading in HEADINGS.items():
            path = self._folder / f"{table}.csv"
            file = self._files.enter_context(path.open("w", encoding="utf-8", newline=""))
            self._writers[table] = csv.writer(file, lineterminator="\n")
            self._write(table, heading.split(","))
        return self

    def __exit__(self, *failure: object) -> None:
        self._files.close()

    def add(self, household: Household, number: int) -> None:
        """Write everything the export tells about the account with this running number."""
        account = household.account
        self._write("accounts", _account_row(account))
        for line in household.ledger.lines:
            day, usage = line.made_on.isoformat(), "" if line.usage is None else line.usage
            row = (line.service, line.description, line.type, line.amount, usage)
            self._write("transactions", (account.number, day, *row))
        self._add_portal_user(household)
        self._add_landlord(number, account.number)
        if household.autopay:
            self._add_autopay(account.number, household.contact.portal_user, household.autopay)

    def _add_portal_user(self, household: Household) -> None:
        """Portals write account numbers with dashes: they compare on letters and digits alone."""
        contact, account = household.contact, household.account
        if contact.portal_user:
            self._write("portal_users", (contact.portal_user, account.name))
            dashed = account.number.replace(".", "-")
            row = (contact.portal_user, dashed, _flag(contact.portal_paperless))
            self._write("portal_links", row)

    def _add_landlord(self, number: int, account: str) -> None:
        """A landlord comes with the first tenant, and looks at the second one in the portal."""
        cosigner = cosigner_of(number)
        if number % 65 == 5:
            self._write("cosigners", (cosigner.id, cosigner.name, cosigner.portal_user))
            if cosigner.portal_user:
                self._write("portal_users", (cosigner.portal_user, cosigner.name))
        if number % 65 == 18 and cosigner.portal_user:
            self._write("portal_links", (cosigner.portal_user, account, _flag(False)))

    def _add_autopay(self, account: str, portal_user: str, autopay: Autopay) -> None:
        method = (autopay.token, portal_user, autopay.kind, autopay.last4)
        self._write("payment_methods", method)
        when = (autopay.days_prior, _optional(autopay.maximum), autopay.enrolled_on.isoformat())
        self._write("autopay", (account, portal_user, autopay.token, *when, autopay.status))

    def _write(self, table: str, row: Iterable[object]) -> None:
        self._writers[table].writerow(row)


def _account_row(account: Account) -> tuple[object, ...]:
    return (
        account.number,
        account.name,
        account.last_name,
        account.service_address,
        account.mailing_address,
        account.city,
        account.state,
        account.zip,
        account.phone,
        account.email,
        _flag(account.ebill),
        _flag(account.send_paper),
        account.status.value,
        account.opening_balance,
        account.closing_balance,
        _optional(account.equal_pay_amount),
        _flag(account.direct_pay),
        _flag(account.block_ach),
        _flag(account.block_card),
        account.cosigner_id,
    )


def _flag(claim: bool) -> str:
    return "Y" if claim else "N"


def _optional(amount: Money | None) -> str:
    return "" if amount is None else str(amount)


SEED: Final = 1037
UTILITY: Final = f"City of {CITY}"
TIMEZONE: Final = "America/Denver"
_DUE_DAY: Final = 20
_SHUFFLED_AT_ONCE: Final = 2000  # bills in memory, however big the city

Progress = Callable[[int, int], None]


def write_demo_city(
    folder: Path,
    *,
    accounts: int = 500,
    period: str = "2026-10",
    seed: int = SEED,
    progress: Progress | None = None,
) -> Path:
    """
    Write the billing export of an invented city of so many accounts, and return its folder.

    It ties out to the cent and passes every blocking check; what clerks meet every month (bad
    addresses, credits, leaks, mandates that cannot be drawn) is planted at fixed places. The same
    arguments give the same bytes. Memory stays flat, so that it also serves to measure big cities.
    Raises ValueError when the period is not written as `2026-10`.
    """
    dates = to_period(period)
    folder.mkdir(parents=True, exist_ok=True)
    count, waiting = _Count(), list[Household]()
    pages = Random(f"{seed}/pages")  # noqa: S311  no secrets here
    with Tables(folder) as tables, BulkPdf(folder / "bills.pdf", f"Bills {period}") as pdf:
        biller = Biller(pdf, dates)
        for number, household in enumerate(draw_households(seed, accounts, dates)):
            tables.add(household, number)
            count.add(household)
            waiting += [household] if household.is_billed else []
            if len(waiting) == _SHUFFLED_AT_ONCE:
                _print_shuffled(biller, waiting, pages)
            if progress:
                progress(number + 1, accounts)
        _print_shuffled(biller, waiting, pages)
    described = _describe(dates, count.totals())
    (folder / "bundle.toml").write_text(described, encoding="utf-8", newline="\n")
    return folder


def to_period(period: str) -> Period:
    """Return a month and its due date, the 20th of the month after it."""
    starts_on = date.fromisoformat(f"{period}-01")
    ends_on = starts_on.replace(day=monthrange(starts_on.year, starts_on.month)[1])
    year, month = ends_on.year + ends_on.month // 12, ends_on.month % 12 + 1
    return Period(period, starts_on, ends_on, date(year, month, _DUE_DAY))


def _print_shuffled(biller: Biller, waiting: list[Household], pages: Random) -> None:
    """Print bills in another order than the tables': a printer goes by postal route."""
    pages.shuffle(waiting)
    for household in waiting:
        biller.print(household, pages.random())
    waiting.clear()


@dataclass
class _Count:
    """The control totals as they add up."""

    accounts: int = 0
    bills: int = 0
    opening: Money = ZERO
    closing: Money = ZERO
    by_type: dict[str, Money] = field(default_factory=dict)

    def add(self, household: Household) -> None:
        self.accounts += 1
        self.bills += household.is_billed
        self.opening += household.ledger.opening
        self.closing += household.ledger.closing
        for line in household.ledger.lines:
            self.by_type[line.type] = self.by_type.get(line.type, ZERO) + line.amount

    def totals(self) -> ControlTotals:
        return ControlTotals(
            accounts=self.accounts,
            bills=self.bills,
            opening_balance=self.opening,
            billed=self.by_type.get("billing", ZERO),
            payments=self.by_type.get("payment", ZERO),
            adjustments=self.by_type.get("adjustment", ZERO),
            penalties=self.by_type.get("penalty", ZERO),
            closing_balance=self.closing,
        )


def _describe(period: Period, totals: ControlTotals) -> str:
    return f"""\
[utility]
name = "{UTILITY}"
timezone = "{TIMEZONE}"

[period]
id = "{period.id}"
start = {period.starts_on}
end = {period.ends_on}
due_date = {period.due_on}

[control_totals]
accounts = {totals.accounts}
bills = {totals.bills}
opening_balance = "{totals.opening_balance}"
billed = "{totals.billed}"
payments = "{totals.payments}"
adjustments = "{totals.adjustments}"
penalties = "{totals.penalties}"
closing_balance = "{totals.closing_balance}"

[[documents]]
form = "utility-bill"
file = "bills.pdf"
account = '{ACCOUNT}'
amount_due = '{AMOUNT_DUE}'
due_date = '{DUE_DATE}'
separator = "{SEPARATOR}"
"""
