"""Steps: look after the office's health, tell what began and what is over, clear up."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from database.runs import newest_timezone
from domain.words import say_count
from office.equipment.office import current_office
from office.health.alert_ways import send_posts
from office.procedures import watching
from office.procedures.usage_export import remove_expired
from office.rounds.days import day_told_at, forget_days, read_day
from office.rounds.telling import tell_server
from tasks.steps.artifacts import show_rounds


@task(name="look after health", retries=0, cache_policy=NO_CACHE, persist_result=False)
def look_after_health() -> dict[str, Any]:
    """Look at everything, and record what began and what ended with the mails that say so."""
    office = current_office()
    found = watching.look_after(office)
    tell_server(office, found)
    return found


@task(name="remove expired exports", retries=0, cache_policy=NO_CACHE, persist_result=False)
def remove_expired_exports() -> int:
    """Delete the files whose link is no longer good; returns how many."""
    office = current_office()
    return remove_expired(office, office.due_now())


@task(name="send alerts", retries=0, cache_policy=NO_CACHE, persist_result=False)
def send_alerts() -> str:
    """Send the alerts that wait; returns a sentence."""
    return watching.send_alerts(current_office())


@task(name="post alerts", retries=0, cache_policy=NO_CACHE, persist_result=False)
def post_alerts() -> int:
    """Tell the ways of alerts.urls what they were not told yet; returns how many were taken."""
    office = current_office()
    told, _ = send_posts(office, office.due_now())
    return told


@task(name="tell day of rounds", retries=0, cache_policy=NO_CACHE, persist_result=False)
def tell_day_of_rounds() -> dict[str, Any]:
    """Show what the looks of the day came to; forget days that nobody asks for any more."""
    office = current_office()
    day = day_told_at(office.due_now(), newest_timezone(office.database))
    rows = read_day(office.database, day)
    show_rounds(day, rows)
    forget_days(office.database, day)
    looks, starts = sum(row.looks for row in rows), sum(row.starts for row in rows)
    failures = sum(row.failures for row in rows)
    sentence = f"{day}: {say_count(looks, 'look')}, {say_count(starts, 'run')} started"
    sentence += f", {failures:,} failed" if failures else ""
    return {"sentence": sentence, "looks": looks, "starts": starts, "failures": failures}
