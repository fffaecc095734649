"""Which address of the mass mails' pages is answered by what, and which permission it needs."""

from __future__ import annotations

from web.guarding import WRITE
from web.office.mailing import writing
from web.office.permissions import Permission
from web.visits import Page

ROUTES: tuple[tuple[str, str, Page, Permission], ...] = (
    ("GET", WRITE, writing.show_form, Permission.INVITE_MANY),
    ("POST", WRITE, writing.take_look, Permission.INVITE_MANY),
    ("POST", f"{WRITE}/test", writing.take_test, Permission.INVITE_MANY),
    ("POST", f"{WRITE}/send", writing.take_send, Permission.INVITE_MANY),
    ("GET", f"{WRITE}/{{number}}", writing.show_mailing, Permission.INVITE_MANY),
    ("POST", f"{WRITE}/{{number}}/go-on", writing.take_going_on, Permission.INVITE_MANY),
)
