"""The languages that customers read: their names, and days, times and months in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

ENGLISH, SPANISH = "en", "es"
NAMES = {ENGLISH: "English", SPANISH: "Español"}


@dataclass(frozen=True, slots=True)
class DateWords:
    """
    How a language writes dates, as people of the United States read it (CLDR, en_US and es_US).

    `long`, `short` and `month` take `{day}`, `{month}` and `{year}`.
    """

    months: tuple[str, ...]
    short_months: tuple[str, ...]
    long: str
    short: str
    month: str
    halves: tuple[str, str]  # of a day
    moment: str  # takes `{day}` and `{time}`


_WORDS = {
    ENGLISH: DateWords(
        (
            "January", "February", "March", "April", "May", "June", "July", "August", "September",
            "October", "November", "December",
        ),
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
        long="{month} {day}, {year}",
        short="{month} {day}, {year}",
        month="{month} {year}",
        halves=("AM", "PM"),
        moment="{day} at {time}",
    ),
    SPANISH: DateWords(
        (
            "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
            "octubre", "noviembre", "diciembre",
        ),
        ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
        long="{day} de {month} de {year}",
        short="{day} {month} {year}",
        month="{month} de {year}",
        halves=("a.m.", "p.m."),
        moment="{day}, {time}",
    ),
}  # fmt: skip


def say_day(day: date, language: str = ENGLISH) -> str:
    """Write a date in full, `November 20, 2026`: the order of figures differs by country."""
    words = _WORDS[language]
    return words.long.format(day=day.day, month=words.months[day.month - 1], year=day.year)


def say_short_day(day: date, language: str = ENGLISH) -> str:
    """Write a date for a table, `Nov 20, 2026`."""
    words = _WORDS[language]
    return words.short.format(day=day.day, month=words.short_months[day.month - 1], year=day.year)


def say_month(day: date, language: str = ENGLISH) -> str:
    """Write the month of a date, `November 2026`."""
    words = _WORDS[language]
    return words.month.format(month=words.months[day.month - 1], year=day.year)


def say_short_month(day: date, language: str = ENGLISH) -> str:
    """Write the month of a date without its year, for a graph."""
    return _WORDS[language].short_months[day.month - 1]


def say_time(moment: datetime, language: str = ENGLISH) -> str:
    """Write the time of a local moment by the twelve-hour clock, `9:05 AM`."""
    half = _WORDS[language].halves[moment.hour >= 12]
    return f"{moment.hour % 12 or 12}:{moment:%M} {half}"


def say_moment(moment: datetime, language: str = ENGLISH) -> str:
    """Write a local moment with the name of its zone, `November 5, 2026 at 9:00 AM MST`."""
    day, time = say_day(moment, language), say_time(moment, language)
    said = _WORDS[language].moment.format(day=day, time=time)
    return f"{said} {moment.tzname() or ''}".rstrip()
