"""The pages that show one list each, and where they stand."""

from __future__ import annotations

from web.office.lists import ListPage
from web.office.permissions import Permission

KEYS = frozenset({"key"})

LIST_PAGES: tuple[ListPage, ...] = (
    ListPage(
        "/office/payments",
        "scheduled-payments",
        "Scheduled and previous payments",
        "payments",
        "Scheduled and previous",
        about="The status of a payment that was made is its confirmation number, the same at the "
        "gateway and in cash receipting; of one that failed, why.",
    ),
    ListPage(
        "/office/payments/unscheduled",
        "autopay-unscheduled",
        "Enabled without a payment",
        "payments",
        "Enabled without a payment",
        about="Who is enrolled in autopay and has no payment in a period, and why.",
    ),
    ListPage(
        "/office/payments/pending",
        "pending-payments",
        "Pending payments",
        "payments",
        "Pending",
        about="Taken, and not in cash receipting yet. This list should always be blank. Trying "
        "again posts; it never charges anybody.",
        empty="Nothing is pending.",
    ),
    ListPage(
        "/office/payments/completed",
        "completed-payments",
        "Completed payments",
        "payments",
        "Completed",
        newest_first="taken_at",
    ),
    ListPage(
        "/office/payments/unknown",
        "unknown-payments",
        "Payments in doubt",
        "payments",
        "Unknown",
        about="Asked of the gateway, and never answered. They are looked up, never asked again; "
        "`billclose unknown` says what each side knows and takes a decision.",
        empty="No payment is in doubt.",
    ),
    ListPage(
        "/office/autopay",
        "autopay-enrolled",
        "Enrolled in autopay",
        "autopay",
        "Enrolled",
        about="As the newest closed period and what was agreed since have it.",
    ),
    ListPage("/office/customers", "customers", "Customers", "customers", "Customers",
             Permission.CUSTOMERS, empty="No account is like that."),
    ListPage("/office/communications", "communications", "Communications", "communications",
             "Posted", newest_first="number", leaves_out=frozenset({"sha256"})),
    ListPage("/office/communications/mailings", "mailings", "Mass mails", "communications",
             "Mass mails", newest_first="number"),
    ListPage("/office/communications/unsubscribed", "unsubscribed-addresses",
             "Who wants no communications", "communications", "Unsubscribed"),
    ListPage("/office/emails", "deliveries", "Emails", "emails", "Sent and waiting",
             newest_first="sent_at"),
    ListPage("/office/emails/bounces", "bounces", "Emails that came back", "emails", "Came back",
             newest_first="received_at"),
    ListPage("/office/emails/suppressed", "suppressed-addresses", "Suppressed addresses", "emails",
             "Suppressed addresses"),
    ListPage("/office/deposits", "deposits", "Deposits", "deposits", "Deposits",
             newest_first="date"),
    ListPage("/office/deposits/return-rates", "return-rates", "Return rates", "deposits",
             "Return rates"),
    ListPage("/office/exceptions", "exceptions", "What needs a person", "exceptions",
             "Exceptions", empty="Nothing needs a person."),
    ListPage("/office/exceptions/findings", "findings", "What the checks found", "exceptions",
             "Findings", about="Every finding of every check, most at stake first in each."),
    ListPage("/office/exceptions/figures", "register-figures", "Figures of the register",
             "exceptions", "Figures", about="This month's lines, totals and means beside the "
             "band that the months before allow."),
    ListPage("/office/outsorted", "outsorted", "Held bills", "exceptions", "Held bills",
             about="Not shown, mailed, printed or drawn, and no balance moved, until somebody "
             "releases them on the page of the account.", empty="No bill is held back."),
    ListPage("/office/settings/staff", "staff", "Staff", "settings", "Staff", Permission.STAFF,
             about="Added and locked with `billclose staff`."),
    ListPage("/office/audit", "audit", "Audit", "settings", "Audit", Permission.AUDIT,
             newest_first="at"),
)  # fmt: skip


def groups() -> dict[str, tuple[tuple[str, str, Permission], ...]]:
    """Return the pages that stand together under one heading: path, name, and who sees it."""
    found: dict[str, list[tuple[str, str, Permission]]] = {
        "settings": [
            ("/office/settings", "Settings", Permission.SETTINGS),
            ("/office/settings/theme", "Theme", Permission.SETTINGS),
        ]
    }
    for page in LIST_PAGES:
        found.setdefault(page.group, []).append((page.path, page.tab, page.permission))
    return {name: tuple(pages) for name, pages in found.items()}
