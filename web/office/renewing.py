"""The desk's office, opened anew after staff have changed its settings or its texts."""

from __future__ import annotations

from starlette.applications import Starlette

from office.equipment.office import Office
from office.equipment.renewing import renewed
from web.monitors import LastLook
from web.theme import theme_of


def renew_office(desk: Starlette) -> None:
    """
    Read the home's settings and texts again, for every page from now on and for the desk's threads.

    The books and their connections stay. Where pages are served, and by what, is settled when the
    desk starts: those settings are not staff's to change. Raises Misuse where they cannot be read.
    """
    office = renewed(desk.state.office)
    desk.state.office = office
    desk.state.last_look = LastLook(office)
    desk.state.mail_thread.office = office
    desk.state.payment_thread.office = office


def require_whole(office: Office) -> None:
    """Raise Misuse for what is set by half: it is said here, and not to customers."""
    theme_of(office)
    dict(office.identity_providers)
    office.bot_check.ask(office.moment())
    office.text_sender.close()
