"""Mails that failed, addresses that are written to no more, bounces that nobody could judge."""

from __future__ import annotations

from mail.bounces.processing import settle_bounces
from mail.outbox.decisions import DeliveryDecision, confirm, send_again
from mail.recipients.suppressed import lift
from web.office.decisions.deciding import DecidedRow, RowDecision, Way
from web.office.pages import page_of
from web.visits import Visit


def _mail(visit: Visit, decided: DecidedRow) -> DeliveryDecision:
    office = visit.office
    return DeliveryDecision(office.who, decided.reason, office.moment(), office.due_now())


def _send_again(visit: Visit, decided: DecidedRow) -> None:
    send_again(visit.office.database, [decided.key], _mail(visit, decided))
    visit.wake_mail()


def _confirm(visit: Visit, decided: DecidedRow) -> None:
    confirm(visit.office.database, [decided.key], _mail(visit, decided))


def _lift(visit: Visit, decided: DecidedRow) -> None:
    office = visit.office
    lift(office.database, decided.key, decided.reason, now=office.moment(), who=office.who)


def _settle(visit: Visit, decided: DecidedRow, *, failed: bool) -> None:
    office = visit.office
    settle_bounces(
        office.database,
        [decided.key],
        decided.reason,
        failed=failed,
        now=office.moment(),
        who=office.who,
    )


def _take_as_failed(visit: Visit, decided: DecidedRow) -> None:
    _settle(visit, decided, failed=True)


def _take_off(visit: Visit, decided: DecidedRow) -> None:
    _settle(visit, decided, failed=False)


EMAILS: tuple[RowDecision, ...] = (
    RowDecision(
        page_of("deliveries"),
        "/office/emails/decide",
        "An email that did not arrive, or may not have",
        "In doubt means that the mail server may have it: sent again, it may arrive twice.",
        (
            Way("again", "Send it again", "The email is sent again now.", _send_again),
            Way(
                "arrived",
                "It was sent: the mail server's log says so",
                "The email counts as sent.",
                _confirm,
            ),
        ),
    ),
    RowDecision(
        page_of("suppressed-addresses"),
        "/office/emails/suppressed/decide",
        "An address that is written to no more",
        "Write to it again once it is corrected, or its mailbox is back.",
        (Way("lifted", "Write to it again", "The address is written to again.", _lift),),
    ),
    RowDecision(
        page_of("bounces"),
        "/office/emails/bounces/decide",
        "An email that came back",
        "Nobody could tell what it says. If the email did not arrive, its bill goes on paper.",
        (
            Way(
                "failed",
                "It did not arrive: put the bill on paper",
                "The email counts as failed; its bill is printed with the next part.",
                _take_as_failed,
            ),
            Way("settled", "It is nothing: take it off", "It is off the list.", _take_off),
        ),
    ),
)
