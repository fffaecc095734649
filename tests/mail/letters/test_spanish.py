"""What mails say beside their templates is said in Spanish, too."""

from __future__ import annotations

import re

import pytest

from domain.languages import ENGLISH
from domain.payments import Advice
from mail.letters.phrases import MONEY_MOVED, say_failure
from mail.letters.spanish import in_language

SAID = [
    *MONEY_MOVED.values(),
    *(words for advice in Advice for words in say_failure("", advice)),
    "Account %(account)s: %(amount)s",
]


@pytest.mark.parametrize("text", sorted(set(SAID)))
def test_a_sentence_of_a_mail_is_there_in_spanish_with_the_same_places(text):
    spanish = in_language(text, "es")

    assert text != spanish
    assert re.findall(r"%\(\w+\)s", text) == sorted(
        re.findall(r"%\(\w+\)s", spanish), key=text.index
    )
    assert text == in_language(text, ENGLISH)
