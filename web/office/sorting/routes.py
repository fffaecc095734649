"""Which address of the unassigned pages is answered by what, and which permission it needs."""

from __future__ import annotations

from web.office.permissions import Permission
from web.office.sorting import sorting
from web.visits import Page

ROUTES: tuple[tuple[str, str, Page, Permission], ...] = (
    ("GET", sorting.PAGES, sorting.show_pages, Permission.CUSTOMERS),
    ("GET", sorting.PICTURE, sorting.show_picture, Permission.CUSTOMERS),
    ("POST", sorting.PAGES, sorting.take_ruling, Permission.OUTSORT),
)
