"""What `billclose list` can show: one SELECT each, its columns named as in the contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from command_line.lists_bills import bills, paper_bills
from command_line.lists_checks import checks, exceptions
from command_line.lists_mail import communications, mailings, unsubscribed_addresses
from command_line.lists_money import (
    completed_payments,
    pending_payments,
    scheduled_payments,
    unscheduled,
)
from command_line.lists_outbox import bounces, deliveries, suppressed_addresses
from database.return_rates import rates_by_period
from database.tables import audit
from payments.settlement_matching import deposits

Select = sa.Select[Any]


def audit_list() -> Select:
    return sa.select(
        audit.c.at,
        audit.c.who,
        audit.c.action,
        audit.c.subject,
        audit.c.detail,
        audit.c.id.label("_id"),
    )


@dataclass(frozen=True, slots=True)
class Listing:
    """A list and the columns it is ordered by; those that begin with _ are not shown."""

    select: Callable[[], Select]
    order: tuple[str, ...]


LISTS = {
    "bills": Listing(bills, ("period", "form", "_account_key", "pdf")),
    "deliveries": Listing(deliveries, ("period", "_account_key", "form", "recipient")),
    "paper": Listing(paper_bills, ("period", "part", "form", "sequence")),
    "bounces": Listing(bounces, ("received_at", "id")),
    "suppressed-addresses": Listing(suppressed_addresses, ("since", "address")),
    "communications": Listing(communications, ("number",)),
    "mailings": Listing(mailings, ("number",)),
    "unsubscribed-addresses": Listing(unsubscribed_addresses, ("since", "address")),
    "scheduled-payments": Listing(scheduled_payments, ("period", "pay_date", "_account_key")),
    "autopay-unscheduled": Listing(unscheduled, ("period", "_account_key")),
    "pending-payments": Listing(pending_payments, ("taken_at", "confirmation", "key")),
    "completed-payments": Listing(completed_payments, ("taken_at", "confirmation")),
    "deposits": Listing(deposits, ("date", "deposit", "_line")),
    "return-rates": Listing(rates_by_period, ("period", "kind")),
    "checks": Listing(checks, ("period", "_position")),
    "exceptions": Listing(exceptions, ("period", "stage", "_position", "_account_key")),
    "audit": Listing(audit_list, ("_id",)),
}
