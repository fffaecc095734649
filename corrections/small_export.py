"""One account's corrected bill out of a small export: read, split and checked as any export is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from billing_system.importing import import_export
from billing_system.port import BillingExport
from data_checks.check import Check, Finding, find, to_query
from data_checks.checks.catalog import CATALOG
from data_checks.parameters import Thresholds, parameters
from database.books import Database, insert_rows
from database.schema import metadata
from database.tables import account, bill, bill_run
from domain.accounts import Account
from domain.checks import Severity
from domain.failures import Misuse, Refused
from domain.money import Money
from domain.periods import NOTICE
from domain.words import say_count
from rules.money.balances import amount_due
from splitter.copying.verifying import VerificationPolicy
from splitter.runs.labels import USUAL_LABELS, LabelTerms
from splitter.runs.split import split_run
from splitter.store.bill_store import BillStore

NAMED = 5  # other accounts that a sentence names
ONLY_TOLD = ("control-totals",)  # of an export of one account they say nothing about its bill
OF_THE_WHOLE = ("unreadable-row", "account-duplicate", "sensitive-data", "page-unassigned")


@dataclass(frozen=True, slots=True)
class ReadingTerms:
    """How the office reads exports and bulk files; `today` is its local date."""

    now: datetime
    today: date
    who: str
    thresholds: Thresholds
    verification: VerificationPolicy
    ocr: bool = False
    reports_only: bool = False
    labels: LabelTerms = USUAL_LABELS


@dataclass(frozen=True, slots=True)
class CorrectedBill:
    """What takes the place of a closed bill; dates are local, `written` is a moment."""

    period: str
    account_key: str
    account: str
    form: str
    amount_due: Money
    due_on: date
    closing_balance: Money
    pages: int
    pdf: bytes = field(repr=False)
    sha256: str
    export_name: str
    export_sha256: str
    written: datetime | None
    notes: tuple[str, ...]


def read_corrected_bill(
    real: Database, export: BillingExport, period: str, key: str, number: str, terms: ReadingTerms
) -> CorrectedBill:
    """
    Return the bill of one account that a small export holds.

    The export is staged, split and checked in books of its own, which are gone afterwards, by the
    very programs that take in a whole one. Whose pages are whose is decided by all accounts of
    the closed period; what the export says of other accounts is left out, in words. Raises Misuse
    for an export of another period or without this account or its bill, Refused where a check
    that stops a close fails for it.
    """
    own = _require_account(export, period, key, number)
    _require_utility(real, export, period)
    with _own_books() as (place, books):
        folder = place / "exports"
        import_export(books, export, exports_folder=folder, now=terms.now, who=terms.who)
        others = _add_town(real, books, period)
        store = BillStore(place / "bills")
        split_run(
            books, period, store, exports_folder=folder, processes=1,
            progress=lambda _done, _all: None, verification_policy=terms.verification,
            ocr=terms.ocr, reports_only=terms.reports_only, labels=terms.labels,
        )  # fmt: skip
        _remove_town(books, period, others)
        notes = _check(books, period, own, terms)
        row = _find_bill(books, period, own)
        pdf = store.read(row.pdf)
        with books.reading() as connection:
            sure = connection.execute(sa.select(bill_run.c.written_at)).scalar_one()
    return CorrectedBill(
        period=period,
        account_key=key,
        account=own.number,
        form=row.form,
        amount_due=amount_due(own),
        due_on=row.printed_due_on or export.period.due_on,
        closing_balance=own.closing_balance,
        pages=row.pages,
        pdf=pdf,
        sha256=row.sha256,
        export_name=export.name,
        export_sha256=export.sha256,
        written=sure,
        notes=(*_say_others(export, key), *notes),
    )


def _require_account(export: BillingExport, period: str, key: str, number: str) -> Account:
    if export.period.id != period:
        raise Misuse(
            f"{export.name} is of period {export.period.id}, not of {period}; give the export of "
            "the corrected bill.",
            "wrong-period",
        )
    found = next((one for one in export.accounts if one.key == key), None)
    if found is None:
        raise Misuse(
            f"{export.name} has no account {number} in accounts.csv; give the export of its "
            "corrected bill.",
            "not-in-export",
        )
    return found


def _require_utility(real: Database, export: BillingExport, period: str) -> None:
    query = sa.select(bill_run.c.utility, bill_run.c.timezone).where(bill_run.c.period == period)
    with real.reading() as books:
        known = books.execute(query).one()
    if (export.utility.name, export.utility.timezone) != (known.utility, known.timezone):
        raise Refused(
            "other-utility",
            f"{export.name} is of {export.utility.name} ({export.utility.timezone}), period "
            f"{period} of {known.utility} ({known.timezone}); nothing was changed.",
        )


@contextmanager
def _own_books() -> Iterator[tuple[Path, Database]]:
    """Give books and a folder that nobody else can read, and that are gone afterwards."""
    place = Path(tempfile.mkdtemp(prefix="billclose-correction-"))
    books = Database(f"sqlite:///{place / 'books.db'}")
    try:
        with books.writing() as connection:
            metadata.create_all(connection)
        yield place, books
    finally:
        books.close()
        shutil.rmtree(place, ignore_errors=True)


def _add_town(real: Database, books: Database, period: str) -> list[str]:
    """
    Let the splitter know whose accounts, names and addresses there are besides the export's.

    A page of somebody whom the small export does not have must not pass for its account's.
    """
    columns = [column.name for column in account.columns]
    with real.reading() as source, books.writing() as target:
        known = set(target.scalars(sa.select(account.c.account_key)))
        rows = source.execution_options(yield_per=5_000).execute(
            sa.select(account).where(account.c.period == period)
        )
        new = [row for row in rows if row.account_key not in known]
        insert_rows(target, account, columns, new)
    return [row.account_key for row in new]


def _remove_town(books: Database, period: str, keys: list[str]) -> None:
    gone = account.delete().where(
        account.c.period == period, account.c.account_key == sa.bindparam("gone_key")
    )
    if keys:
        with books.writing() as target:
            target.execute(gone, [{"gone_key": key} for key in keys])


def _check(books: Database, period: str, own: Account, terms: ReadingTerms) -> list[str]:
    """
    Look for what would stop a close, of this account and of the files as a whole.

    Returns what is only told. The checks' own SQL decides; nothing is waived for a correction.
    """
    told: list[str] = []
    with books.reading() as connection:
        values = parameters(connection, period, terms.today, terms.thresholds)
        for check in CATALOG:
            if check.severity is not Severity.BLOCKING and not check.may_block:
                continue
            found = find(connection, check, to_query(check.sql, values))
            if check.name in ONLY_TOLD:
                told += [f"{check.name}: {one.detail}" for one in found]
                continue
            for finding in found:
                _refuse(check, finding, own)
    return told


def _refuse(check: Check, finding: Finding, own: Account) -> None:
    blocks = check.severity is Severity.BLOCKING or finding.blocks
    is_ours = own.key in (finding.account_key, finding.also_key)
    if blocks and (is_ours or check.name in OF_THE_WHOLE):
        raise Refused(
            check.name,
            f"{check.what.rstrip('.')}: {finding.detail.rstrip('.')}. {check.fix} "
            "Nothing was changed.",
        )


def _find_bill(books: Database, period: str, own: Account) -> Any:
    query = sa.select(bill).where(
        bill.c.period == period, bill.c.account_key == own.key, ~bill.c.form.endswith(NOTICE)
    )
    with books.reading() as connection:
        found = connection.execute(query).all()
    if len(found) != 1:
        what = "no bill" if not found else f"{len(found)} bills"
        raise Refused(
            "bill-missing" if not found else "bill-duplicate",
            f"The small export has {what} of account {own.number}; it needs the corrected one "
            "alone. Nothing was changed.",
        )
    return found[0]


def _say_others(export: BillingExport, key: str) -> list[str]:
    """Name the other accounts of an export, which are left as they are."""
    others = [one.number for one in export.accounts if one.key != key]
    if not others:
        return []
    some = ", ".join(others[:NAMED]) + (", …" if len(others) > NAMED else "")
    return [
        f"{say_count(len(others), 'other account')} of the export left out, which nothing "
        f"changes for: {some}"
    ]
