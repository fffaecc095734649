"""A portal user at a glance: accounts, autopay, paperless, mails (rules 37, 160, 176)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from starlette.responses import Response

from database.definitions.identity import account_link, web_user
from database.queries.portal.accounts import accounts_of_user, newest_account
from database.queries.portal.standings import AccountStanding, standings_of
from database.tables import delivery
from domain.identity import LinkKind, PortalUser
from identity.customer_service.inviting import FITTING, fitting_mail
from identity.customer_service.recovery import find_recovery_code
from identity.new_address import find_address_change, settles_until
from identity.paperless import BillDelivery, delivery_of
from payments.enrollment.facts import EnrollmentFacts, read_enrollment_facts
from payments.enrollment.wording import say_mandate
from web.csr.layout import person_of, say_why_locked, show_person, unknown
from web.visits import Visit

MAILS = 10  # the newest ones


@dataclass(frozen=True, slots=True)
class AccountSeen:
    """One account of a customer as the console has it (rule 176)."""

    facts: Any
    standing: AccountStanding | None
    enrollment: EnrollmentFacts
    delivery: BillDelivery
    nickname: str = ""
    is_landlords: bool = False

    @property
    def autopay(self) -> str:
        """Say the AutoPay preference in one line (rule 37)."""
        agreed = self.enrollment.mandate
        if agreed is None:
            return "Off"
        return f"On since {agreed.enrolled_on:%b} {agreed.enrolled_on.day}, " + (
            f"{agreed.enrolled_on.year}: {say_mandate(agreed)}"
        )

    @property
    def paperless(self) -> str:
        """Say how bills come, and since when where the customer chose it here (rule 37)."""
        words = {
            (True, False): "On: bills come by e-mail",
            (False, True): "Off: bills come on paper",
            (True, True): "On, and paper bills besides",
            (
                False,
                False,
            ): "Off: bills come on paper, as the record has neither",
        }[self.delivery.by_mail, self.delivery.on_paper]
        if self.delivery.by_mail and not self.delivery.is_reached:
            words = "On, but no mailbox is known: bills come on paper"
        chosen = self.delivery.chosen_at
        return words + (f"; chosen on {_said(chosen.date())}" if chosen else "")


def show_customer_information(
    visit: Visit, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    """Show the tab "Customer information" of a portal user's console."""
    person = person_of(visit)
    if person is None:
        return unknown(visit)
    office = visit.office
    with office.database.reading() as books:
        lock = _lock(books, person)
        code = find_recovery_code(books, office.link_tokens, person.number, visit.now)
        given = {
            "accounts": accounts_seen(books, person),
            "lock": lock,
            "why_locked": say_why_locked(lock.lock_reason),
            "mail": FITTING[fitting_mail(books, person)],
            "is_reset": fitting_mail(books, person) is LinkKind.RESET_PASSWORD,
            "code": code,
            "mails": _mails(books, person),
            "address_change": find_address_change(books, person.number, visit.now),
            "settles": settles_until(books, person.number, visit.now),
        }
    return show_person(
        visit,
        person,
        "csr-customer.html",
        status,
        problems=problems or {},
        tab="information",
        zone=visit.zone,
        **given,
    )


def accounts_seen(books: Connection, person: PortalUser) -> list[AccountSeen]:
    """Return every account that a portal user is linked to (rule 132), by number."""
    mine = accounts_of_user(books, person.number, person.mailbox)
    standings = {one.account_key: one for one in standings_of(books, [a.account_key for a in mine])}
    row = account_link.c
    names = sa.select(row.account_key, row.nickname).where(row.user_number == person.number)
    nicknames = {one.account_key: one.nickname for one in books.execute(names)}
    seen = []
    for one in mine:
        known = account_seen(books, one.account_key, person.address)
        if known is not None:
            facts, enrollment, how = known
            seen.append(
                AccountSeen(
                    facts,
                    standings.get(one.account_key),
                    enrollment,
                    how,
                    nicknames.get(one.account_key, ""),
                    one.is_landlords,
                )
            )
    return seen


def account_seen(
    books: Connection, key: str, address: str
) -> tuple[Any, EnrollmentFacts, BillDelivery] | None:
    """Return an account, its autopay and how its bills come; None where no closed period has it."""
    facts = newest_account(books, key)
    if facts is None:
        return None
    return facts, read_enrollment_facts(books, key), delivery_of(books, key, address)


def _lock(books: Connection, person: PortalUser) -> Any:
    row = web_user.c
    query = sa.select(row.locked_at, row.locked_by, row.lock_reason)
    return books.execute(query.where(row.number == person.number)).one()


def _mails(books: Connection, person: PortalUser) -> list[Any]:
    """Return the newest mails to a portal user: what came of those they miss (rules 102, 207)."""
    row = delivery.c
    columns = (row.queued_at, row.kind, row.form, row.status, row.sent_at, row.bounced_at)
    query = sa.select(*columns, row.error).where(row.address == person.address)
    return list(books.execute(query.order_by(row.queued_at.desc()).limit(MAILS)))


def _said(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"
