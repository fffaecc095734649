"""How the report writes days, moments, counts and codes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.words import say_count
from reporting.report.charts import draw_shares, list_shares
from reporting.wording import (
    capitalize,
    say_days,
    say_moment,
    say_reasons,
    say_seconds,
    without_addresses,
)
from tests.reporting.builders import a_sheet


@pytest.mark.parametrize(
    ("moment", "timezone", "written"),
    [
        (
            datetime(2026, 11, 2, 16, 4, tzinfo=UTC),
            "America/Denver",
            "Monday, November 2, 2026 at 9:04 AM MST",
        ),
        (
            datetime(2026, 7, 1, 4, 30, tzinfo=UTC),
            "America/Denver",
            "Tuesday, June 30, 2026 at 10:30 PM MDT",
        ),
        (
            datetime(2026, 7, 1, 12, 0, tzinfo=UTC),
            "Etc/UTC",
            "Wednesday, July 1, 2026 at 12:00 PM UTC",
        ),
        (
            datetime(2026, 7, 1, 3, 5, tzinfo=UTC),
            "America/Sao_Paulo",
            "Wednesday, July 1, 2026 at 12:05 AM UTC-03",
        ),
    ],
)
def test_moments_are_local(moment, timezone, written):
    assert written == say_moment(moment, timezone)


def test_a_period_over_new_year_names_both_years():
    written = say_days(date(2026, 12, 16), date(2027, 1, 15))

    assert written == "December 16, 2026 to January 15, 2027"


def test_counts_agree_with_their_nouns():
    assert say_count(1, "bill") == "1 bill"
    assert say_count(12_000, "bill") == "12,000 bills"
    assert say_count(0, "account is", "accounts are") == "0 accounts are"


def test_reasons_come_by_frequency_and_unknown_ones_in_plain_words():
    assert say_reasons({"moon-is-full": 2, "direct-pay": 9}) == "9 on direct pay, 2 moon is full"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.003, "under 0.1 s"),
        (0.4, "0.4 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
    ],
)
def test_durations(seconds, written):
    assert written == say_seconds(seconds)


def test_addresses_are_taken_out():
    refused = "550 <pat.o'neil@example.org> unknown; also jo@example.org."

    assert "@" not in without_addresses(refused)
    assert without_addresses("no address here") == "no address here"


def test_each_bill_is_drawn_once():
    shares = list_shares(a_sheet())

    assert sum(share.bills for share in shares) == 395
    assert draw_shares(shares).count("<rect") == 3


def test_no_bills_draw_nothing():
    none = tuple(replace(share, bills=0) for share in list_shares(a_sheet()))

    assert draw_shares(none) == ""


def test_the_name_of_a_file_keeps_its_letters():
    assert capitalize("bills.pdf, page 4") == "bills.pdf, page 4"
    assert capitalize("ties out.") == "Ties out."
