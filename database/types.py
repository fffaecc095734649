"""Column types that keep money whole and moments in UTC on every database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators

from domain.money import Money
from domain.words import Worded


class Cents(sa.types.TypeDecorator[Money]):
    """Money as a BIGINT of cents; anything but Money is refused on the way in."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: sa.Dialect) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Money):
            raise TypeError(f"an amount must be Money, got {type(value).__name__}")
        return value.cents

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Money | None:
        # int(): PostgreSQL's SUM of BIGINT comes back as Decimal.
        return None if value is None else Money(int(value))


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware moment, stored and read as UTC; a naive one is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Counted(sa.types.TypeDecorator[str]):
    """
    A text such as `{"suppressed": 2}`, read as `2: mails to them came back`.

    `said` are the words of every reason; one without words is said by its name.
    """

    impl = sa.Text
    cache_ok = True

    def __init__(self, said: Mapping[str, str]) -> None:
        super().__init__()
        self.said = tuple(said.items())

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Worded | None:
        if value is None:
            return None
        said = dict(self.said)
        counts = json.loads(value).items()
        return Worded(value, "; ".join(f"{n:,}: {said.get(why, why)}" for why, n in counts))

    def spoken(self, column: Any) -> Any:
        """Return the column with words where its reasons are, to look for what people read."""
        for why, words in self.said:
            column = sa.func.replace(column, json.dumps(why), words)
        return column


# A number that counts itself up: SQLite does so for INTEGER alone.
Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# Text that is looked through and never sorted for people: a third faster on PostgreSQL.
SearchedText = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


class NoonOf(sa.sql.functions.GenericFunction[datetime]):
    """The noon (UTC) of a local day, which falls on that day in each zone of the country."""

    type = Moment()
    inherit_cache = True


@compiles(NoonOf)
def _write_noon(noon: NoonOf, compiler: Any, **options: Any) -> str:
    day = compiler.process(noon.clauses, **options)
    return f"(({day}) + TIME '12:00') AT TIME ZONE 'UTC'"


@compiles(NoonOf, "sqlite")
def _write_noon_as_text(noon: NoonOf, compiler: Any, **options: Any) -> str:
    day = compiler.process(noon.clauses, **options)
    return f"(({day}) || ' 12:00:00.000000')"


def one_of(states: type[StrEnum], name: str) -> sa.Enum:
    """Return a VARCHAR with a CHECK on the enumeration's values, the same on both databases."""
    return sa.Enum(
        states,
        name=name,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=24,
        values_callable=lambda members: [member.value for member in members],
    )


def written_out(value: StrEnum) -> sa.ColumnClause[str]:
    """
    Return a word of ours as it stands in a statement, not as a value that is given with it.

    To a column by which an index is partial (`kind = 'autopay'`) a word is compared written out:
    of a given value SQLite must know each time what it is, and reads the whole statement anew.
    """
    return sa.literal_column(f"'{value}'", sa.String())


@compiles(sa.CheckConstraint, "sqlite")
def _write_check(check: sa.CheckConstraint, compiler: Any, **options: Any) -> str:
    """
    Write the list of words that a CHECK allows as one comparison after the other.

    SQLite builds a table of an IN list anew for each statement and looks into it for each row:
    that is a third of all work where a payment is scheduled or changes its state.
    """
    listed: Any = check.sqltext
    if getattr(listed, "operator", None) is operators.in_op:
        allowed = sa.or_(*(listed.left == word for word in listed.right.value))
        by_word = compiler.sql_compiler.process(allowed, include_table=False, literal_binds=True)
        written = sa.CheckConstraint(by_word, name=check.name)
        written.parent = check.parent
        check = written
    text: str = compiler.visit_check_constraint(check, **options)
    return text
