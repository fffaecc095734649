"""Steps: look after the office's health, tell what began and what is over, clear up."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from office.equipment.office import current_office
from office.health.alert_ways import send_posts
from office.procedures import watching
from office.procedures.usage_export import remove_expired


@task(name="look after health", retries=0, cache_policy=NO_CACHE, persist_result=False)
def look_after_health() -> dict[str, Any]:
    """Look at everything, and record what began and what ended with the mails that say so."""
    return watching.look_after(current_office())


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
