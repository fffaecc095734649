"""Which address of the mass mails' pages is answered by what, and which permission it needs."""

from __future__ import annotations

from web.guarding import TEXT_MANY, WRITE
from web.office.mailing import attaching, texting, writing
from web.office.permissions import Permission
from web.visits import Page

ROUTES: tuple[tuple[str, str, Page, Permission], ...] = (
    ("GET", WRITE, writing.show_form, Permission.INVITE_MANY),
    ("POST", WRITE, writing.take_look, Permission.INVITE_MANY),
    ("POST", f"{WRITE}/test", writing.take_test, Permission.INVITE_MANY),
    ("POST", f"{WRITE}/send", writing.take_send, Permission.INVITE_MANY),
    ("GET", TEXT_MANY, texting.show_text_form, Permission.INVITE_MANY),
    ("POST", TEXT_MANY, texting.take_text_look, Permission.INVITE_MANY),
    ("POST", f"{TEXT_MANY}/test", texting.take_text_test, Permission.INVITE_MANY),
    ("POST", f"{TEXT_MANY}/send", texting.take_text_send, Permission.INVITE_MANY),
    ("GET", f"{WRITE}/attached/{{sha256}}", attaching.show_attachment, Permission.INVITE_MANY),
    ("GET", f"{WRITE}/{{number}}", writing.show_mailing, Permission.INVITE_MANY),
    ("POST", f"{WRITE}/{{number}}/go-on", writing.take_going_on, Permission.INVITE_MANY),
)
