"""Customers' pages in Spanish: every sentence, every date, chosen and kept."""

from __future__ import annotations

import importlib.util
import re
import sys
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_date, format_time

from domain import languages
from rules.portal_access import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    TOO_LONG,
    TOO_SHORT,
)
from web.words import LANGUAGES, speaker

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("translate_pages", ROOT / "docs" / "translate.py")
translate = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = translate
SPEC.loader.exec_module(translate)

PLACES = re.compile(r"%\(\w+\)s|%%")
TOLD = "run: .venv/bin/python docs/translate.py, and translate what is new"
STAFFS = "only-looking.html"  # staff, who look as a customer, read English
PAGES = [
    path
    for place in translate.TEMPLATES
    for path in (ROOT / place).rglob("*.html")
    if path.name != STAFFS
]
DAYS = [date(2026, month, 3) for month in range(1, 13)]
CLDR = {"en": "en_US", "es": "es_US"}


def test_no_sentence_of_customers_pages_is_untranslated():
    spanish = {one.id: one.string for one in translate.catalog_of() if one.id}

    assert [] == sorted(text for text in translate.sentences() if not spanish.get(text)), TOLD


def test_no_translation_is_left_of_what_nobody_says():
    kept = {one.id for one in translate.catalog_of() if one.id}

    assert set() == kept - set(translate.sentences()), TOLD


# One thing has one name, in the catalog, in mails and in what a customer agrees to.
NAMES = {
    "equal.pay": "pago uniforme",
    "autopay": "pagos? automáticos?",
    "bank account": "cuentas? bancarias?|cuenta",
    "installments?": "cuotas?|pagos?",
    "balance": "saldo",
    "password": "contraseñas?",
}


@pytest.mark.parametrize("english", NAMES)
def test_a_thing_has_one_name_in_spanish(english):
    named = re.compile(rf"\b({english})\b", re.IGNORECASE)
    spanish = re.compile(rf"\b({NAMES[english]})\b", re.IGNORECASE)
    said = [(one.id, str(one.string)) for one in translate.catalog_of() if one.id]

    assert [] == [text for text, words in said if named.search(text) and not spanish.search(words)]


@pytest.mark.parametrize("other", ["igualado", "nivelado", "domiciliación", "clave de acceso"])
def test_no_other_name_stands_beside_it(other):
    texts = [str(one.string) for one in translate.catalog_of()]
    texts += [path.read_text() for path in (ROOT / "mail" / "templates").rglob("*-es.*")]
    texts += [path.read_text() for path in (ROOT / "payments" / "enrollment").glob("spanish.py")]

    assert [] == [text for text in texts if other in text.lower()]


def test_a_translation_has_the_places_of_its_sentence():
    differing = [
        one.id
        for one in translate.catalog_of()
        if one.id and sorted(PLACES.findall(one.id)) != sorted(PLACES.findall(one.string))
    ]

    assert [] == differing


def test_the_pages_read_what_the_catalog_says():
    assert translate.compiled(translate.catalog_of()) == translate.MO.read_bytes(), TOLD
    assert {"en", "es"} == LANGUAGES.keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_no_words_that_cannot_be_translated(page):
    assert [] == translate.words_outside(page.read_text())


def test_nothing_is_said_of_nothing():
    assert "" == speaker("es")("")


def test_a_sentence_names_the_length_that_the_rule_asks_for():
    assert f" {SHORTEST_PASSWORD} " in TOO_SHORT and f" {LONGEST_PASSWORD} " in TOO_LONG


@pytest.mark.parametrize("language", CLDR)
@pytest.mark.parametrize("day", DAYS, ids=lambda day: f"{day:%b}")
def test_dates_are_written_as_the_readers_of_a_language_write_them(language, day):
    locale = CLDR[language]

    assert format_date(day, "long", locale) == languages.say_day(day, language)
    assert format_date(day, "medium", locale) == languages.say_short_day(day, language)
    assert format_date(day, "LLL", locale) == languages.say_short_month(day, language)
    wanted = "MMMM y" if language == "en" else "MMMM 'de' y"
    assert format_date(day, wanted, locale) == languages.say_month(day, language)


@pytest.mark.parametrize("language", CLDR)
@pytest.mark.parametrize("hour", [0, 9, 12, 13, 23])
def test_times_are_written_as_the_readers_of_a_language_write_them(language, hour):
    moment = datetime(2026, 11, 3, hour, 5)
    expected = format_time(moment.time(), "short", locale=CLDR[language])

    assert expected.replace("\u202f", " ") == languages.say_time(moment, language)


def test_a_moment_names_its_zone():
    moment = datetime(2026, 11, 5, 9, 0, tzinfo=ZoneInfo("America/Denver"))

    assert "November 5, 2026 at 9:00 AM MST" == languages.say_moment(moment)
    assert "5 de noviembre de 2026, 9:00 a.m. MST" == languages.say_moment(moment, "es")
