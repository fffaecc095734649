"""Replacing one closed bill by a corrected one, in one transaction and once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corrections.closed_bill import ClosedBill, newest_correction, read_closed_bill
from corrections.passing_on import pass_on
from corrections.rescheduling import SchedulingTerms, reschedule
from corrections.small_export import CorrectedBill
from database.audit import record_audit
from database.books import Database
from database.definitions.corrections import correction, replaced_bill
from database.ledger.entries import record_entries
from database.queries.balances import read_open_balance
from database.tables import balance_due, bill, bulk_file, delivery, paper
from domain.corrections import CORRECTED_FILE, Replacing, correction_key
from domain.deliveries import DeliveryStatus, MessageKind
from domain.failures import Refused
from domain.ledger import BalanceEntry, EntryKind, EntrySource
from domain.money import Money
from mail.recipients.delivery_plan import PlanTerms
from payments.enrollment.facts import lock_enrollment
from splitter.bulk_file.filing import file_name
from splitter.store.bill_store import BillStore, sha256

_BULK, _CORRECTION = bulk_file.c, correction.c


@dataclass(frozen=True, slots=True)
class CorrectionTerms:
    """Who corrects and why, on what terms autopay is planned and mail is named."""

    who: str
    reason: str
    message_domain: str
    scheduling: SchedulingTerms
    delivery: PlanTerms


@dataclass(frozen=True, slots=True)
class Correction:
    """
    A correction that stands; dates are local. `said` are sentences about payment, mail and paper.

    `already`: it had been made before, by this very export.
    """

    period: str
    account_key: str
    account: str
    number: int
    edition: int
    amount_before: Money
    due_before: date
    amount_due: Money
    due_on: date
    entry_key: str | None
    said: tuple[str, ...]
    open_balance: Money
    already: bool = False

    @property
    def difference(self) -> Money:
        return self.amount_due - self.amount_before


def find_made(
    database: Database, period: str, key: str, number: str, export_sha256: str
) -> Correction | None:
    """
    Return the correction that an export has made before, if it is the bill's newest one.

    Raises as `read_closed_bill`, so that what cannot be corrected is known before any work.
    """
    with database.reading() as books:
        read_closed_bill(books, period, key, number)
        return _find_made(books, period, key, export_sha256)


def correct_bill(
    database: Database,
    corrected: CorrectedBill,
    store: BillStore,
    exports_folder: Path,
    terms: CorrectionTerms,
) -> Correction:
    """
    Put a corrected bill in the place of a closed one (rules 10, 13, 38, 39).

    Documents first, books after: a kill between them leaves files that the next attempt writes
    again under the same names. The old document stays. What is owed changes by an entry of the
    ledger, keyed by period, account and number: the billing system has it, so that the next
    export contains it. Made again, it is the same correction. The caller holds the right to work
    on the period. Raises as `read_closed_bill`, and Refused where nothing would change.
    """
    made, plan = _plan(database, corrected)
    if made is not None:
        return made
    store.write(plan.pdf, corrected.pdf)
    store.write(f"exports/{corrected.period}/{corrected.sha256}.pdf", corrected.pdf)
    BillStore(exports_folder).write(plan.printed_from, corrected.pdf)
    with database.writing() as books:
        return _enter(books, corrected, plan, terms)


@dataclass(frozen=True, slots=True)
class PassedOn:
    """How a correction's mails stand, and whether its bill goes on paper."""

    mails: dict[DeliveryStatus, int]
    on_paper: bool


def read_passed_on(books: Connection, made: Correction) -> PassedOn:
    """Return how the mails of a correction's edition stand, and whether it goes on paper."""
    mail, sheet = delivery.c, paper.c
    mails = sa.select(mail.status).where(
        mail.period == made.period,
        mail.account_key == made.account_key,
        mail.kind == MessageKind.BILL,
        mail.edition == made.edition,
    )
    on_paper = sa.select(sheet.period).where(
        sheet.period == made.period,
        sheet.account_key == made.account_key,
        sheet.edition == made.edition,
    )
    return PassedOn(
        dict(Counter(books.scalars(mails))), books.execute(on_paper).first() is not None
    )


class _LookedAt(Exception):
    """Ends the transaction of a correction that is only looked at: nothing of it stays."""

    def __init__(self, made: Correction, passed_on: PassedOn) -> None:
        super().__init__()
        self.looked = made, passed_on


def look_at_correction(
    database: Database, corrected: CorrectedBill, terms: CorrectionTerms
) -> tuple[Correction, PassedOn]:
    """
    Return what a correction would be, say and pass on, by the code that makes it.

    Nothing is changed.

    No document is written, and the books are as before. Raises as `correct_bill` does.
    """
    made, plan = _plan(database, corrected)
    if made is not None:
        with database.reading() as books:
            return made, read_passed_on(books, made)
    try:
        with database.writing() as books:
            made = _enter(books, corrected, plan, terms)
            raise _LookedAt(made, read_passed_on(books, made))
    except _LookedAt as at:
        return at.looked


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which edition a correction makes, and where its document and its bulk file go."""

    edition: int
    pdf: str
    printed_from: str


def _plan(database: Database, corrected: CorrectedBill) -> tuple[Correction | None, _Plan]:
    """Return the correction where it stands already, and where its documents belong."""
    period, key = corrected.period, corrected.account_key
    with database.reading() as books:
        made = _find_made(books, period, key, corrected.export_sha256)
        standing = read_closed_bill(books, period, key, corrected.account, corrected.form)
        bulk = _folder_of(books, period)
    if made is None:
        _require_change(standing, corrected)
    edition, name = standing.edition + 1, file_name(standing.account)
    pdf = f"{period}/corrected-{edition}/{corrected.form}/{name}"
    return made, _Plan(edition, pdf, f"{bulk}/{CORRECTED_FILE}{edition}-{name}")


def _enter(
    books: Connection, corrected: CorrectedBill, plan: _Plan, terms: CorrectionTerms
) -> Correction:
    """Change the books: the bill, the balance, the payment, mail and paper."""
    period, key = corrected.period, corrected.account_key
    lock_enrollment(books, corrected.account)
    standing = read_closed_bill(books, period, key, corrected.account, corrected.form)
    if standing.edition + 1 != plan.edition:
        raise Refused(
            "corrected-meanwhile",
            f"The bill of {standing.account} was corrected meanwhile; look at it, and correct "
            "it again where that is still right. Nothing was changed.",
        )
    _keep(books, standing, terms)
    _replace(books, standing, corrected, plan.pdf, plan.printed_from)
    entry_key = _move_balance(books, standing, corrected, terms)
    said = (
        *reschedule(books, standing.account, terms.scheduling),
        *pass_on(
            books,
            standing,
            plan.edition,
            terms.scheduling.now,
            terms.message_domain,
            terms.delivery,
        ),
    )
    _record(books, standing, corrected, entry_key, said, terms)
    _audit(books, standing, corrected, terms)
    made = _find_made(books, period, key, corrected.export_sha256)
    assert made is not None
    return replace(made, already=False)


def _require_change(standing: ClosedBill, corrected: CorrectedBill) -> None:
    before = (standing.amount_due, standing.due_on, standing.sha256)
    if before == (corrected.amount_due, corrected.due_on, corrected.sha256):
        raise Refused(
            "nothing-to-correct",
            f"The bill of {standing.account} in the small export is the one that was closed: "
            "same amount, due date and document. Nothing was changed.",
        )


def _folder_of(books: Connection, period: str) -> str:
    """Return where the period's bulk files lie, below the folder of exports."""
    first = books.execute(
        sa.select(_BULK.path).where(_BULK.period == period).order_by(_BULK.bulk).limit(1)
    ).scalar_one()
    return str(PurePosixPath(first).parent)


def _keep(books: Connection, standing: ClosedBill, terms: CorrectionTerms) -> None:
    """Keep what the bill was, its document with it."""
    books.execute(
        replaced_bill.insert().values(
            period=standing.period,
            form=standing.form,
            account_key=standing.account_key,
            edition=standing.edition,
            account=standing.account,
            amount_due=standing.amount_due,
            due_on=standing.due_on,
            pdf=standing.pdf,
            sha256=standing.sha256,
            pages=standing.pages,
            replaced_at=terms.scheduling.now,
            replaced_by=Replacing.CORRECTION,
        )
    )


def _replace(
    books: Connection,
    standing: ClosedBill,
    corrected: CorrectedBill,
    pdf: str,
    printed_from: str,
) -> None:
    """
    Let the new document take the old one's place in the books.

    It is a bulk file of its own, with the one bill: so it is printed as all others are.
    """
    period = standing.period
    last = books.execute(
        sa.select(sa.func.max(_BULK.bulk)).where(_BULK.period == period)
    ).scalar_one()
    patterns = books.execute(
        sa.select(bulk_file).where(_BULK.period == period, _BULK.form == standing.form).limit(1)
    ).one()
    copied = {column.name: getattr(patterns, column.name) for column in bulk_file.columns}
    for name in ("region", "exemptions"):
        copied[name] = copied[name] if copied[name] is not None else sa.null()
    name = PurePosixPath(printed_from).name
    own = {"bulk": last + 1, "file": name, "path": printed_from}
    own |= {"shared_sha256": sha256(corrected.pdf)}
    books.execute(bulk_file.insert().values(copied | own))
    books.execute(
        bill.update()
        .where(
            bill.c.period == period,
            bill.c.form == standing.form,
            bill.c.account_key == standing.account_key,
            bill.c.ordinal == standing.ordinal,
        )
        .values(
            bulk=last + 1,
            first_page=0,
            pages=corrected.pages,
            printed_amount_due=corrected.amount_due,
            printed_due_on=corrected.due_on,
            pdf=pdf,
            sha256=corrected.sha256,
            size=len(corrected.pdf),
            lacks="",
            edition=standing.edition + 1,
        )
    )


def _move_balance(
    books: Connection, standing: ClosedBill, corrected: CorrectedBill, terms: CorrectionTerms
) -> str | None:
    """
    Enter the difference, and the due date that stands from now on (rules 38, 39).

    The billing system surely has it since it wrote the small export; where that does not say
    when, or says the old export's moment, since now.
    """
    books.execute(
        balance_due.update()
        .where(balance_due.c.account_key == standing.account_key)
        .values(due_on=corrected.due_on)
    )
    difference = corrected.amount_due - standing.amount_due
    if not difference:
        return None
    now, written = terms.scheduling.now, corrected.written
    is_told = written is not None and written > standing.sure_until
    entry = BalanceEntry(
        key=correction_key(standing.period, standing.account_key, _next_number(books, standing)),
        account_key=standing.account_key,
        kind=EntryKind.CORRECTION,
        amount=difference,
        happened_on=terms.scheduling.today,
        happened_at=now,
        source=EntrySource.CORRECTION,
        told_at=written if is_told else now,
    )
    record_entries(books, [entry], now=now, who=terms.who)
    return entry.key


def _next_number(books: Connection, standing: ClosedBill) -> int:
    """Number an account's corrections of a period, those that were undone with it too."""
    last = books.scalar(
        sa.select(sa.func.max(_CORRECTION.number)).where(
            _CORRECTION.period == standing.period,
            _CORRECTION.account_key == standing.account_key,
        )
    )
    return (last or 0) + 1


def _record(
    books: Connection,
    standing: ClosedBill,
    corrected: CorrectedBill,
    entry_key: str | None,
    said: tuple[str, ...],
    terms: CorrectionTerms,
) -> None:
    books.execute(
        correction.insert().values(
            period=standing.period,
            account_key=standing.account_key,
            number=_next_number(books, standing),
            account=standing.account,
            form=standing.form,
            edition=standing.edition + 1,
            amount_due=corrected.amount_due,
            due_on=corrected.due_on,
            closing_balance=corrected.closing_balance,
            amount_before=standing.amount_due,
            due_before=standing.due_on,
            entry_key=entry_key,
            export_name=corrected.export_name,
            export_sha256=corrected.export_sha256,
            reason=terms.reason,
            corrected_at=terms.scheduling.now,
            corrected_by=terms.who,
            said=list(said),
        )
    )


def _audit(
    books: Connection, standing: ClosedBill, corrected: CorrectedBill, terms: CorrectionTerms
) -> None:
    detail = (
        f"{standing.period}: {standing.amount_due.dollars()} due {standing.due_on} to "
        f"{corrected.amount_due.dollars()} due {corrected.due_on}, {corrected.export_name}, "
        f"sha256 {corrected.export_sha256[:16]}; {terms.reason}"
    )
    now, who = terms.scheduling.now, terms.who
    record_audit(books, now, who, "correct bill", standing.account, detail)


def _find_made(books: Connection, period: str, key: str, export_sha256: str) -> Correction | None:
    row = newest_correction(books, period, key)
    if row is None or row.export_sha256 != export_sha256:
        return None
    return _to_correction(row, read_open_balance(books, key))


def _to_correction(row: Any, open_balance: Money) -> Correction:
    names = (
        "period", "account_key", "account", "number", "edition", "amount_before", "due_before",
        "amount_due", "due_on", "entry_key",
    )  # fmt: skip
    facts = {name: getattr(row, name) for name in names}
    return Correction(**facts, said=tuple(row.said), open_balance=open_balance, already=True)
