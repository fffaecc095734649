"""Which address of the late schedule's pages is answered by what, and which permission it needs."""

from __future__ import annotations

from web.office.late import schedule
from web.office.pages import SCHEDULE
from web.office.permissions import Permission
from web.visits import Page

ROUTES: tuple[tuple[str, str, Page, Permission], ...] = (
    ("GET", SCHEDULE, schedule.show_schedules, Permission.LOOK),
    ("GET", f"{SCHEDULE}/{{period}}", schedule.show_schedule, Permission.LOOK),
    ("POST", f"{SCHEDULE}/{{period}}/rehearse", schedule.take_rehearsal, Permission.CLOSE),
    ("POST", f"{SCHEDULE}/{{period}}/begin", schedule.take_schedule, Permission.CLOSE),
)
