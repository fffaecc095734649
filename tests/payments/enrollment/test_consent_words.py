"""What is agreed to by autopay is the same in both languages, and no code stands in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from domain.failures import Misuse
from domain.languages import NAMES, SPANISH
from domain.money import Money
from domain.payments import PlannedPayment, Unscheduled
from payments.enrollment import spanish, wording
from payments.enrollment.wording import consent_values, read_consent
from tests.payments.enrolling_builders import a_town, a_wish, offer

PLACE = re.compile(r"\{\w+\}")
ENGLISH_WORDS = re.compile(r"\b(the|and|is|are|at|of|it|drawn|payment|balance|bank|ending)\b")
FRIDAY_13 = date(2026, 11, 13)
NOTHING_PLANNED = PlannedPayment("1", Money(0), None, immediate=False, unscheduled=None)
OUTCOMES = (
    None,
    NOTHING_PLANNED,
    PlannedPayment("1", Money(80_00), FRIDAY_13, immediate=False, unscheduled=None),
    PlannedPayment("1", Money(80_00), FRIDAY_13, immediate=True, unscheduled=None),
    *(replace(NOTHING_PLANNED, unscheduled=reason) for reason in Unscheduled),
)


def test_our_text_has_the_same_places_and_parts_in_every_language():
    ours = [read_consent(Path("none"), language) for language in NAMES]

    assert list(NAMES) == [text.language for text in ours]
    assert 1 == len({tuple(sorted(set(PLACE.findall(text.wording)))) for text in ours})
    assert 1 == len({text.wording.count("\n\n") for text in ours})


def test_every_reason_has_its_words():
    for words in (wording, spanish):
        assert set(Unscheduled) == set(words.REASONS)


@pytest.mark.parametrize("planned", OUTCOMES, ids=str)
def test_what_is_agreed_to_in_spanish_has_no_english_in_it(database, planned):
    a_town(database)
    text = read_consent(Path("none"), SPANISH)
    shown = offer(database, a_wish(maximum=Money(90_00)))
    for days in (0, 1, 5):
        for cap in (False, True):
            agreed = replace(shown.mandate, days_prior=days, pays_up_to_maximum=cap)
            values = consent_values(shown.standing, agreed, planned, SPANISH)
            said = text.fill(values | {"utility": "Larkspur"})
            assert [] == ENGLISH_WORDS.findall(said)
            assert "tarjeta terminada en 4242" in said and "$90.00" in said
            if planned and planned.pay_on and not planned.immediate:
                assert "$80.00 se cobran el 13 de noviembre de 2026" in said


def test_the_day_of_the_first_draw_is_written_as_on_the_page_around_it(database):
    a_town(database)
    shown = offer(database, a_wish())

    values = consent_values(shown.standing, shown.mandate, OUTCOMES[2])

    assert "$80.00 is drawn on November 13, 2026" == values["today_rule"]


def test_an_offices_own_text_that_is_not_utf_8_is_refused(tmp_path):
    own = tmp_path / "autopay-consent.txt"
    own.write_bytes("Version: 1\ncanci\u00f3n".encode("latin-1"))

    with pytest.raises(
        Misuse, match=r"autopay-consent\.txt is not UTF-8; save it again as that\.$"
    ):
        read_consent(own, "en")


@pytest.mark.parametrize(("version", "language"), [("7", "en"), ("2026-es", "es")])
def test_an_offices_own_text_is_read_in_every_language(tmp_path, version, language):
    own = tmp_path / "autopay-consent.txt"
    own.write_text(f"Version: {version}\n{{account}} {{method}} {{amount_rule}} {{day_rule}} "
                   "{today_rule}")  # fmt: skip

    found = [read_consent(own, one) for one in NAMES]

    assert {(version, language)} == {(text.version, text.language) for text in found}
