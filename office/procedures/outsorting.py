"""Holding a bill back and releasing it, as the office's command and pages do it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from database.runs import find_run, get_run
from domain.deliveries import MessageKind
from mail.outbox.sending import SendCounts
from office.equipment.locking import working_on
from office.equipment.office import Office
from office.procedures.mailing.due_mail import send_what_is_due
from outsorting.holding import Outsorted, outsort_bill
from outsorting.releasing import Released, ReleaseTerms, release_bill
from rules.outsorting import ReleasePolicy


def hold_back(office: Office, account: str, period: str, reason: str) -> Outsorted:
    """Hold an account's bill of a period back; raises what `outsort_bill` does."""
    with _nobody_else_at(office, period):
        return outsort_bill(
            office.database, account, period, reason, now=office.moment(), who=office.who
        )


def let_go(office: Office, account: str, period: str, reason: str = "") -> Released:
    """Release an account's bill of a period; raises what `release_bill` does."""
    with _nobody_else_at(office, period):
        return release_bill(
            office.database, account, period, terms_of_release(office, period), reason
        )


def send_released(office: Office) -> SendCounts:
    """Send the e-bills that are due, those of released bills among them."""
    return send_what_is_due(office, office.due_now, lambda _counts: None, kinds=(MessageKind.BILL,))


def terms_of_release(office: Office, period: str) -> ReleaseTerms:
    """Return the terms that an office's settings make; raises Misuse for an unknown period."""
    known = get_run(office.database, period)
    return ReleaseTerms(
        now=office.now(known),
        mailed_from=office.clock.due(known.timezone),
        today=office.today(known),
        who=office.who,
        closed=office.bank_days,
        policy=ReleasePolicy(office.settings.outsort.days_to_pay, office.thresholds.notice_days),
        autopay=office.autopay_policy,
        message_domain=office.message_domain,
        posting_days=office.settings.checks.posting_days,
        delivery=office.plan_terms,
    )


@contextmanager
def _nobody_else_at(office: Office, period: str) -> Iterator[None]:
    """
    Keep a closed period's steps and print parts from running meanwhile (Refused).

    Before the close the row of the run decides who comes first, and a clerk may hold a bill while
    the close asks for a yes.
    """
    known = find_run(office.database, period)
    if known is None or not known.is_closed:
        yield
        return
    with working_on(office, period):
        yield
