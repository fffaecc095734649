"""Steps of the feed: take in what has come, and keep the night from old balances."""

from __future__ import annotations

from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from billing_system.feed.taking_in import FeedReport, say_report
from office.equipment.office import current_office
from office.procedures.feeding import (
    FeedRound,
    guard_balances,
    look_for_feed,
    max_age_of,
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


def round_figures(done: FeedRound) -> Figures:
    """Give what one look at the feed brought as programs read it."""
    sentence = "; ".join(say_report(report) for report in done.reports) or "nothing new"
    for why in (done.refused, done.stopped_by):
        sentence += f"; {why}" if why else ""
    return {
        "sentence": sentence,
        "status": "needs-person" if done.needs_person else "done",
        "files": [report_figures(report) for report in done.reports],
        "choices": {
            "told": done.choices.told,
            "taken": done.choices.taken,
            "refused": done.choices.refused,
            "waiting": done.choices.waiting,
            "stopped_by": done.choices.stopped_by,
        },
        "stopped_by": done.stopped_by,
        "refused": done.refused,
    }


def report_figures(report: FeedReport) -> Figures:
    """Give what a file of the feed changed as programs read it."""
    return {
        "file": report.name,
        "sequence": report.sequence,
        "written_at": report.written_at.isoformat(),
        "known_file": report.is_known,
        "movements": {
            "new": report.new,
            "known": report.known,
            "ours": report.ours,
            "late": report.late,
            "not_counted": report.not_counted,
            "changed": report.changed,
        },
        "amount": str(report.amount),
        "changes": report.changes,
        "acknowledged": report.acknowledged,
        "balances": [
            {"account": one.account, "before": str(one.before), "after": str(one.after)}
            for one in report.moved
        ],
        "unused": list(report.unused),
        "findings": report.findings,
    }
