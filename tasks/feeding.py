"""Steps of the feed: take in what has come, and keep the night from old balances."""

from __future__ import annotations

from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from office.equipment.office import current_office
from office.procedures.feeding import (
    guard_balances,
    look_for_feed,
    max_age_of,
    round_figures,
    say_as_of,
    say_feed,
)

Figures = dict[str, Any]


@task(name="guard balances", retries=0, cache_policy=NO_CACHE, persist_result=False)
def guard_feed(act: str, subject: str, despite: str | None = None) -> Figures:
    """
    Refuse to draw or dun by balances that are not of today (Refused, `stale-balances`).

    Returns which periods are left out and why, and whether the feed is watched further on.
    """
    office = current_office()
    now = office.due_now()
    stale = guard_balances(office, now, act, subject, despite)
    is_watched = despite is None and office.settings.feed.when_stale == "stop"
    max_age = max_age_of(office) if is_watched else None
    return {
        "left_out": stale.why,
        "max_age": max_age.total_seconds() if max_age else None,
        "sentence": say_feed(office, now),
        "as_of": say_as_of(office),
    }


@task(name="take in feed", retries=0, cache_policy=NO_CACHE, persist_result=False)
def take_in_feed() -> Figures:
    """Take in what has come of the feed, and tell what customers chose."""
    figures = round_figures(look_for_feed(current_office()))
    get_run_logger().info("take in feed: %s", figures["sentence"])
    return figures
