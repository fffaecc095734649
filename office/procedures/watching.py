"""Watching over the office: what began and what is over is recorded, told, and cleared up."""

from __future__ import annotations

from typing import Any

from domain.deliveries import MessageKind
from domain.failures import PermanentFailure
from domain.words import say_count
from mail.outbox.sending import say_tried
from office.equipment.office import Office
from office.health.alert_ways import send_posts
from office.health.health import look
from office.health.incidents import Noted, note
from office.health.work import WATCH, note_ended_well
from office.procedures.mailing.due_mail import send_what_is_due
from office.procedures.posting import tell_office
from office.procedures.usage_export import remove_expired

Figures = dict[str, Any]


def watch_once(office: Office) -> Figures:
    """
    Look after everything once, without Prefect: whoever watches must not need what is watched.

    Returns what stands how, what began and what ended.
    """
    found = look_after(office)
    found["mails"] += tell_office(office)
    found["exports_removed"] = remove_expired(office, office.due_now())
    found["posted"], found["not_posted"] = send_posts(office, office.due_now())
    found["sent"] = send_alerts(office)
    note_ended_well(office, WATCH)
    return found


def look_after(office: Office) -> Figures:
    """Look at everything, and record what began and what ended with the mails that say so."""
    health = look(office)
    noted = note(office, health)
    return health.to_figures() | {
        "sentence": say_health(len(health.troubles), noted),
        "began": list(noted.began),
        "ended": list(noted.ended),
        "mails": noted.mails,
    }


def send_alerts(office: Office) -> str:
    """
    Send the alerts that wait; return a sentence.

    Where mail itself is the trouble they go at a later look: that is no failure of this one.
    """
    try:
        tried = send_what_is_due(office, office.due_now, lambda _: None, kinds=(MessageKind.ALERT,))
    except PermanentFailure as failure:
        return f"stopped: {failure}"
    return say_tried(tried)


def say_health(troubles: int, noted: Noted) -> str:
    """Say how the office is, and what is new."""
    sentence = f"{say_count(troubles, 'trouble')}" if troubles else "all is well"
    for word, names in (("began", noted.began), ("over", noted.ended)):
        sentence += f"; {word}: {', '.join(names)}" if names else ""
    return sentence
