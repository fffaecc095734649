"""Every setting with wrong values: one plain sentence says which, where and what may stand."""

from __future__ import annotations

import re

import pytest

from domain.failures import Misuse
from office.settings.settings import FILE, PREFIX, Settings, read_settings

SETTINGS = [
    (section, key)
    for section, field in Settings.model_fields.items()
    for key in field.annotation.model_fields
]
WRONG = ['"nonsense"', "-99999", '["nonsense", 7]', "1e999"]
LIBRARY_WORDS = re.compile(
    r"input should|value error|valid |parse|interpret|tuple|dictionary|instance|isoformat|pattern"
    r"|constrain|delimiter|decod|\\",
    re.IGNORECASE,
)
SENTENCE = re.compile(
    r"the setting (?P<key>[a-z_]+\.[a-z_]+)(\.a)?(, entry \d)? is wrong: \S.*\.|the secret .*",
    re.ASCII,
)
# A section that is set by half: it says what is needed besides.
BY_HALF = re.compile(r"(\S+: )?the setting [a-z_]+ is wrong: \w+ needs \S.* too\.")
WHAT_MAY_STAND = re.compile(
    "write |such as |it is needed where|as in |give it as|takes its|are needed|is needed"
)


def refusal(home):
    try:
        read_settings(home)
    except Misuse as refused:
        return refused.message
    return ""


def is_about_one(sentence):
    return bool(sentence) and not BY_HALF.fullmatch(sentence)


@pytest.mark.parametrize("written", WRONG)
def test_a_wrong_value_in_the_file_is_told_in_a_plain_sentence(tmp_path, written):
    told = {}

    for section, key in SETTINGS:
        (tmp_path / FILE).write_text(f"[{section}]\n{key} = {written}\n")
        told[section, key] = refusal(tmp_path).removeprefix(f"{tmp_path / FILE}: ")

    sentences = {key: sentence for key, sentence in told.items() if is_about_one(sentence)}
    assert [] == [one for one in sentences.values() if LIBRARY_WORDS.search(one)]
    assert [] == [one for one in sentences.values() if not SENTENCE.fullmatch(one)]
    assert [] == [one for one in sentences.values() if not WHAT_MAY_STAND.search(one)]
    assert [] == [one for (section, key), one in sentences.items() if f"{section}.{key}" not in one]
    assert len(SETTINGS) / 3 < len(sentences)


def test_a_wrong_value_of_the_environment_is_told_with_its_variable(tmp_path, monkeypatch):
    told = []

    for section, key in SETTINGS:
        variable = f"{PREFIX}{section}__{key}".upper()
        monkeypatch.setenv(variable, "{nonsense")
        told.append((variable, refusal(tmp_path)))
        monkeypatch.delenv(variable)

    sentences = {variable: sentence for variable, sentence in told if is_about_one(sentence)}
    assert [] == [one for one in sentences.values() if LIBRARY_WORDS.search(one)]
    assert [] == [one for variable, one in sentences.items() if variable not in one]
    assert len(SETTINGS) / 3 < len(sentences)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[database]\npool_size = 0",
            "pool_size is wrong: write a whole number from 1 to 100.",
        ),
        ('[utility]\nmail_on_closed_day = "later"', 'write "same", "next" or "previous".'),
        ('[web]\nstaff_totp = "maybe"', 'write true or false, without quotation marks, or write "'),
        ('[autopay]\nreturn_fee = "free"', "not an amount of money, such as 27.35."),
        ('[reminders]\ntime = "6 am"', 'write "06:00" or "17:30", or one like it.'),
        ('[alerts]\nto = ["a@example.org", "b"]', "alerts.to, entry 2 is wrong: write one plain"),
        ('[smtp]\nulr = "smtp://x"', "there is no setting smtp.ulr (did you mean url?); see"),
        (
            '[[reminders.ladder]]\nname = "late"\ndays = 3',
            "reminders.ladder, entry 1, name is wrong",
        ),
    ],
)
def test_the_sentence_says_what_may_stand_there(tmp_path, text, sentence):
    (tmp_path / FILE).write_text(text)

    assert sentence in refusal(tmp_path)
