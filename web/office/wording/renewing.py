"""The desk's office, opened anew after staff have changed its settings or its texts."""

from __future__ import annotations

from starlette.applications import Starlette

from office.equipment.office import Office
from office.settings.settings import open_settings
from web.monitors import LastLook


def renew_office(desk: Starlette) -> None:
    """
    Read the home's settings and texts again, for every page from now on and for the desk's threads.

    The books and their connections stay. Where pages are served, and by what, is settled when the
    desk starts: those settings are not staff's to change. Raises Misuse where they cannot be read.
    """
    before: Office = desk.state.office
    office = Office(
        before.home, open_settings(before.home), before.clock, before.who, origin=before.origin
    )
    office.__dict__["database"] = before.database
    desk.state.office = office
    desk.state.last_look = LastLook(office)
    desk.state.mail_thread.office = office
    desk.state.payment_thread.office = office
