"""What an office checks or is asked before it says yes to a close."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.checklist import ChecklistItem, ChecklistLine, ChecklistMark
from domain.failures import Refused
from domain.words import say_count

DONE, OPEN, ASKED = ChecklistMark.DONE, ChecklistMark.OPEN, ChecklistMark.ASKED


@dataclass(frozen=True, slots=True)
class ChecklistFacts:
    """What the books know at this moment of what must be so before a close."""

    period: str
    ends_on: date
    now: datetime  # aware
    unposted: str = ""  # "2 payments, $80.00" that are not in cash receipting; "": none
    in_doubt: int = 0  # payments whose answer was lost
    undrawn: int = 0  # payments whose day has passed and that nobody has collected
    written_at: datetime | None = None  # local time of the export; None: it does not say
    has_feed: bool = False  # one whose age is watched
    fed_at: datetime | None = None  # local time of the newest file of any feed; None: none came
    feed_is_stale: str = ""  # why; "": it is current
    backup_at: datetime | None = None
    at_work: tuple[str, ...] = ()  # who else: "Ana is closing 2026-10-B"


def list_checklist(
    facts: ChecklistFacts, *, backup_hours: int, own: Iterable[str] = ()
) -> tuple[ChecklistLine, ...]:
    """
    Return the checklist of a close in the order in which offices go through it (rule 1).

    `backup_hours`: so old may a backup be; 0: the office makes its own, and is asked. `own`:
    the office's own sentences, which only a person can know.
    """
    return (
        _payments(facts),
        _feed(facts),
        _backup(facts, backup_hours),
        _alone(facts),
        *(ChecklistLine(ChecklistItem.OWN, ASKED, sentence) for sentence in own),
    )


def open_items(lines: Iterable[ChecklistLine]) -> tuple[str, ...]:
    """Return the names of what was looked up and is not so."""
    return tuple(line.item.value for line in lines if line.mark is OPEN)


def require_done(lines: Iterable[ChecklistLine], must_be_done: Iterable[str]) -> None:
    """Raise Refused (`checklist-open`) where something is open that the office insists on."""
    required = set(must_be_done)
    left = [line for line in lines if line.mark is OPEN and line.item.value in required]
    if left:
        said = " ".join(f"{line.item}: {line.says} {line.remedy}" for line in left)
        raise Refused(
            "checklist-open", f"The checklist of the close is open. {said} (checklist.must_be_done)"
        )


def _payments(facts: ChecklistFacts) -> ChecklistLine:
    """Payments all in: ours by the books; what the counter took, the person says."""
    item, missing = ChecklistItem.PAYMENTS_IN, list(_missing_payments(facts))
    if missing:
        return ChecklistLine(item, OPEN, f"{'; '.join(missing)}.", _remedy(facts))
    written = f", {facts.written_at:%B %-d at %H:%M}" if facts.written_at else ""
    return ChecklistLine(
        item,
        ASKED,
        "Nothing taken here is undrawn, in doubt or unposted. A yes says that every payment of "
        f"counter, lockbox and bank up to {_say(facts.ends_on)} was posted before the export "
        f"was written{written}.",
    )


def _missing_payments(facts: ChecklistFacts) -> Iterator[str]:
    if facts.unposted:
        yield f"{facts.unposted} not in cash receipting"
    if facts.in_doubt:
        yield f"{say_count(facts.in_doubt, 'payment')} in doubt"
    if facts.undrawn:
        yield f"{say_count(facts.undrawn, 'payment')} to be drawn on a day that has passed"


def _remedy(facts: ChecklistFacts) -> str:
    words = []
    if facts.unposted:
        words.append("Run `billclose retry-postings`.")
    if facts.in_doubt:
        words.append("Look the payments in doubt up (`billclose unknown`).")
    if facts.undrawn:
        words.append("Run `billclose collect`.")
    return " ".join(words)


def _feed(facts: ChecklistFacts) -> ChecklistLine:
    item = ChecklistItem.FEED_CURRENT
    if facts.feed_is_stale:
        says = f"The feed is not current: {facts.feed_is_stale}."
        return ChecklistLine(item, OPEN, says, "Take the feed in: `billclose feed`.")
    if not facts.has_feed and facts.fed_at is not None:
        says = (
            "Nobody watches how old the feed is (feed.max_age); its newest file was written "
            f"{facts.fed_at:%B %-d at %H:%M}. A yes says that it is current."
        )
        return ChecklistLine(item, ASKED, says)
    if not facts.has_feed:
        return ChecklistLine(item, DONE, "There is no feed: balances are the export's own.")
    return ChecklistLine(item, DONE, "The feed is current, and no file of it is missing.")


def _backup(facts: ChecklistFacts, hours: int) -> ChecklistLine:
    """Backup made: by our own command, which writes it down, or by the office's own means."""
    item = ChecklistItem.BACKUP_MADE
    if not hours:
        return ChecklistLine(item, ASKED, "A yes says that the office has made its own backup.")
    age = facts.now - facts.backup_at if facts.backup_at else None
    if age is not None and age <= timedelta(hours=hours):
        return ChecklistLine(item, DONE, f"A backup was made {_ago(age)}.")
    says = "No backup is known." if age is None else f"The last backup was made {_ago(age)}."
    remedy = "Have one made; at a terminal: `billclose backup --to FILE` (checklist.backup_hours)."
    return ChecklistLine(item, OPEN, says, remedy)


def _alone(facts: ChecklistFacts) -> ChecklistLine:
    item = ChecklistItem.NOBODY_AT_WORK
    if facts.at_work:
        says = f"Others are at work: {'; '.join(facts.at_work)}."
        return ChecklistLine(item, OPEN, says, "Let them end, or ask them.")
    return ChecklistLine(item, DONE, "Nobody else is at work on the books.")


def _ago(age: timedelta) -> str:
    hours = max(int(age.total_seconds() // 3600), 0)
    if hours < 1:
        return "within the last hour"
    return f"{say_count(hours // 24, 'day') if hours >= 48 else say_count(hours, 'hour')} ago"


def _say(day: date) -> str:
    return f"{day:%B} {day.day}"
