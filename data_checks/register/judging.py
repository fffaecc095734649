"""Great Expectations as the judge of the figures, by its own expectations."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from data_checks.framework import import_framework
from data_checks.register.figures import Figure

STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:1rem auto;max-width:70rem;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%}
td,th{border:1px solid #ccc;padding:.35rem .5rem;text-align:left;vertical-align:top}
.collapse{display:block}
.navbar,.modal,.btn,footer,form,.show-more,[class*=newsletter]{display:none}
.fa-check-circle::before{content:"holds";color:#17693a}
.fa-times::before{content:"FAILS";color:#a3161a;font-weight:700}
.fa-exclamation-triangle::before{content:"crashed"}
"""
_REMOTE = (
    r"<script\b[^>]*>.*?</script>",
    r'<link\b[^>]*href="https?://[^"]*"[^>]*/?>',
    r'<img\b[^>]*src="https?://[^"]*"[^>]*/?>',
    r'<a\b[^>]*href="https?://[^"]*"[^>]*>.*?</a>',
)
_LOADS = re.compile(r"(?:src|href|url\()\s*=?\s*[\"']?(?:https?:)?//[^\"' )>]+")


@dataclass(frozen=True, slots=True)
class Judged:
    """What the judge said of one figure; with an `error` it crashed and nothing is known."""

    figure: Figure
    value: float | None
    passed: bool
    error: str = ""


@dataclass(frozen=True, slots=True)
class JudgedRegister:
    """All figures, the suite and the result as JSON, and the judge's page, which loads nothing."""

    figures: tuple[Judged, ...]
    suite: str
    result: str
    page: str


def judge_figures(
    lines: pd.DataFrame, figures: Sequence[Figure], *, period: str, at: datetime
) -> JudgedRegister:
    """
    Let the framework judge every figure of a period's lines by one native expectation each.

    `at` is the moment of the close: a period's name alone would be read as a date.
    """
    with contextlib.redirect_stdout(sys.stderr):
        gx = import_framework()
        suite = gx.ExpectationSuite(
            name="register",
            expectations=[
                _expectation(gx.expectations, place, figure) for place, figure in enumerate(figures)
            ],
        )
        result = _validate(gx, suite, lines, period, at)
        page = _page(result)
    found = {one.expectation_config.meta["place"]: one for one in result.results}
    return JudgedRegister(
        tuple(_to_judged(figure, found[place]) for place, figure in enumerate(figures)),
        json.dumps(suite.to_json_dict(), indent=1),
        json.dumps(result.to_json_dict(), indent=1),
        page,
    )


def _expectation(expectations: Any, place: int, figure: Figure) -> Any:
    """Write a figure as an expectation of the framework's own, with the clerk's sentence."""
    from great_expectations.expectations.row_conditions import Column

    kinds = {
        "lines": expectations.ExpectTableRowCountToBeBetween,
        "total": expectations.ExpectColumnSumToBeBetween,
    }
    kind = kinds.get(figure.figure, expectations.ExpectColumnMeanToBeBetween)
    told: dict[str, Any] = {"column": figure.column} if figure.column else {}
    if figure.column in ("", "amount"):
        told["row_condition"] = (
            Column("rated") == figure.name if figure.rate_code else Column("service") == figure.name
        )
    counts = figure.figure == "lines"
    return kind(
        min_value=_bound(figure.low, counts),
        max_value=_bound(figure.high, counts),
        severity="critical" if figure.check == "last-month-again" else "warning",
        description=figure.sentence,
        meta={"check": figure.check, "place": place, "before": figure.before},
        **told,
    )


def _bound(value: float | None, counts: bool) -> float | int | None:
    return round(value) if counts and value is not None else value


def _validate(gx: Any, suite: Any, lines: pd.DataFrame, period: str, at: datetime) -> Any:
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("register").add_dataframe_asset("lines")
    batch = asset.add_batch_definition_whole_dataframe("whole")
    validation = context.validation_definitions.add(
        gx.ValidationDefinition(name="register", data=batch, suite=context.suites.add(suite))
    )
    result = validation.run(
        batch_parameters={"dataframe": lines},
        result_format="BASIC",
        run_id=RunIdentifier(run_name=f"period {period}", run_time=at),
    )
    for one in result.results:  # numbers of NumPy are written down by neither JSON nor its page
        observed = one.result.get("observed_value")
        if isinstance(observed, np.floating | np.integer):
            one.result["observed_value"] = observed.item()
    return result


def _to_judged(figure: Figure, result: Any) -> Judged:
    """Tell a crash from a figure out of its band: the framework reports both as a failure."""
    crashes = [
        one["exception_message"]
        for one in (result.exception_info or {}).values()
        if isinstance(one, dict) and one.get("raised_exception")
    ]
    observed = result.result.get("observed_value")
    if crashes:
        return Judged(figure, None, False, crashes[0][:500])
    value = None if observed is None else float(observed)
    return Judged(figure, value, bool(result.success))


def _page(result: Any) -> str:
    """Write the framework's own page of a result so that it loads nothing from anywhere."""
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    page: str = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    for pattern in _REMOTE:
        page = re.sub(pattern, "", page, flags=re.S)
    page = re.sub(r"url\(\s*['\"]?https?://[^)]*\)", "none", page)
    left = _LOADS.search(page)
    if left is not None:  # a page of another version: better none than one that tells others
        return f"<!DOCTYPE html><title>Register</title><p>Not shown: it loads {left.group()[:40]}."
    return page.replace("</head>", f"<style>{STYLE}</style></head>")
