"""Holding a bill back and releasing it on an account's page (contract 7)."""

from __future__ import annotations

from starlette.responses import Response

from domain.failures import Misuse, Refused
from office.procedures.outsorting import hold_back, let_go
from outsorting.releasing import say_done
from web.office.customers import show_customer
from web.visits import LONGEST_REASON, Visit

SAYING = {"held": "The bill is held back.", "released": "The bill is released."}


def take_hold(visit: Visit) -> Response:
    """Hold a period's bill of the account back, for the reason that was typed."""
    reason = visit.text("reason")[:LONGEST_REASON]
    if not reason:
        return show_customer(visit, {"reason": "Say why: it is audited."})
    try:
        done = hold_back(visit.office, visit.path("account"), visit.text("period"), reason)
    except (Misuse, Refused) as refused:
        return show_customer(visit, {"reason": refused.message})
    return show_customer(visit, said=" ".join([SAYING["held"], *done.stands]))


def take_release(visit: Visit) -> Response:
    """Let a period's bill of the account go, with all that was held back; its mail leaves now."""
    try:
        done = let_go(visit.office, visit.path("account"), visit.text("period"))
    except (Misuse, Refused) as refused:
        return show_customer(visit, {"release": refused.message})
    visit.wake_mail()
    return show_customer(visit, said=f"{SAYING['released']} {say_done(done).capitalize()}.")
