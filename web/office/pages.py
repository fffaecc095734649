"""The pages that show one list each, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.customer_service import PortalStanding
from domain.deliveries import DeliveryStatus
from web.guarding import BANK, MESSAGES, POSTS, TEMPLATES, TEXT_MANY, WRITE
from web.office.lists import ListPage, RowLink
from web.office.permissions import Permission

DIFFERENCES = "/office/deposits/differences"
LINK_LANDLORD = "/office/landlords/link"
RUNBOOK = "/office/runbook"
PACK = "/office/audit/pack"
SCHEDULE = "/office/payments/schedule"
# Whoever follows a link to a portal user means that one, locked or deleted, too.
WHATEVER_STATUS = "&filtered=1" + "".join(f"&status={one}" for one in PortalStanding)
_OF_A_MAIL = ("name", "kind", "recipient", "status", "sent_at", "error")


def _did_not_arrive(row: Mapping[str, Any]) -> bool:
    return row["status"] in (DeliveryStatus.FAILED, DeliveryStatus.IN_DOUBT)


def _waits(row: Mapping[str, Any]) -> bool:
    return bool(row["waits"])


def _was_taken_by_us(row: Mapping[str, Any]) -> bool:
    return bool(row["source"] != "counter")


def _is_shown(row: Mapping[str, Any]) -> bool:
    return row["removed_at"] is None


def _is_unfetched(row: Mapping[str, Any]) -> bool:
    return row["fetched_at"] is None


def _is_of_an_account(row: Mapping[str, Any]) -> bool:
    return bool(row["account"]) and row["known_until"] is None


def _is_waiting(row: Mapping[str, Any]) -> bool:
    return bool(row["waiting"])


def _sees(row: Mapping[str, Any]) -> bool:
    return bool(row["state"] == "sees")


def _decide(path: str, key: str, name: str = "Decide", **more: Any) -> RowLink:
    return RowLink(path, key, name, **{"permission": Permission.DECIDE} | more)


LIST_PAGES: tuple[ListPage, ...] = (
    ListPage(
        "/office/payments",
        "scheduled-payments",
        "Scheduled and previous payments",
        "payments",
        "Scheduled and previous",
        about="The status of a payment that was made is its confirmation number, the same at the "
        "gateway and in cash receipting; of one that failed, why.",
        leads=("name", "pay_date", "amount", "status"),
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
        row_link=RowLink(
            "/office/payments/completed/refund", "confirmation", "Refund", Permission.REFUND,
            offered=_was_taken_by_us,
        ),
    ),
    ListPage(
        "/office/payments/returned",
        "returned-payments",
        "Payments that went back",
        "payments",
        "Went back",
        about="Returned by a bank, disputed by a card's holder, or refunded: what went back is "
        "owed again. A dispute is answered at the gateway, on its own pages, until the time under "
        "Answer by; if it is won, the payment counts again by itself.",
        empty="Nothing went back.",
        newest_first="happened_at",
        leads=("name", "happened_at", "kind", "amount", "reason", "answer_by"),
    ),
    ListPage(
        "/office/payments/unknown",
        "unknown-payments",
        "Payments in doubt",
        "payments",
        "Unknown",
        about="Asked of the gateway, and never answered: by autopay and by hand. They are looked "
        "up, and asked again under their own key alone, which draws once.",
        empty="No payment is in doubt.",
        row_link=_decide("/office/payments/unknown/decide", "key"),
    ),
    ListPage(
        "/office/autopay",
        "autopay-enrolled",
        "Enrolled in autopay",
        "autopay",
        "Enrolled",
        about="As the newest closed period and what was agreed since have it.",
        row_link=_decide("/office/autopay/end", "account", "End autopay"),
        begin=_decide("/office/autopay/enroll", "", "Enroll a customer"),
        done={"enrolled": "The customer is enrolled, and gets a mail with what was agreed to."},
    ),
    ListPage("/office/customers", "customers", "Customers", "customers", "Customers",
             Permission.CUSTOMERS, empty="No account is like that."),
    ListPage("/office/portal-users", "portal-links", "Portal users", "customers", "Portal users",
             Permission.CUSTOMERS,
             about="Every account that is linked to a portal user, landlords included. View leads "
             "to the portal user; there a supervisor takes an account off.",
             row_link=RowLink("/csr", "portal_user", "View", Permission.CUSTOMER_SERVICE, asks="q",
                              more=WHATEVER_STATUS),
             empty="Nobody is linked."),
    ListPage("/office/landlords", "landlords", "Landlords", "customers", "Landlords",
             Permission.CUSTOMERS,
             about="Landlords and cosigners of the newest exports, and the portal users that they "
             "are. A landlord sees all that the customer sees, but not how the customer pays.",
             row_link=RowLink("/office/landlords/end", "_key", "End", Permission.LINK_ACCOUNTS,
                              offered=_sees),
             begin=RowLink(LINK_LANDLORD, "", "Link a landlord", Permission.LINK_ACCOUNTS),
             done={"linked": "The portal user is linked to the landlord's accounts."},
             empty="No landlord is like that."),
    ListPage("/office/landlords/accounts", "landlord-accounts", "What landlords see", "customers",
             "What landlords see", Permission.CUSTOMERS,
             about="Each account that a portal user sees as its landlord.",
             empty="No landlord sees any account."),
    ListPage("/office/communications", "communications", "Communications", "communications",
             "Posted", newest_first="number", leaves_out=frozenset({"sha256"}),
             row_link=_decide("/office/communications/change", "number", "Change or remove",
                              offered=_is_shown),
             begin=_decide(POSTS, "", "Post a communication"),
             done={"posted": "The communication is posted; customers see it now.",
                   "changed": "The communication is changed."}),
    ListPage("/office/communications/mailings", "mailings", "Mass mails", "communications",
             "Mass mails", newest_first="number",
             row_link=RowLink(WRITE, "number", "Open", Permission.INVITE_MANY, asks=""),
             begin=_decide(WRITE, "", "Write to many", permission=Permission.INVITE_MANY)),
    ListPage("/office/communications/texts", "mass-texts", "Texts to many", "communications",
             "Texts to many", newest_first="number",
             about="What waits leaves within the hours of texts. Each text stands by itself under "
             "Emails, Texts.",
             row_link=RowLink("/office/communications/texts/take-back", "number", "Take back",
                              Permission.INVITE_MANY, offered=_is_waiting),
             begin=_decide(TEXT_MANY, "", "Text many", permission=Permission.INVITE_MANY),
             done={"recorded": "The text is recorded for every phone; it leaves within the hours "
                   "of texts."}),
    ListPage("/office/communications/unsubscribed", "unsubscribed-addresses",
             "Who wants no communications", "communications", "Unsubscribed"),
    ListPage("/office/emails", "deliveries", "Emails", "emails", "Sent and waiting",
             newest_first="sent_at", leads=_OF_A_MAIL,
             row_link=_decide("/office/emails/decide", "message_id", offered=_did_not_arrive)),
    ListPage("/office/emails/events", "email-events", "Email events", "emails", "Email events",
             newest_first="sent_at", leads=_OF_A_MAIL,
             about="All that was mailed but the bills: those leave with the close of a period."),
    ListPage("/office/emails/texts", "texts", "Text messages", "emails", "Texts",
             newest_first="queued_at",
             about="What customers who chose texts were told; the phone by its last four digits."),
    ListPage("/office/emails/bounces", "bounces", "Emails that came back", "emails", "Came back",
             newest_first="received_at", leads=("received_at", "account", "recipient", "kind"),
             row_link=_decide("/office/emails/bounces/decide", "id", offered=_waits)),
    ListPage("/office/emails/suppressed", "suppressed-addresses", "Suppressed addresses", "emails",
             "Suppressed addresses",
             row_link=_decide("/office/emails/suppressed/decide", "address", "Write again")),
    ListPage("/office/payments/plans", "arrangements", "Payment plans", "payments", "Plans",
             newest_first="made_at", about="Who pays in installments; what is paid of each stands "
             "on the page of its account.", empty="Nobody has a plan."),
    ListPage("/office/deposits", "deposits", "Deposits", "deposits", "Deposits",
             newest_first="date"),
    ListPage("/office/deposits/return-rates", "return-rates", "Return rates", "deposits",
             "Return rates"),
    ListPage("/office/exceptions", "exceptions", "What needs a person", "exceptions",
             "Exceptions", empty="Nothing needs a person."),
    ListPage("/office/exceptions/findings", "findings", "What the checks found", "exceptions",
             "Findings", about="Every finding of every check, most at stake first in each.",
             row_link=RowLink("/office/exceptions/findings/decide", "_key", "Decide",
                              Permission.OUTSORT, offered=_is_of_an_account)),
    ListPage("/office/exceptions/figures", "register-figures", "Figures of the register",
             "exceptions", "Figures", about="This month's lines, totals and means beside the "
             "band that the months before allow."),
    ListPage("/office/outsorted", "outsorted", "Held bills", "exceptions", "Held bills",
             about="Not shown, mailed, printed or drawn, and no balance moved, until somebody "
             "releases them on the page of the account.", empty="No bill is held back."),
    ListPage("/office/print", "print-batches", "Print batches", "exceptions", "Print batches",
             newest_first="written_at",
             about="Where the files lie in the home, and who has them for the printer. A file "
             "that somebody has cannot be taken back with a close.",
             row_link=RowLink("/office/print/fetched", "file", "Fetched?", Permission.OUTSORT,
                              offered=_is_unfetched),
             empty="Nothing was printed yet."),
    ListPage("/office/settings/staff", "staff", "Staff", "settings", "Staff", Permission.STAFF,
             about="Added and locked with `billclose staff`."),
    ListPage("/office/audit", "audit", "Audit", "settings", "Audit", Permission.AUDIT,
             newest_first="at"),
)  # fmt: skip


def page_of(what: str) -> ListPage:
    """Return the page of a list of the catalog."""
    return next(page for page in LIST_PAGES if page.what == what)


def groups() -> dict[str, tuple[tuple[str, str, Permission], ...]]:
    """Return the pages that stand together under one heading: path, name, and who sees it."""
    found: dict[str, list[tuple[str, str, Permission]]] = {
        "settings": [
            ("/office/settings", "Settings", Permission.SETTINGS),
            ("/office/settings/theme", "Theme", Permission.SETTINGS),
            ("/office/settings/health", "Health", Permission.SETTINGS),
            (RUNBOOK, "Runbook", Permission.LOOK),
        ]
    }
    for page in LIST_PAGES:
        found.setdefault(page.group, []).append((page.path, page.tab, page.permission))
    found["settings"].append((PACK, "Auditor's pack", Permission.AUDIT))
    found["communications"].append((TEMPLATES, "Templates", Permission.LOOK))
    found["communications"].append((MESSAGES, "Messages of the pages", Permission.LOOK))
    found["payments"].insert(2, (SCHEDULE, "Schedule", Permission.LOOK))
    found["deposits"].insert(1, (DIFFERENCES, "Differences", Permission.LOOK))
    found["deposits"].insert(2, (BANK, "Bank", Permission.LOOK))
    return {name: tuple(pages) for name, pages in found.items()}
