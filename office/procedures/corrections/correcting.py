"""Correcting one closed bill: a small export is read, books are changed, mail and paper go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from corrections.correcting import (
    Correction,
    CorrectionTerms,
    correct_bill,
    find_made,
    look_at_correction,
    read_passed_on,
)
from corrections.rescheduling import SchedulingTerms
from corrections.small_export import ReadingTerms, read_corrected_bill
from database.runs import Run, get_run
from domain.accounts import account_key
from domain.deliveries import DeliveryStatus, MessageKind
from office.equipment import locking
from office.equipment.office import Office
from office.procedures.mailing.due_mail import send_what_is_due
from office.procedures.printing import write_waiting_part


@dataclass(frozen=True, slots=True)
class CorrectionDone:
    """A correction with how its mails stand, and the files of its print part."""

    correction: Correction
    notes: tuple[str, ...]
    mails: dict[DeliveryStatus, int]
    on_paper: bool
    print_files: tuple[str, ...]

    @property
    def unsent(self) -> int:
        return sum(self.mails.values()) - self.mails.get(DeliveryStatus.SENT, 0)


def look(office: Office, number: str, period: str, bundle: Path) -> CorrectionDone:
    """
    Show what a correction would be; nothing is changed, printed or sent.

    It is decided by the code that makes it. Raises as `correct` does.
    """
    known, key = get_run(office.database, period), account_key(number)
    find_made(office.database, period, key, number, "")
    export = office.billing_system.read_export(bundle)
    made = find_made(office.database, period, key, number, export.sha256)
    if made is None:
        reading = _reading_terms(office, known)
        corrected = read_corrected_bill(office.database, export, period, key, number, reading)
        terms = _correction_terms(office, known, "")
        made, passed_on = look_at_correction(office.database, corrected, terms)
        return CorrectionDone(made, corrected.notes, passed_on.mails, passed_on.on_paper, ())
    return _told(office, made)


def correct(office: Office, number: str, period: str, bundle: Path, reason: str) -> CorrectionDone:
    """
    Replace one closed bill by a corrected one; run again after any interruption it goes on.

    The books change in one transaction. What follows is in the outbox and in the print queue
    then, so that a second run sends and prints what is left. Raises Misuse and Refused as
    `read_corrected_bill` and `correct_bill` do, with nothing changed.
    """
    known = get_run(office.database, period)
    key = account_key(number)
    find_made(office.database, period, key, number, "")
    export = office.billing_system.read_export(bundle)
    with locking.working_on(office, period):
        made = find_made(office.database, period, key, number, export.sha256)
        notes: tuple[str, ...] = ()
        if made is None:
            corrected = read_corrected_bill(
                office.database, export, period, key, number, _reading_terms(office, known)
            )
            notes = corrected.notes
            made = correct_bill(
                office.database,
                corrected,
                office.store,
                office.exports_folder,
                _correction_terms(office, known, reason),
            )
    return _pass_on(office, made, notes)


def _pass_on(office: Office, made: Correction, notes: tuple[str, ...]) -> CorrectionDone:
    """Send and print; neither is part of the transaction, and both may be done again."""
    send_what_is_due(office, office.due_now, lambda _counts: None, (MessageKind.BILL,))
    part = write_waiting_part(office, made.period)
    return _told(office, made, notes, part.files)


def _told(
    office: Office,
    made: Correction,
    notes: tuple[str, ...] = (),
    print_files: tuple[str, ...] = (),
) -> CorrectionDone:
    """Tell of a correction that stands in the books."""
    with office.database.reading() as books:
        passed_on = read_passed_on(books, made)
    return CorrectionDone(made, notes, passed_on.mails, passed_on.on_paper, print_files)


def _reading_terms(office: Office, known: Run) -> ReadingTerms:
    return ReadingTerms(
        now=office.now(known),
        today=office.today(known),
        who=office.who,
        thresholds=office.thresholds,
        verification=office.verification_policy,
        ocr=office.settings.splitter.ocr,
        reports_only=office.settings.splitter.doubted_pages == "report",
        labels=office.label_terms,
    )


def _correction_terms(office: Office, known: Run, reason: str) -> CorrectionTerms:
    scheduling = SchedulingTerms(
        now=office.clock.due(known.timezone),
        today=office.today(known),
        closed=office.bank_days,
        policy=office.autopay_policy,
        notice_days=office.thresholds.notice_days,
    )
    return CorrectionTerms(office.who, reason, office.message_domain, scheduling, office.plan_terms)
