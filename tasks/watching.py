"""Steps: look after the office's health, tell what began and what is over, clear up."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from domain.deliveries import MessageKind
from domain.failures import PermanentFailure
from domain.words import say_count
from office.equipment.office import office
from office.health.health import look
from office.health.incidents import Noted, note
from office.health.work import WATCH, note_ended_well
from office.procedures.usage_export import remove_expired
from tasks.mailing import say_tried, send_what_is_due
from tasks.posting import tell_of_cash_receipting

Figures = dict[str, Any]


@task(name="look after health", retries=0, cache_policy=NO_CACHE, persist_result=False)
def look_after_health() -> Figures:
    """Look at everything, and record what began and what ended with the mails that say so."""
    here = office()
    health = look(here)
    noted = note(here, health)
    return health.to_figures() | {
        "sentence": say_health(len(health.troubles), noted),
        "began": list(noted.began),
        "ended": list(noted.ended),
        "mails": noted.mails,
    }


@task(name="remove expired exports", retries=0, cache_policy=NO_CACHE, persist_result=False)
def remove_expired_exports() -> int:
    """Delete the files whose link is no longer good; returns how many."""
    here = office()
    return remove_expired(here, here.due_now())


@task(name="send alerts", retries=0, cache_policy=NO_CACHE, persist_result=False)
def send_alerts() -> str:
    """
    Send the alerts that wait; returns a sentence.

    Where mail itself is the trouble they go at a later look: that is no failure of this one.
    """
    here = office()
    try:
        tried = send_what_is_due(here, here.due_now, lambda _: None, kinds=(MessageKind.ALERT,))
    except PermanentFailure as failure:
        return f"stopped: {failure}"
    return say_tried(tried)


def watch_once() -> Figures:
    """Do the same without Prefect: whoever watches must not need what is watched."""
    found: Figures = look_after_health.fn()
    found["mails"] += tell_of_cash_receipting.fn()
    found["exports_removed"] = remove_expired_exports.fn()
    found["sent"] = send_alerts.fn()
    note_ended_well(office(), WATCH)
    return found


def say_health(troubles: int, noted: Noted) -> str:
    """Say how the office is, and what is new."""
    sentence = f"{say_count(troubles, 'trouble')}" if troubles else "all is well"
    for word, names in (("began", noted.began), ("over", noted.ended)):
        sentence += f"; {word}: {', '.join(names)}" if names else ""
    return sentence
