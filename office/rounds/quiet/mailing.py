"""Commands that mail and have nothing to do: known without a server, told like their flow."""

from __future__ import annotations

from dataclasses import asdict, replace

from domain.deliveries import MessageKind
from domain.reminders import REMINDERS
from mail.outbox.sending import SendCounts, say_tried
from office.equipment.office import Office
from office.health.work import note_ended_well
from office.rounds.looks import why_send, why_send_kinds
from office.rounds.quiet.waiting import QUIET, Figures, is_any_waiting

UNSENT = ("sent", "failed", "deferred", "in_doubt", "possible_duplicates")


def quiet_mail(office: Office) -> Figures | None:
    """Return what `mail send` says where nothing is due; None where its flow has work."""
    if why_send(office, office.due_now()):
        return None
    note_ended_well(office, "send-mail")
    return asdict(SendCounts()) | QUIET


def say_quiet_mail() -> str:
    return say_tried(SendCounts())


def quiet_reminders(office: Office) -> Figures | None:
    """
    The same of `remind`: nothing is owed anew, and none waits that might have to be withdrawn.

    Raises Refused as the flow does while postings are stuck or balances are not of today.
    """
    from mail.reminders.exemptions import undrawn
    from mail.reminders.queueing import queue_reminders
    from office.procedures.feeding import guard_balances, say_as_of, say_feed
    from office.procedures.mailing.arranging import bring_up_to_date
    from office.procedures.mailing.reminding import to_figures, undrawn_figures
    from office.procedures.posting import require_posted_here

    now = office.due_now()
    require_posted_here(office, now)
    left_out = sorted(guard_balances(office, now, "remind", "reminders", None).why)
    kinds = (*REMINDERS, MessageKind.ARRANGEMENT)
    if is_any_waiting(office, kinds) or why_send_kinds(office, now, kinds):
        return None
    plans = bring_up_to_date(office, left_out, records=False)
    if any(plans[name] for name in ("kept", "broken", "in_force_again", "queued")):
        return None
    terms = replace(office.reminders_terms(now, records=False), left_out=frozenset(left_out))
    owed = {kind: queue_reminders(office.database, kind, terms) for kind in REMINDERS}
    if any(counts.queued for counts in owed.values()):
        return None
    note_ended_well(office, "remind")
    nothing = dict.fromkeys(UNSENT, 0)
    figures = {kind.value: to_figures(counts) | nothing for kind, counts in owed.items()}
    overdue = undrawn_figures(undrawn(office.database, now))
    told: Figures = {"reminders": figures, "arrangements": plans | nothing}
    told |= {"collecting_overdue": overdue, "withdrawn": 0, "stopped_by": ""}
    known = {"balances": say_feed(office, now), "as_of": say_as_of(office)}
    return told | known | {"left_out": left_out} | QUIET


def quiet_notices(office: Office) -> Figures | None:
    """The same of `notify`."""
    from office.procedures.mailing.reminding import QUEUES, look_at_notices

    now = office.due_now()
    kinds = tuple(QUEUES)
    if is_any_waiting(office, kinds) or why_send_kinds(office, now, kinds):
        return None
    owed = look_at_notices(office.database, office.notices_terms(now, records=False))
    if any(figures["queued"] for figures in owed.values()):
        return None
    note_ended_well(office, "send-notices")
    nothing = dict.fromkeys(("sent", "failed", "deferred", "in_doubt"), 0)
    return {"notices": owed, **nothing, "stopped_by": ""} | QUIET
