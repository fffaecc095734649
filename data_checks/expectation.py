"""The framework's expectation of no rows, for those who only want to know how many there are."""

from __future__ import annotations

from typing import Any

from great_expectations.compatibility.pydantic import PrivateAttr
from great_expectations.expectations import UnexpectedRowsExpectation

_COUNT, _ROWS = "unexpected_rows_query.row_count", "unexpected_rows_query.table"


class NoRowsExpectation(UnexpectedRowsExpectation):  # type: ignore[misc]
    """
    Expects a query to find nothing, and runs it once.

    The framework's own runs it again for the first 200 rows, which we list ourselves, all of them.
    """

    metric_dependencies = (_COUNT,)
    _configuration: Any = PrivateAttr(None)

    @property
    def configuration(self) -> Any:
        """What it is made of; the framework asks thirty times a check, and none of it changes."""
        if self._configuration is None:
            self._configuration = super().configuration
        return self._configuration

    def _validate(self, metrics: dict[str, Any], *more: Any, **options: Any) -> Any:
        """Judge by the count alone; the rows that the framework's own looks up were not read."""
        return super()._validate({_ROWS: [], **metrics}, *more, **options)
