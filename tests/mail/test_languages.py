"""Mails in the language that their reader has chosen in the portal."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from domain.money import Money
from domain.payments import MethodKind
from mail.letters import bill, notices, phrases, spanish
from mail.letters.access import FORMS
from mail.letters.bill import FORM_TITLES, AnnouncedDraw, a_sample
from mail.letters.notices import NOT_DRAWN, NOT_TAKEN, NOTICES, TAKEN_BACK, kind_of
from mail.letters.samples import a_sample_notice
from mail.letters.templates import OURS, PARTS, OfficeContact, Templates
from mail.rendering import notice_letters

OF_THE_OFFICE = {"alert", "communication"}  # the office writes their words itself
NOTICE_FORMS = [
    form
    for form in (*NOTICES, *FORMS, NOT_DRAWN, NOT_TAKEN, TAKEN_BACK)
    if form not in OF_THE_OFFICE
]
CONTACT = OfficeContact("555-0100", "1 Main Street", "8 to 5", "https://larkspur.example/")
ENGLISH = re.compile(r"\b(the|is|your|you|please|account|payment|dear|call|with|from)\b", re.I)
VARIABLE = re.compile(r"{[{%].*?[%}]}", re.S)


def letters():
    yield from (a_sample(form) for form in (*FORM_TITLES, "backflow-test"))
    yield from (a_sample_notice(form) for form in NOTICE_FORMS)


@pytest.mark.parametrize("letter", letters(), ids=lambda letter: letter.form)
def test_every_mail_to_customers_can_be_read_in_spanish(letter):
    said = Templates(contact=CONTACT).word(replace(letter, language="es"))

    assert '<html lang="es">' in said.html
    facts = [str(value) for value in letter.values().values()]
    facts += letter.values().get("agreed", ())  # as they were agreed to, in the office's language
    for text in (said.subject, said.text, re.sub(r"<[^>]*>|&\w+;", " ", said.html)):
        for fact in sorted(facts, key=len, reverse=True):
            text = text.replace(fact, " ") if len(fact) > 3 else text
        assert [] == ENGLISH.findall(re.sub(r"https?:\S+|\bCity of Larkspur\b", "", text))


@pytest.mark.parametrize("part", PARTS)
def test_a_spanish_template_says_the_same_facts_as_the_english_one(part):
    differing = []
    for path in sorted(OURS.rglob(f"*-es.{part}")):
        english = path.with_name(path.name.replace("-es.", "."))
        spoken, meant = (
            sorted(VARIABLE.findall(file.read_text().replace("-es.", ".")))
            for file in (path, english)
        )
        if spoken != meant:
            differing.append(path.name)

    assert [] == differing


def test_every_english_template_of_customers_has_a_spanish_one():
    english = {
        path
        for path in OURS.rglob("*.*")
        if path.suffix[1:] in PARTS and not path.stem.endswith("-es")
        if path.stem not in {"_frame", *OF_THE_OFFICE}
    }

    assert set() == {path for path in english if not path.with_stem(f"{path.stem}-es").is_file()}


def test_reasons_remedies_and_ways_of_paying_are_translated():
    said = {text for pair in phrases._ADVISED.values() for text in pair}
    said |= {text for _signs, pair in phrases._KNOWN for text in pair} | set(phrases._REFUSED)
    said |= {phrases._BEGIN, phrases._ZIP, phrases._ABROAD, phrases._PHONE}
    said |= {*FORM_TITLES.values(), bill._OWN_DRAW, bill._ANY_DRAW}
    said |= {text for why in notice_letters._WHY for text in (why.reason, why.remedy)}

    assert set() == said - spanish._SPANISH.keys()


def test_a_draw_is_announced_with_the_day_as_its_reader_writes_it():
    draw = AnnouncedDraw(Money(102_735), date(2026, 11, 13), MethodKind.CARD, "1234")

    assert (
        "Su pago de $1,027.35 se cobrará el 13 de noviembre de 2026 de su tarjeta terminada en "
        "1234."
    ) == bill.autopay_line(draw, "es")


def test_an_office_that_wrote_a_form_of_its_own_is_read_in_its_own_words(tmp_path):
    for part in PARTS:
        (tmp_path / f"backflow-test.{part}").write_text("Your backflow test")

    said = Templates(tmp_path).word(replace(a_sample("backflow-test"), language="es"))

    assert "Your backflow test" == said.subject


def test_days_are_counted_in_the_readers_language():
    letter = replace(a_sample_notice("past-due"), language="es", days_overdue=1)

    assert ("1 día", notices.PastDue) == (letter.values()["days_overdue"], type(letter))
    assert "past-due" == kind_of("past-due-es")
