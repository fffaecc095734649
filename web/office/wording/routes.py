"""Which address of the texts' pages is answered by what, and which permission it needs."""

from __future__ import annotations

from web.guarding import EDITS, MESSAGES, PREVIEWS, TEMPLATES
from web.office.permissions import Permission
from web.office.wording import messages, templates
from web.visits import Page

ROUTES: tuple[tuple[str, str, Page, Permission], ...] = (
    ("GET", TEMPLATES, templates.show_templates, Permission.LOOK),
    ("GET", EDITS, templates.show_editor, Permission.LOOK),
    ("POST", EDITS, templates.take_edited, Permission.WORDING),
    ("POST", f"{EDITS}/ours", templates.take_ours, Permission.WORDING),
    ("GET", PREVIEWS, templates.show_preview, Permission.LOOK),
    ("POST", PREVIEWS, templates.show_preview, Permission.WORDING),
    ("GET", MESSAGES, messages.show_messages, Permission.LOOK),
    ("POST", MESSAGES, messages.take_messages, Permission.WORDING),
)
