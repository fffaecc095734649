"""What a person types stands for itself where a query looks for a part of a text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

ROOT = Path(__file__).parents[2]
WINGS = (
    *("billing_system", "cash_receipting", "command_line", "corrections", "data_checks"),
    *("database", "deposits", "flows", "identity", "mail", "office", "outsorting", "payments"),
    *("reporting", "splitter", "tasks", "web"),
)
ESCAPING = {"contains", "icontains", "istartswith", "iendswith"}  # no text of Python's has these
PATTERNS = {"like", "ilike", "notlike", "not_like", "notilike", "not_ilike", "regexp_match"}
COLUMN_ALONE = {"startswith", "endswith"}  # a text has these too, but takes no autoescape


def unescaped(source: str) -> Iterator[str]:
    """Yield each look for a part of a text in which a sign of the pattern would count."""
    for call in ast.walk(ast.parse(source)):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.args):
            continue
        name, given = call.func.attr, call.args[0]
        is_escaped = any(word.arg == "autoescape" for word in call.keywords)
        of_column = ".c." in ast.unparse(call.func.value)
        asks = name in PATTERNS | ESCAPING or (name in COLUMN_ALONE and of_column)
        if asks and not is_escaped and not is_fixed(given):
            yield ast.unparse(call)


def is_fixed(given: ast.expr) -> bool:
    """Tell whether a text stands in the source, by itself or as a constant's name."""
    if isinstance(given, ast.JoinedStr):
        parts = [one.value for one in given.values if isinstance(one, ast.FormattedValue)]
        return all(map(is_fixed, parts))
    if isinstance(given, ast.Name):
        return given.id.isupper()
    return isinstance(given, ast.Constant)


def test_no_query_takes_a_sign_that_was_typed_for_any_other():
    sources = [path for wing in WINGS for path in sorted((ROOT / wing).rglob("*.py"))]
    found = [
        f"{path.relative_to(ROOT)}: {one}"
        for path in sources
        for one in unescaped(path.read_text("utf-8"))
    ]

    assert [] == found
    assert len(sources) > 500


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("row.name.contains(word)", 1),
        ("row.name.contains(word, autoescape=True)", 0),
        ("row.name.contains(f'/{MARK}')", 0),
        ("row.name.contains(f'/{mark}')", 1),
        ("row.c.error.like(typed)", 1),
        ("row.c.error.like('bounced: 5.7.%')", 0),
        ("table.c.key.startswith(prefix)", 1),
        ("text.startswith(prefix)", 0),
    ],
)
def test_a_sign_that_would_count_is_seen(source, count):
    assert count == len(list(unescaped(source)))


@pytest.mark.parametrize("typed", ["%", "_", "\\", "/", "a%c", "a_c"])
def test_a_sign_stands_for_itself_in_every_database(database, typed):
    kept = ("a%c", "a_c", "abc", "a\\c", "a/c", "")
    said = sa.union_all(*(sa.select(sa.literal(one).label("said")) for one in kept)).subquery()
    query = sa.select(said.c.said).where(said.c.said.contains(typed, autoescape=True))

    with database.reading() as books:
        found = set(books.scalars(query))

    assert {one for one in kept if typed in one} == found
