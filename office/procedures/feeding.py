"""The office's feed: what has come is taken in, choices leave, and old balances stop the night."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from billing_system.feed.choices import ChoiceCounts, tell_choices
from database.audit import record_audit
from database.feed.tables import customer_choice, feed_gap
from database.ledger.tables import feed_file
from database.queries.feed import (
    newest_sequence,
    newest_written_at,
    read_feed,
    read_gaps,
    stale_periods,
)
from database.runs import newest_timezone
from database.tables import balance_due, bill_run
from domain.failures import Misuse, Refused, TemporaryFailure
from domain.feeds import ChoiceState
from domain.languages import say_moment
from office.equipment.office import Office

if TYPE_CHECKING:  # most nights ask only whether balances are of today
    from billing_system.feed.taking_in import FeedReport, FeedTerms


@dataclass(slots=True)
class FeedRound:
    """What one look at the feed brought, and what kept it from going on."""

    reports: list[FeedReport] = field(default_factory=list)
    choices: ChoiceCounts = field(default_factory=ChoiceCounts)
    stopped_by: str = ""  # the billing system does not answer: the next look goes on
    refused: str = ""  # a file that cannot be taken in: for a person

    @property
    def needs_person(self) -> bool:
        found = any(report.findings for report in self.reports)
        return bool(found or self.refused or self.choices.refused)


def take_in_path(office: Office, path: Path) -> FeedReport:
    """Take in the file of the feed at a path; raises Misuse or Refused where that is wrong."""
    from billing_system.feed.reading import read_feed_file
    from billing_system.feed.taking_in import take_in_file

    file = read_feed_file(path)
    return take_in_file(office.database, file, terms_of_feed(office), office.due_now())


def look_for_feed(office: Office) -> FeedRound:
    """
    Take in all that has come by the way that is set up, and tell what customers chose.

    Every file is a transaction or some of its own, so that a look that is cut short goes on with
    the next. Without a feed it does nothing.
    """
    from billing_system.feed.taking_in import take_in_file

    done = FeedRound()
    source = office.feed_source
    if source is None:
        return done
    with office.database.reading() as books:
        after = newest_sequence(books)
    try:
        for file in source.new_files(after):
            done.reports.append(
                take_in_file(office.database, file, terms_of_feed(office), office.due_now())
            )
            source.mark_taken_in(file)
    except (Misuse, Refused) as refused:
        done.refused = refused.message
    except TemporaryFailure as failure:
        done.stopped_by = str(failure)
    done.choices = tell_choices(office.database, source, office.due_now(), office.who)
    return done


def round_figures(done: FeedRound) -> dict[str, Any]:
    """Give what one look at the feed brought as programs read it."""
    from billing_system.feed.taking_in import say_report

    sentence = "; ".join(say_report(report) for report in done.reports) or "nothing new"
    for why in (done.refused, done.stopped_by):
        sentence += f"; {why}" if why else ""
    return {
        "sentence": sentence,
        "status": "needs-person" if done.needs_person or done.stopped_by else "done",
        "files": [report_figures(report) for report in done.reports],
        "choices": {
            "told": done.choices.told,
            "taken": done.choices.taken,
            "refused": done.choices.refused,
            "waiting": done.choices.waiting,
            "stopped_by": done.choices.stopped_by,
        },
        "stopped_by": done.stopped_by,
        "refused": done.refused,
    }


def report_figures(report: FeedReport) -> dict[str, Any]:
    """Give what a file of the feed changed as programs read it."""
    return {
        "file": report.name,
        "sequence": report.sequence,
        "written_at": report.written_at.isoformat(),
        "known_file": report.is_known,
        "movements": {
            "new": report.new,
            "known": report.known,
            "ours": report.ours,
            "late": report.late,
            "not_counted": report.not_counted,
            "changed": report.changed,
        },
        "amount": str(report.amount),
        "changes": report.changes,
        "acknowledged": report.acknowledged,
        "balances": [
            {"account": one.account, "before": str(one.before), "after": str(one.after)}
            for one in report.moved
        ],
        "unused": list(report.unused),
        "findings": report.findings,
    }


def has_new_files(office: Office) -> bool:
    """
    Tell whether a file has come that is not in the books whole; raises what reading it does.

    A folder that is itself the feed stays where it is, and a service gives again what came after
    a gap: neither is new.
    """
    source = office.feed_source
    if source is None:
        return False
    with office.database.reading() as books:
        after = newest_sequence(books)
    with closing(source):
        return any(not _is_taken_in(office, file.sha256) for file in source.new_files(after))


def _is_taken_in(office: Office, sha256: str) -> bool:
    rows = feed_file.c
    known = sa.exists().where(rows.sha256 == sha256, rows.taken_in_at.is_not(None))
    with office.database.reading() as books:
        return bool(books.scalar(sa.select(known)))


def has_due_choices(office: Office, now: datetime) -> bool:
    """Tell whether choices of customers are to be told now, or asked after."""
    rows = customer_choice.c
    due = rows.state.in_((ChoiceState.WAITING, ChoiceState.TOLD)), rows.next_try_at <= now
    with office.database.reading() as books:
        return bool(books.scalar(sa.select(sa.exists().where(*due))))


def terms_of_feed(office: Office) -> FeedTerms:
    from billing_system.feed.taking_in import FeedTerms

    newest = sa.select(bill_run.c.utility).order_by(bill_run.c.imported_at.desc()).limit(1)
    with office.database.reading() as books:
        utility = books.scalar(newest) or ""
    return FeedTerms(utility, newest_timezone(office.database), office.who)


def accept_gap(office: Office, sequence: int, reason: str) -> None:
    """
    Take a person's word that a file of the feed will never come; raises Misuse for no such gap.

    What stood in it is not known until the next export: balances may be too high until then.
    """
    with office.database.writing() as books:
        if not any(gap.first <= sequence <= gap.last for gap in read_gaps(books)):
            raise Misuse(f"File {sequence} of the feed is not missing.", "feed")
        row = {"sequence": sequence, "reason": reason, "accepted_by": office.who}
        books.execute(feed_gap.insert().values(**row, accepted_at=office.due_now()))
        record_audit(
            books, office.due_now(), office.who, "accept gap in feed", f"file {sequence}", reason
        )


def max_age_of(office: Office) -> timedelta | None:
    """Return how old the feed may be; None: nobody watches it, or there is none."""
    hours = office.settings.feed.max_age
    return timedelta(hours=hours) if hours else None


@dataclass(frozen=True, slots=True)
class StaleBalances:
    """Which periods' balances are too old, and why; `are_all`: those of every period."""

    why: dict[str, str] = field(default_factory=dict)
    are_all: bool = False

    def __str__(self) -> str:
        reasons = sorted(set(self.why.values()))
        return "; ".join(reasons)


def find_stale(office: Office, now: datetime) -> StaleBalances:
    """Look which periods' balances are too old to draw or dun by."""
    with office.database.reading() as books:
        feed = read_feed(books, max_age_of(office))
        periods = set(books.scalars(sa.select(balance_due.c.period).distinct())) - {None}
        why = stale_periods(books, feed, now, periods)
    return StaleBalances(why, bool(why) and set(why) == periods)


def guard_balances(
    office: Office, now: datetime, act: str, subject: str, despite: str | None
) -> StaleBalances:
    """
    Return the periods that must be left out since their balances are too old.

    Raises Refused (`stale-balances`) where none is left. A person's reason to go on all the same
    is audited, and `feed.when_stale = warn` only says it: then nothing is left out.
    """
    stale = find_stale(office, now)
    if not stale.why:
        return stale
    if despite is None and office.settings.feed.when_stale == "stop":
        if stale.are_all:
            raise Refused(
                "stale-balances",
                f"Balances are not of today: {stale}. Take the feed in (`billclose feed`), or go "
                "on with --despite-stale-balances REASON.",
            )
        return stale
    if despite is not None:
        with office.database.writing() as books:
            detail = f"{stale}: {despite}"
            record_audit(books, now, office.who, f"{act} despite stale balances", subject, detail)
    return StaleBalances()


def say_as_of(office: Office) -> str | None:
    """
    Say as of when balances are known, in UTC: the oldest moment of any account (contract 6).

    Of each it is the feed's newest file, or its export where that was written later; None before
    the first close.
    """
    closed = sa.select(balance_due.c.period).distinct()
    exported = sa.select(sa.func.min(bill_run.c.sure_until)).where(bill_run.c.period.in_(closed))
    with office.database.reading() as books:
        known = [newest_written_at(books), books.scalar(exported)]
    moments = [one for one in known if one is not None]
    return max(moments).isoformat() if moments else None


def say_feed(office: Office, now: datetime) -> str:
    """Say whom balances are known from, for the result of a night."""
    stale = find_stale(office, now)
    if max_age_of(office) is None and not stale.why:
        with office.database.reading() as books:
            newest = newest_written_at(books)
        if newest is None:
            return "no feed: what was paid elsewhere since the export is not known"
        local = say_moment(newest.astimezone(ZoneInfo(newest_timezone(office.database))))
        return (
            f"of the feed, whose age is not watched (feed.max_age is 0): what was paid elsewhere "
            f"since its newest file, written {local}, is not known"
        )
    return f"balances are not of today: {stale}" if stale.why else "balances are of the feed"
