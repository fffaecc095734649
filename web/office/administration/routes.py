"""Which address of the settings' pages is answered by what, and which permission it needs."""

from __future__ import annotations

from web.guarding import PICTURES, SETTING, SETTINGS
from web.office.administration import health, packs, pictures, runbook, settings
from web.office.pages import PACK, RUNBOOK
from web.office.permissions import Permission
from web.visits import Page

ROUTES: tuple[tuple[str, str, Page, Permission], ...] = (
    ("GET", SETTINGS, settings.show_settings, Permission.SETTINGS),
    ("GET", f"{SETTINGS}/health", health.show_health, Permission.SETTINGS),
    ("GET", RUNBOOK, runbook.show_runbook, Permission.LOOK),
    ("GET", f"{RUNBOOK}/{{kind}}", runbook.show_runbook_page, Permission.LOOK),
    ("GET", PACK, packs.show_packs, Permission.AUDIT),
    ("POST", PACK, packs.take_pack, Permission.AUDIT),
    ("GET", SETTING, settings.show_setting, Permission.UTILITY_SETTINGS),
    ("POST", SETTING, settings.take_setting, Permission.UTILITY_SETTINGS),
    ("POST", f"{PICTURES}/remove", pictures.take_removal, Permission.PORTAL_SETTINGS),
    ("POST", f"{PICTURES}/undo", pictures.take_back, Permission.PORTAL_SETTINGS),
    ("POST", f"{SETTINGS}/undo", settings.take_undo, Permission.UTILITY_SETTINGS),
)
