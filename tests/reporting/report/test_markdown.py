"""The report in short, for the page of a flow run."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.money import Money
from reporting.report.markdown import exception_rows, to_markdown
from tests.release import so_many
from tests.reporting.builders import (
    WRITTEN_AT,
    WaivedCheck,
    a_huge_close,
    a_refused_run,
    a_rehearsal,
    a_sheet,
    an_exception,
    exceptions_of,
    with_exceptions,
)


def test_a_perfect_close_in_short():
    text = to_markdown(a_sheet(), [])

    assert text.startswith("# City of Larkspur: billing period 2026-10\n\n**Closed.** Billing")
    assert "| Amount due | $54,902.17 | of all accounts billed |" in text
    assert "| Closing balance | $55,561.44 | $55,561.44 | ✓ Ties out |" in text
    assert text.endswith("## What needs a person\n\nNothing.\n")


def test_a_total_that_does_not_tie_out_is_marked():
    sheet = a_sheet(totals=a_sheet().totals | {"billed": Money(52_329_50)})

    text = to_markdown(sheet, [])

    wanted = "| Billed | $52,329.49 | $52,329.50 | ✗ Does not tie out: ours is $0.01 more |"
    assert wanted in text


def test_exceptions_and_waivers_are_told():
    text = to_markdown(*with_exceptions())

    assert "| waived | bill-amount | 14 |" in text
    assert "01.1077.3 and 2 more |" in text
    assert "due 19 days after the period's end |" in text
    assert "## Waivers" in text
    assert "pat.jones" not in text


def test_twenty_kinds_of_exceptions_are_enough():
    rows = [an_exception(f"kind-{number:02d}") for number in range(23)]

    text = to_markdown(a_sheet(), rows)

    assert text.count("| warning | kind-") == 20
    assert "And 3 more kinds of exceptions: see the report." in text


@pytest.mark.parametrize(
    "period", [with_exceptions(), a_refused_run(), a_rehearsal(), a_huge_close(), (a_sheet(), [])]
)
def test_every_row_has_the_cells_of_its_table(period):
    width = None
    for line in to_markdown(*period).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line))
        if not cells:
            width = None
            continue
        assert line.startswith("| ") or line.startswith("| --- ")
        assert cells == (width or cells)
        width = cells


@settings(max_examples=so_many(25, release=100), deadline=None)
@given(text=st.text(max_size=40) | st.text("<>|`*_[]()!\\\n#&", max_size=30))
def test_no_text_from_outside_becomes_markup(text):
    sheet = a_sheet(utility=text, waivers=(WaivedCheck("x", text, text, WRITTEN_AT),))

    written = to_markdown(sheet, [an_exception(account=text, fix=text)])

    plain = to_markdown(
        a_sheet(utility="x", waivers=(WaivedCheck("x", "x", "x", WRITTEN_AT),)), [an_exception()]
    )
    assert plain.count("\n") == written.count("\n")
    assert not re.search(r"<[a-z/!]", written, re.IGNORECASE)
    free = re.compile(r"(?<!\\)(?:\\\\)*\|")
    assert len(free.findall(plain)) == len(free.findall(written))


def test_rows_of_the_table_are_plain_values():
    row = an_exception("mail-failed", message="<pat@example.org> is unknown", fix="Print it.")

    rows = exception_rows([row])

    assert rows == [
        {
            "account": "01.1037.1",
            "stage": "mail",
            "code": "mail-failed",
            "message": "<(address)> is unknown",
            "fix": "Print it.",
            "blocking": "no",
        }
    ]
    assert rows == json.loads(json.dumps(rows))


@pytest.mark.parametrize(("found", "shown"), [(0, 0), (199, 199), (200, 200), (201, 200)])
def test_the_table_is_never_longer_than_its_limit(found, shown):
    assert shown == len(exception_rows(exceptions_of("email-invalid", found)))


def test_a_list_cut_short_says_so():
    rows = exception_rows(iter(exceptions_of("email-invalid", 5000)))

    assert rows[-1]["message"] == "and 4,801 more: see the report"
    assert set(rows[0]) == set(rows[-1])
