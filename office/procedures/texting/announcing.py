"""One text to many, as this office would send it: worded, counted, tried, written down."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError

from database.audit import record_audit
from database.runs import newest_timezone
from domain.failures import Misuse, OutcomeUnknown, PermanentFailure, Refused, TemporaryFailure
from domain.languages import ENGLISH, NAMES, SPANISH
from domain.money import Money
from domain.phones import ending, to_phone
from domain.texts import count_segments
from domain.words import say_count
from identity.attempts.counting import count_bad, record_attempt
from mail.communications.audience import Audience
from mail.communications.texted import resolve_texted
from mail.keys import delivery_key
from mail.port import Result
from mail.texts.announcements import (
    MassText,
    MassTextRequest,
    TextedReader,
    count_told,
    find_mass_text,
    find_recorded,
    hold_the_count,
    record_mass_text,
    take_back_waiting,
)
from mail.texts.port import OutgoingText
from mail.texts.readers import is_stopped
from office.equipment.office import Office

MOST_SEGMENTS = 4  # of one text: whoever has more to say writes a mail
MOST_TRIES = 10  # tests a day, by one person
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WordedText:
    """A text as phones of one language show it, how many get it, and its segments."""

    language: str
    words: str
    phones: int
    segments: int


@dataclass(frozen=True, slots=True)
class TextPlan:
    """What would happen; `cost` is None where nobody has said what a segment costs."""

    recorded: MassText | None
    readers: tuple[TextedReader, ...]
    worded: tuple[WordedText, ...]
    left_out: dict[str, int]
    cost: Money | None
    too_many: str = ""  # why it cannot be sent today, where it comes to more phones than a day may

    @property
    def segments(self) -> int:
        return sum(one.phones * one.segments for one in self.worded)


def make_text_request(words: str, words_es: str, audience: Audience) -> MassTextRequest:
    """Put what was typed on one line; raises Misuse for nothing at all."""
    words, words_es = (" ".join(one.split()) for one in (words, words_es))
    if not words:
        raise Misuse("Write what the text says.")
    return MassTextRequest(words, words_es, audience.to_json())


def plan_text(office: Office, request: MassTextRequest) -> TextPlan:
    """
    Word a text and count whom it comes to, its segments and its cost; nothing is recorded.

    Raises Misuse for a text that is too long.
    """
    with office.database.reading() as books:
        recorded = find_recorded(books, request, office.local_today())
        told = count_told(books, _midnight(office))
    audience = Audience.from_json(request.audience)
    found = resolve_texted(office.database, audience, to_landlords=office.settings.ebill.landlords)
    phones = Counter(_language(request, one.reader.language) for one in found.readers)
    worded = tuple(
        _worded(office, request, language, phones[language]) for language in _languages(request)
    )
    segments = sum(one.phones * one.segments for one in worded)
    left_out = {why.value: number for why, number in sorted(found.left_out.items())}
    too_many = "" if recorded else _too_many(office, told, len(found.readers))
    return TextPlan(recorded, found.readers, worded, left_out, _cost(office, segments), too_many)


def send_test_text(office: Office, request: MassTextRequest, phone: str) -> None:
    """
    Send a text to the phone of whoever tries it, each language of it; audited before it leaves.

    Raises Misuse for what is no phone, Refused for one that answered STOP and after too many, and
    what the carrier says.
    """
    number = to_phone(phone)
    if not number:
        raise Misuse("Type the phone with its area code, ten digits.")
    now = office.due_now()
    with office.database.writing() as books:
        if is_stopped(books, number):
            raise Refused("stopped", "That phone has answered STOP; it gets no text of any kind.")
        hold_the_count(books)
        subjects = [f"by/{office.who}"[:80]]
        if count_bad(books, "text-test", subjects, now, DAY) >= MOST_TRIES:
            raise Refused("too-often", f"{MOST_TRIES} tests were sent in a day; try tomorrow.")
        record_attempt(books, "text-test", subjects, now, good=False)
        about = f"the phone ending {ending(number)}"
        record_audit(books, office.moment(), office.who, "send test text", "texts", about)
    with closing(office.text_sender) as sender:
        for language in _languages(request):
            said = _worded(office, request, language, 0).words
            key = delivery_key("test", now.isoformat(), language, "", number)
            outcome = sender.send(OutgoingText(key, number, said, now))
            if outcome.result is Result.IN_DOUBT:
                raise OutcomeUnknown(outcome.error or "the carrier did not answer")
            if outcome.result is not Result.SENT:
                raise PermanentFailure(outcome.error or "the carrier refused it")


def send_mass_text(office: Office, request: MassTextRequest, count: int) -> MassText:
    """
    Write a text down for every phone, once the number of phones was confirmed (rule 111).

    All of it is one transaction: killed before its end nothing was recorded, after it all texts
    leave, each once, within the hours of texts. The same again on the same day is the same text.
    Raises Refused for another count, for nobody, and for more than a day may have.
    """
    plan, today, now = plan_text(office, request), office.local_today(), office.due_now()
    if plan.recorded is not None:
        return plan.recorded
    number = len(plan.readers)
    if not number:
        raise Refused("nobody", "There is nobody to text; look at the audience again.")
    if count != number:
        raise Refused(
            "wrong-count",
            f"{say_count(number, 'phone')} would be texted, not {count:,}; nothing was sent.",
        )
    try:
        with office.database.writing() as books:
            hold_the_count(books)
            known = find_recorded(books, request, today)
            if known is not None:  # somebody recorded it since it was looked at
                return known
            if said := _too_many(office, count_told(books, _midnight(office)), number):
                raise Refused("too-many-texts", f"{said} Nothing was sent.")
            made = record_mass_text(
                books, request, plan.readers, plan.segments, day=today, now=now, who=office.who
            )
            audience = Audience.from_json(request.audience)
            detail = f"{audience.kind}: {say_count(number, 'phone')}"
            record_audit(books, office.moment(), office.who, "text many", made.form, detail)
    except IntegrityError:  # somebody recorded the same at the same moment
        with office.database.reading() as books:
            found = find_recorded(books, request, today)
        if found is None:
            raise
        return found
    return made


def take_back_text(office: Office, number: int, reason: str) -> int:
    """Let what waits of a text to many go unsent; return how many. Raises Misuse for none."""
    with office.database.writing() as books:
        found = find_mass_text(books, f"text-{number}")
        if found is None:
            raise Misuse(f"There is no text {number} to many; see `list mass-texts`.")
        if not reason.strip():
            raise Misuse("Say why: it is audited.")
        gone = take_back_waiting(books, found.form, "the office took it back")
        told = f"{say_count(gone, 'phone')}: {reason.strip()}"
        record_audit(books, office.moment(), office.who, "take text back", found.form, told)
    return gone


def _languages(request: MassTextRequest) -> tuple[str, ...]:
    return tuple(NAMES) if request.words_es else (ENGLISH,)


def _language(request: MassTextRequest, reads: str) -> str:
    return SPANISH if reads == SPANISH and request.words_es else ENGLISH


def _worded(office: Office, request: MassTextRequest, language: str, phones: int) -> WordedText:
    typed = request.words_es if language == SPANISH else request.words
    try:
        said = office.text_words.announce(typed, language)
    except (PermanentFailure, TemporaryFailure) as failure:
        raise Misuse(f"The text cannot be made: {failure}.") from None
    segments = count_segments(said)
    if segments > MOST_SEGMENTS:
        raise Misuse(
            f"The {NAMES[language]} text has {len(said):,} letters and would leave in {segments} "
            f"pieces; {MOST_SEGMENTS} are the most. Shorten it, or write a mail."
        )
    return WordedText(language, said, phones, segments)


def _cost(office: Office, segments: int) -> Money | None:
    """Return what a number of segments costs, a begun cent as a whole one."""
    cost = office.settings.texts.thousand_cost
    return Money(-(-segments * Money.parse(cost).cents // 1_000)) if cost else None


def _too_many(office: Office, told: int, number: int) -> str:
    """Say why so many phones more are too many today; empty where they are not."""
    most = office.settings.texts.most_a_day
    if told + number <= most:
        return ""
    return (
        f"No more than {say_count(most, 'phone')} a day may be texted (texts.most_a_day), and "
        f"{told:,} were texted today: {number:,} more are too many."
    )


def _midnight(office: Office) -> datetime:
    """Return when the local day began."""
    zone = ZoneInfo(newest_timezone(office.database))
    return datetime.combine(office.local_today(), time(), zone).astimezone(UTC)
