"""The look of the office's pages: navigation, and the pages that stand together."""

from __future__ import annotations

from typing import Any

from starlette.responses import HTMLResponse

from web.layout import show
from web.office.permissions import Permission, may
from web.visits import Visit

Group = tuple[tuple[str, str, Permission], ...]
NAVIGATION: Group = (
    ("/office/close", "Close", Permission.LOOK),
    ("/office/exceptions", "Exceptions", Permission.LOOK),
    ("/office/payments", "Payments", Permission.LOOK),
    ("/office/autopay", "Autopay", Permission.LOOK),
    ("/office/customers", "Customers", Permission.CUSTOMERS),
    ("/office/communications", "Communications", Permission.LOOK),
    ("/office/emails", "Emails", Permission.LOOK),
    ("/office/deposits", "Deposits", Permission.LOOK),
    ("/office/settings", "Settings", Permission.SETTINGS),
    ("/csr", "Customer service", Permission.CUSTOMER_SERVICE),
)


def show_office(
    visit: Visit, template: str, status: int = 200, *, group: Group = (), **values: Any
) -> HTMLResponse:
    """
    Return a page of the office with what the role of whoever is signed in may open.

    `group` are the pages that stand together with it: path, name, and who sees it.
    """
    role, served = visit.user.role, visit.office.settings.web.serves
    seen = [
        (path, name)
        for path, name, needed in NAVIGATION
        if may(role, needed) and path.split("/")[1] in served
    ]
    tabs = [(path, name) for path, name, needed in group if may(role, needed)]
    return show(visit, template, status, navigation=seen, tabs=tabs, **values)
