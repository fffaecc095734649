"""Codes of lists in words: every column is decided about, and what is said can be looked for."""

from __future__ import annotations

from enum import StrEnum

import pytest
import sqlalchemy as sa

from domain.checks import CheckStatus
from domain.payments import MethodKind, Unscheduled
from reporting.codes import CODED, WORDS, in_words, is_coded, said_of, words_contain
from reporting.lists.catalog import LISTS

# Columns of text that hold what somebody typed, a sentence, a name, a number or a key.
PLAIN = frozenset(
    {
        *("account", "added_by", "address", "approved_by", "attachment", "brand", "by"),
        *("city", "confirmation", "cosigner", "cosigner_id", "cycle", "deposit"),
        *("description", "detail", "diagnostic", "email", "end_reason", "ended_by"),
        *("error", "fetched_by", "file", "first_lines", "fix", "found", "id"),
        *("in_balance_due", "item", "key", "landlord", "last4", "link", "linked_by"),
        *("made_by", "mailing_address", "message", "message_id", "name", "nickname"),
        *("outsorted_by", "pdf", "period", "phone", "portal_user", "rate_code", "reason"),
        *("receipt", "recipient", "recorded_by", "reference", "remedy", "removal_reason"),
        *("removed_by", "sender", "sentence", "service", "service_address", "sha256"),
        *("spanish", "subject", "title", "value", "what", "who", "words", "zip"),
    }
)


def _is_code(said: str) -> bool:
    """Whether words are joined by a sign; e-mail is one word and e-bill another."""
    return bool({*"-_"} & {*said.replace("e-mail", "").replace("e-bill", "")})


def columns() -> list[tuple[str, sa.ColumnElement]]:
    return [
        (f"{name}.{column.name}", column)
        for name, listing in LISTS.items()
        for column in listing.select().subquery().c
        if isinstance(column.type, sa.String) and not column.name.startswith("_")
    ]


def test_of_every_column_of_text_it_is_decided_whether_it_holds_codes():
    undecided = [
        where for where, one in columns() if not is_coded(one, one.name) and one.name not in PLAIN
    ]

    assert [] == undecided
    assert not CODED & PLAIN


def test_every_value_of_every_enumeration_of_a_list_is_said_in_words():
    values = [
        (where, said_of(one.name, value))
        for where, one in columns()
        if isinstance(one.type, sa.Enum)
        for value in one.type.enum_class
    ]

    assert 80 <= len(values)
    assert [] == [(where, said) for where, said in values if _is_code(said)]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (MethodKind.ACH, "bank account"),
        (Unscheduled.OVER_MAXIMUM, "over the customer's maximum"),
        (CheckStatus.WARNED, "warned"),
        ("autopay-left-out", "autopay left out"),
        ("open_returned", "open returned"),
        ("S-20261103-1", "S-20261103-1"),
        ("5.1.1", "5.1.1"),
        ("Their own words, half-done.", "Their own words, half-done."),
        (None, None),
        (3, 3),
    ],
)
def test_a_code_is_said_in_words_and_all_else_stays(value, said):
    assert said == in_words(value)


def test_what_somebody_typed_is_no_code():
    assert ("no-ebill", "not paperless") == (
        said_of("detail", "no-ebill"),
        said_of("kind", "no-ebill"),
    )


class Way(StrEnum):
    ACH = "ach"
    PAST_DUE = "past-due"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Bank account", ["ach"]),
        ("bank", ["ach"]),
        ("ACH", ["ach"]),
        ("past due", ["past-due"]),
        ("past-due", ["past-due"]),
        ("st", ["past-due"]),
        ("%", []),
    ],
)
def test_a_code_is_found_by_its_words_and_by_itself(typed, found):
    engine = sa.create_engine("sqlite://")
    ways = sa.Table(
        "way", sa.MetaData(),
        sa.Column("kind", sa.Enum(Way, values_callable=lambda of: [one.value for one in of])),
    )  # fmt: skip
    with engine.begin() as books:
        ways.create(books)
        books.execute(ways.insert(), [{"kind": one} for one in Way])
        rows = books.scalars(sa.select(ways.c.kind).where(words_contain(ways.c.kind, typed)))

        assert found == [row.value for row in rows]


def test_no_two_codes_are_said_alike():
    said = list(WORDS.values())

    assert len(said) == len(set(said))
