"""What `billclose list` can show: where each SELECT stands, and its order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import sqlalchemy as sa

from database.tables import audit
from reporting.lists.naming import with_names


class Listing(NamedTuple):
    """
    A list and the columns it is ordered by; those that begin with _ are not shown.

    `is_named`: the customer's name stands beside the account. `bare`: what selects the same rows,
    each once for each of them, with the columns it is ordered by alone.
    """

    module: str
    name: str
    order: tuple[str, ...]
    is_named: bool = False
    bare: str = ""

    def select(self) -> sa.Select[Any]:
        chosen: sa.Select[Any] = self._made(self.name)()
        return with_names(chosen) if self.is_named else chosen

    def select_bare(self) -> sa.Select[Any] | None:
        """Select what is enough to count the rows and to choose a page; None: there is no less."""
        name = self.bare or (self.name if self.is_named else "")
        chosen: sa.Select[Any] | None = self._made(name)() if name else None
        return chosen

    def select_of(self, keys: Sequence[str]) -> sa.Select[Any]:
        """Select the rows of these accounts, or whatever the list is ordered by first."""
        chosen: sa.Select[Any] = self._made(self.name)(keys)
        return chosen

    def _made(self, name: str) -> Callable[..., Any]:
        made: Callable[..., Any] = getattr(import_module(self.module), name)
        return made


LISTS = {  # a module is loaded when its list is asked for, so that the others wait for nothing
    "bills": Listing("reporting.lists.bills", "bills", ("period", "form", "_account_key", "pdf")),
    "deliveries": Listing(
        "reporting.lists.mail",
        "deliveries",
        ("period", "_account_key", "form", "recipient"),
        is_named=True,
    ),
    "email-events": Listing(
        "reporting.lists.mail",
        "email_events",
        ("period", "_account_key", "form", "recipient"),
        is_named=True,
    ),
    "texts": Listing("reporting.lists.texts", "texts", ("queued_at", "_account_key", "kind")),
    "mass-texts": Listing("reporting.lists.texts", "mass_texts", ("number",)),
    "paper": Listing(
        "reporting.lists.bills",
        "paper_bills",
        ("period", "part", "form", "sequence"),
        is_named=True,
    ),
    "print-batches": Listing(
        "reporting.lists.bills", "print_batches", ("period", "part", "form", "file")
    ),
    "bounces": Listing("reporting.lists.mail", "bounces", ("received_at", "id")),
    "suppressed-addresses": Listing(
        "reporting.lists.mail", "suppressed_addresses", ("since", "address")
    ),
    "communications": Listing("reporting.lists.mail", "communications", ("number",)),
    "mailings": Listing("reporting.lists.mail", "mailings", ("number",)),
    "unsubscribed-addresses": Listing(
        "reporting.lists.mail", "unsubscribed_addresses", ("since", "address")
    ),
    "arrangements": Listing(
        "database.queries.arrangements.reading", "arrangements", ("_account_key", "number")
    ),
    "balances": Listing("database.queries.balances", "balances", ("period", "_account_key")),
    "scheduled-payments": Listing(
        "reporting.lists.money",
        "scheduled_payments",
        ("period", "pay_date", "_account_key"),
        is_named=True,
    ),
    "autopay-unscheduled": Listing(
        "reporting.lists.money", "unscheduled", ("period", "_account_key"), is_named=True
    ),
    "pending-payments": Listing(
        "reporting.lists.money", "pending_payments", ("taken_at", "confirmation", "key")
    ),
    "completed-payments": Listing(
        "reporting.lists.money", "completed_payments", ("taken_at", "confirmation")
    ),
    "returned-payments": Listing(
        "reporting.lists.money", "returned_payments", ("happened_at", "_event"), is_named=True
    ),
    "movements": Listing("database.queries.movements", "movements", ("_account_key", "date", "id")),
    "changes": Listing("database.queries.portal.choices", "list_choices", ("id",)),
    "deposits": Listing("payments.outcomes.settlements", "deposits", ("date", "deposit", "_line")),
    "return-rates": Listing("database.queries.autopay", "rates_by_period", ("period", "kind")),
    "outsorted": Listing(
        "database.queries.outsorted",
        "outsorted",
        ("period", "_account_key", "check"),
        is_named=True,
    ),
    "checks": Listing("reporting.lists.bills", "checks", ("period", "_position")),
    "findings": Listing(
        "reporting.lists.findings", "findings", ("period", "_position", "_line"), is_named=True
    ),
    "register-figures": Listing(
        "reporting.lists.findings", "register_figures", ("period", "passed", "_line")
    ),
    "exceptions": Listing(
        "database.queries.exceptions",
        "exceptions",
        ("period", "stage", "_position", "_account_key"),
        is_named=True,
    ),
    "accounts": Listing("reporting.lists.people", "accounts", ("_account_key",)),
    "enrollments": Listing(
        "reporting.lists.people",
        "enrollments",
        ("_account_key", "state", "enrolled_on", "ended_on"),
        bare="bare_enrollments",
    ),
    "portal-users": Listing(
        "reporting.lists.portal", "portal_users", ("_mailbox",), bare="bare_users"
    ),
    "portal-links": Listing(
        "reporting.lists.portal",
        "portal_links",
        ("_account_key", "relation", "portal_user"),
        bare="bare_links",
    ),
    "landlords": Listing(
        "reporting.lists.landlords", "landlords", ("cosigner_id", "portal_user", "state")
    ),
    "landlord-accounts": Listing(
        "reporting.lists.landlords",
        "landlord_accounts",
        ("cosigner_id", "portal_user", "_account_key"),
    ),
    "payment-methods": Listing(
        "reporting.lists.portal", "payment_methods", ("_mailbox", "last4", "_token")
    ),
    "activity": Listing("reporting.lists.portal", "activities", ("_number",)),
    "autopay-enrolled": Listing(
        "reporting.lists.people", "autopay_enrolled", ("_account_key",), bare="bare_enrolled"
    ),
    "unknown-payments": Listing(
        "payments.outcomes.unknown_payments", "select_unknown", ("asked_at", "key")
    ),
    "customers": Listing("reporting.lists.people", "customers", ("_account_key",)),
    "staff": Listing("reporting.lists.people", "members_of_staff", ("number",)),
    "audit": Listing("reporting.lists.catalog", "audit_list", ("_id",)),
}


def audit_list() -> sa.Select[Any]:
    return sa.select(
        audit.c.at,
        audit.c.who,
        audit.c.action,
        audit.c.subject,
        audit.c.detail,
        audit.c.machine_at,
        audit.c.rehearsed,
        audit.c.id.label("_id"),
    )
