"""The tables of the demo city's billing export, written a row at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Protocol

from command_line.demo_contacts import Autopay, cosigner_of
from command_line.demo_households import Household
from domain.accounts import Account
from domain.money import Money

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
