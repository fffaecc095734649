"""Which address of the console is answered by what, and which permission it needs."""

from __future__ import annotations

from starlette.routing import Route

from web.csr import accounts, console, credentials, find, inviting, links, locking, log, looking
from web.office.permissions import Permission
from web.visits import Page, Visit, for_staff, redirect

CONSOLE = Permission.CUSTOMER_SERVICE
_USER = "/csr/customers/{number:int}"
_ACCOUNT = "/csr/accounts/{account}"


def _page_of(visit: Visit) -> str:
    return f"/csr/customers/{visit.path('number')}"


PAGES: tuple[tuple[str, str, Page, Permission], ...] = (
    ("GET", "/csr", find.show_search, CONSOLE),
    ("GET", "/csr/invitations", inviting.show_invitations, Permission.INVITE_MANY),
    ("POST", "/csr/invitations", inviting.take_invitations, Permission.INVITE_MANY),
    ("POST", "/csr/looking/end", looking.end_look, CONSOLE),
    ("GET", "/csr/{number:int}", lambda visit: redirect(_page_of(visit)), CONSOLE),
    ("GET", _USER, console.show_customer_information, CONSOLE),
    ("GET", f"{_USER}/activity", log.show_log, CONSOLE),
    ("GET", f"{_USER}/impersonate", looking.ask_why, CONSOLE),
    ("POST", f"{_USER}/impersonate", looking.begin_look, CONSOLE),
    ("GET", f"{_USER}/lock", locking.ask_lock, CONSOLE),
    ("POST", f"{_USER}/lock", locking.take_lock, CONSOLE),
    ("GET", f"{_USER}/unlock", locking.ask_unlock, CONSOLE),
    ("POST", f"{_USER}/unlock", locking.take_unlock, CONSOLE),
    ("GET", f"{_USER}/delete", locking.ask_delete, Permission.DELETE_USERS),
    ("POST", f"{_USER}/delete", locking.take_delete, Permission.DELETE_USERS),
    ("POST", f"{_USER}/mail", credentials.send_mail, CONSOLE),
    ("POST", f"{_USER}/recovery-code", credentials.make_code, CONSOLE),
    ("POST", f"{_USER}/recovery-code/revoke", credentials.revoke_code, CONSOLE),
    ("POST", f"{_USER}/username", credentials.take_username, CONSOLE),
    ("GET", f"{_USER}/sign-in/clear", credentials.ask_clear, CONSOLE),
    ("POST", f"{_USER}/sign-in/clear", credentials.take_clear, CONSOLE),
    ("GET", f"{_USER}/unlink/{{account}}", links.ask_unlink, Permission.LINK_ACCOUNTS),
    ("POST", f"{_USER}/unlink/{{account}}", links.take_unlink, Permission.LINK_ACCOUNTS),
    ("GET", _ACCOUNT, accounts.show_account, CONSOLE),
    ("POST", f"{_ACCOUNT}/invite", inviting.take_invitation, CONSOLE),
    ("POST", f"{_ACCOUNT}/link", links.link_to_me, Permission.LINK_ACCOUNTS),
)


def console_routes() -> list[Route]:
    """Return the console's routes, one for each method."""
    return [
        Route(path, for_staff(page, needed), methods=[method])
        for method, path, page, needed in PAGES
    ]
