"""Step: read the mails that came back."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, replace
from typing import Any
from zoneinfo import ZoneInfo

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from database.audit import record_audit
from database.runs import finished_step, get_run
from domain.failures import Misuse, Refused
from domain.steps import Step
from domain.words import say_count
from mail.bounces.processing import BounceBook, BounceCounts, record_refusals
from mail.recipients.suppressed import waiting_runs
from office.equipment.office import Office, current_office
from office.procedures.printing import write_waiting_part
from rules.mail.delivery import is_part_due
from splitter.runs.print_batch import last_later_part, write_paper_bills
from splitter.runs.print_plans import has_print_files, unfinished_periods
from tasks.steps.step import Done, step


@task(name="read bounces", cache_policy=NO_CACHE, persist_result=False)
def read_bounces() -> dict[str, Any]:
    """
    Deal with every mail that came back: deliveries fail, mailboxes rest, bills go on paper.

    What was refused at sending and never settled, because of a kill, is settled too. Gives the
    counts and a sentence.
    """
    office = current_office()
    now = office.moment()
    unsubscribing = (
        office.unsubscribing if office.settings.communications.unsubscribe_mailto else None
    )
    book = BounceBook(office.database, office.verp, now, office.who, unsubscribing)
    with closing(office.inbox) as inbox:
        refused = record_refusals(office.database, now=now, who=office.who)
        found = refused + book.process(inbox)
    sentence = say_bounces(found)
    if found.hard or found.soft or found.unknown or found.complaints:
        with office.database.writing() as books:
            record_audit(books, now, office.who, "process bounces", "mail", sentence)
    get_run_logger().info("read bounces: %s", sentence)
    return {"sentence": sentence, "counts": asdict(found)}


def say_bounces(counts: BounceCounts) -> str:
    """Say what came back, for people; account numbers and addresses are not in it."""
    words = {
        "for good": counts.hard,
        "for now": counts.soft,
        "only late": counts.delayed,
        "for a person to judge": counts.unknown,
        "as a complaint": counts.complaints,
    }
    came = sum(words.values())
    if counts.unsubscribed:
        asked = f"{say_count(counts.unsubscribed, 'mailbox', 'mailboxes')} unsubscribed"
        return f"{asked}; {say_bounces(replace(counts, unsubscribed=0))}"
    if not came:
        return "nothing came back"
    sentence = f"{say_count(came, 'mail')} came back: "
    sentence += ", ".join(f"{number:,} {word}" for word, number in words.items() if number)
    if counts.suppressed:
        sentence += f"; {say_count(counts.suppressed, 'address', 'addresses')} suppressed"
    if counts.paper:
        sentence += f"; {say_count(counts.paper, 'bill')} put on paper"
    return sentence


@step(Step.PRINT, once=True)
def write_print_batch(period: str) -> Done:
    """Put the bills of those who get paper into one PDF a form, in ZIP-code order."""
    office = current_office()
    known = get_run(office.database, period)
    if not has_print_files(office.database, period):
        office.print_folder.delete_run(period)  # of a close that was taken back
    part = write_paper_bills(
        office.database,
        period,
        office.print_folder,
        exports_folder=office.exports_folder,
        now=office.now(known),
        terms=office.print_terms,
    )
    bills, pages = say_count(part.bills, "bill"), say_count(part.pages, "page")
    figures = {
        "bills": part.bills, "pages": part.pages, "files": list(part.files),
        "sheets": part.sheets, "envelopes": part.envelopes, "unmarked": part.unmarked,
        "faults": [str(fault) for fault in part.faults],
    }  # fmt: skip
    sentence = f"{bills}, {pages}"
    if part.unmarked:
        sentence += f"; {say_count(part.unmarked, 'sheet')} without a mark: something stands there"
    sentence += "".join(f"; {fault}" for fault in part.faults)
    return Done(sentence, figures, would=f"{bills} would be printed, {pages}")


@task(name="write next print parts", cache_policy=NO_CACHE, persist_result=False)
def write_next_parts(period: str | None = None, *, asked: bool = True) -> dict[str, Any]:
    """
    Print what came back since the last part, each period's bills in a part of their own.

    Unless a person asks for it, a period gets one part a day: a print office wants one job, not
    one for each mail. Gives the parts written and the bills that still wait, each with why. Raises
    Refused where the one period asked for has to wait, Misuse where there is none or its bulk file
    is on another machine alone.
    """
    office = current_office()
    with office.database.reading() as books:
        waiting = waiting_runs(books)
        begun = dict.fromkeys(unfinished_periods(books), 0)
    chosen = begun | waiting if period is None else {period: waiting.get(period, 0)}
    parts, left = [], []
    for run, bills in chosen.items():
        try:
            _require_now(office, run, asked=asked)
            part = write_waiting_part(office, run)
        except (Refused, Misuse) as refusal:
            if period is not None:
                raise
            left.append({"period": run, "bills": bills, "why": refusal.message})
        else:
            told = {"period": run, **asdict(part), "faults": [str(one) for one in part.faults]}
            parts += [told] if part.bills or part.faults else []
    return {"parts": parts, "waiting": left}


def _require_now(office: Office, period: str, *, asked: bool) -> None:
    """Raise Refused that says why a period's bills have to wait, if they have to."""
    known = get_run(office.database, period)
    if finished_step(office.database, period, Step.PRINT) is None:
        raise Refused(
            "not-printed",
            f"The close of {period} has not written its own print batch yet; "
            f"{office.command} close {period} does, and takes these bills along.",
        )
    last = last_later_part(office.database, period)
    written_on = None if last is None else last.astimezone(ZoneInfo(known.timezone)).date()
    if not asked and not is_part_due(written_on, office.today(known)):
        raise Refused(
            "part-written",
            f"Today's part of {period} is written; {office.command} print {period} writes another "
            "one.",
        )
