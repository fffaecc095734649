"""Great Expectations as the judge of the checks, each of which is a query that finds nothing."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import make_url

from data_checks.framework import import_framework

ERROR_LENGTH = 1000  # characters of a crash that are kept


@dataclass(frozen=True, slots=True)
class FailedRows:
    """How many rows fail a check; with an `error` it crashed and nothing is known of the data."""

    failed: int
    error: str = ""


def warm_up() -> None:
    """
    Import Great Expectations now, while something else that is needed gets ready.

    The import takes seconds of processor time. Not in a thread: libraries that import each other
    in a circle break where two threads begin at different places of it.
    """
    _import_framework()


def judge(url: str, queries: Mapping[str, str]) -> dict[str, FailedRows]:
    """
    Count the rows of each query in one validation, by name; a query without rows passes.

    Opens its own connections to the database at `url` and closes them. Standard output belongs to
    the caller's document: whatever the framework prints goes to standard error.
    """
    with contextlib.redirect_stdout(sys.stderr), _batch(url) as batch:
        gx, expectation = _import_framework()
        suite = gx.ExpectationSuite(
            name="close",
            expectations=[
                expectation(unexpected_rows_query=_to_template(query), meta={"check": name})
                for name, query in queries.items()
            ],
        )
        results = batch.validate(suite, result_format="BASIC").results
    return {result.expectation_config.meta["check"]: _to_verdict(result) for result in results}


def _import_framework() -> tuple[Any, Any]:
    """Import the framework and our expectation, which is of one of its classes."""
    great_expectations = import_framework()

    from data_checks.expectation import NoRowsExpectation

    return great_expectations, NoRowsExpectation


@contextlib.contextmanager
def _batch(url: str) -> Iterator[Any]:
    """
    Open a context in memory with one query asset over the database.

    Its batch is validated by itself: a definition that is stored, and its result, which nobody
    reads there, take as long as the judging.
    """
    gx, _ = _import_framework()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = _add_source(context.data_sources, url)
    try:
        asset = source.add_query_asset("period", query="SELECT 1 AS one")
        yield asset.get_batch(asset.build_batch_request())
    finally:
        source.get_execution_engine().close()
        source.get_engine().dispose()


def _add_source(sources: Any, url: str) -> Any:
    """
    Name the books to the framework.

    Its PostgreSQL source refuses a URL without a host, which is how a Unix socket is written; the
    general one takes it, with a warning that recommends the other.
    """
    address = url.replace("$", "\\$")  # a bare $ would name a variable
    if url.startswith("sqlite"):
        return sources.add_sqlite("books", connection_string=address)
    if make_url(url).host:
        return sources.add_postgres("books", connection_string=address)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sources.add_sql("books", connection_string=address)


def _to_template(query: str) -> str:
    """
    Write a query as the framework wants it: braces doubled, `{batch}` somewhere.

    Without `{batch}` it prints a notice several times a check; in a comment it does no harm.
    """
    return "/* {batch} */ " + query.replace("{", "{{").replace("}", "}}")


def _to_verdict(result: Any) -> FailedRows:
    """Tell a crash from bad data: the framework reports both as `success=False`."""
    crash = _to_error(result.exception_info or {})
    if crash:
        return FailedRows(0, crash[:ERROR_LENGTH])
    failed = result.result.get("observed_value")
    if not isinstance(failed, int) or result.success != (failed == 0):
        return FailedRows(0, f"the framework gave no clear answer: {result.success}, {failed}")
    return FailedRows(failed)


def _to_error(exception_info: Mapping[str, Any]) -> str:
    """Read both shapes of exception_info: of the whole check, or one for each metric."""
    crashes = [exception_info] if "raised_exception" in exception_info else exception_info.values()
    messages = [
        str(crash.get("exception_message") or "no message")
        for crash in crashes
        if crash.get("raised_exception")
    ]
    return messages[0] if messages else ""
