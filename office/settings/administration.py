"""Who may change which setting: staff by their role, or whoever installs (rules 206, 209)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from office.secrets.sources import secret_keys
from office.settings.settings import Settings


class ChangedBy(StrEnum):
    """The two kinds of administration, and what neither has."""

    UTILITY = "utility"  # mails, autopay, reminders' exceptions: supervisor and admin
    PORTAL = "portal"  # what customers may do, reminders' times, the look: admin
    INSTALLER = "installer"  # servers, providers, secrets, and what holds staff themselves


# Providers and cash receipting are set by whoever installs the program (rule 202). So is what
# staff are held by: how many say yes to a close, and how long one may be taken back.
_SECTIONS = {
    ChangedBy.UTILITY: (
        *("ebill", "autopay", "notices", "outsort", "checks", "calendar"),
        *("messages", "messages_es", "bank"),
    ),
    ChangedBy.PORTAL: (
        *("utility", "communications", "checkout", "other_payments", "theme", "reminders"),
        *("portal", "texts", "arrangements"),
    ),
    ChangedBy.INSTALLER: (
        *("database", "bills", "smtp", "bounces", "payments", "cash_receipting", "feed"),
        *("alerts", "approval", "checklist", "undo", "splitter", "prefect", "logging"),
        *("workers", "health", "clock", "exports", "web", "oidc", "documents", "bot_check"),
        "paper",
    ),
}
_KEYS = {
    "utility.name": ChangedBy.INSTALLER,  # whose exports are taken: another's would be refused
    "ebill.largest_mb": ChangedBy.INSTALLER,
    "ebill.too_large": ChangedBy.INSTALLER,
    "ebill.link_url": ChangedBy.INSTALLER,
    "communications.unsubscribe_url": ChangedBy.INSTALLER,
    "communications.unsubscribe_mailto": ChangedBy.INSTALLER,
    "communications.link_url": ChangedBy.INSTALLER,
    "checks.own": ChangedBy.INSTALLER,  # a table for each check: `billclose checks`
    "other_payments.permits": ChangedBy.INSTALLER,  # names a file of the machine
    "texts.system": ChangedBy.INSTALLER,
    "texts.account_sid": ChangedBy.INSTALLER,
    "texts.auth_token": ChangedBy.INSTALLER,
    "texts.sender": ChangedBy.INSTALLER,
    "texts.url": ChangedBy.INSTALLER,
    "theme.logo": ChangedBy.INSTALLER,  # files of the machine: staff send pictures on a page
    "theme.photo": ChangedBy.INSTALLER,
    "arrangements.people": ChangedBy.INSTALLER,  # how many of the staff say yes
    "reminders.spare_autopay": ChangedBy.UTILITY,  # rules 95, 96
}
GROUPS = {
    "The office": ("utility", "calendar", "theme", "portal"),
    "Bills and the close": (
        *("ebill", "documents", "paper", "outsort", "checks", "approval", "checklist", "undo"),
    ),
    "Autopay and payments": (
        *("autopay", "arrangements", "checkout", "other_payments", "payments"),
        "bank",
    ),
    "Mails and texts": ("reminders", "notices", "communications", "texts", "alerts"),
    "Words on the pages": ("messages", "messages_es"),
    "Other systems": (
        *("cash_receipting", "feed", "smtp", "bounces", "oidc", "bot_check", "exports", "web"),
    ),
    "This installation": (
        *("database", "bills", "splitter", "workers", "prefect", "logging", "health", "clock"),
    ),
}
TITLES = {  # what each section is about, in the words of who looks for it
    "utility": "Phone, address, hours and holidays of the office",
    "calendar": "When bills are due",
    "theme": "Color, logo and photo",
    "portal": "Invitations to the portal",
    "ebill": "Bills by e-mail",
    "documents": "Bills that screen readers can read",
    "paper": "Bills on paper",
    "outsort": "Bills that were held back",
    "checks": "What the checks look for",
    "approval": "Who says yes to a close",
    "checklist": "The checklist before a yes",
    "undo": "Taking a close back",
    "autopay": "Autopay: closed days, maximum, returned payments",
    "arrangements": "Payment plans",
    "checkout": "Paying in the portal: service fees, cart, guests",
    "other_payments": "Other payments: permits, rentals and the like",
    "payments": "The payment provider",
    "bank": "The bank's file",
    "reminders": "Reminders before and after the due date",
    "notices": "Receipts and notices of autopay",
    "communications": "Newsletters and mass mails",
    "texts": "Text messages",
    "alerts": "Who is told of troubles",
    "messages": "Messages of the pages, in English",
    "messages_es": "Messages of the pages, in Spanish",
    "cash_receipting": "Cash receipting",
    "feed": "What the billing system tells between two closes",
    "smtp": "The mail server",
    "bounces": "Mail that came back",
    "oidc": "Signing in with Google or Apple",
    "bot_check": "The check against robots",
    "exports": "Usage as an Excel file",
    "web": "The address of these pages",
    "database": "The database",
    "bills": "Where bills are kept",
    "splitter": "Splitting bills",
    "workers": "More machines",
    "prefect": "The Prefect server",
    "logging": "Logs",
    "health": "What counts as well",
    "clock": "The clock",
}
_SECRETS = frozenset(f"{section}.{key}" for section, key in secret_keys(Settings))


def who_changes(section: str, key: str) -> ChangedBy:
    """Tell who may change a setting; of a secret never staff."""
    name = f"{section}.{key}"
    if name in _SECRETS:
        return ChangedBy.INSTALLER
    return _KEYS.get(name) or next(by for by, names in _SECTIONS.items() if section in names)


def keys_of(section: str) -> dict[str, Any]:
    """Return the fields of a section's model, by key."""
    model: Any = Settings.model_fields[section].annotation
    fields: dict[str, Any] = model.model_fields
    return fields
