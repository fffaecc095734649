"""The mail that a card which autopay draws from is soon no good: to whom, when, and once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from database.definitions.identity import wallet_method, web_user
from database.tables import delivery, enrollment, suspended_method
from domain.accounts import account_key
from domain.deliveries import DeliveryStatus
from domain.identity import UserState
from domain.payments import MethodKind
from domain.reminders import Skipped
from identity.users import make_user
from mail.letters.access import PortalLinks
from mail.notices.expiring import queue_expiring, withdraw_expiring
from mail.outbox.deliveries import COLUMNS, Delivery
from mail.port import Result
from tests.builders import CARD, NOW, a_household
from tests.mail.notices.test_announcing import close_town, terms
from tests.mail.notices.test_notices import a_renderer, told
from tests.mail.reminder_builders import mails, suppress_mailbox

TESS, LAST_DAY = "tess@example.com", date(2026, 12, 31)
FIRST, SECOND = "01.1037.1", "02.2048.2"
TOLD, BEFORE = "2026-12-01T07:00", "2026-11-30T07:00"
PORTAL = PortalLinks("https://larkspur.example")


def give_card(database, token: str = "pm_1", user: str = TESS, **changes: Any) -> None:
    """Put a card into the wallet of somebody who may be new."""
    with database.writing() as books:
        number = make_user(books, user, NOW, UserState.ACTIVE)
        facts = {
            "token": token, "user_number": number, "kind": CARD, "last4": "4242", "brand": "Visa",
            "expires_on": LAST_DAY, "added_at": NOW,
        }  # fmt: skip
        books.execute(wallet_method.insert().values(facts | changes))


def enroll(database, account: str = FIRST, token: str = "pm_1", user: str = TESS) -> None:
    with database.writing() as books:
        books.execute(
            enrollment.insert().values(
                account_key=account_key(account), account=account, portal_user=user,
                method_token=token, method_kind=CARD, last4="4242", days_prior=5,
                enrolled_on=date(2026, 11, 3), enrolled_at=NOW, enrolled_by="anna",
                consent_version="1", consent_text="x",
            )
        )  # fmt: skip


def end_autopay(database, token: str = "pm_1") -> None:
    with database.writing() as books:
        mine = enrollment.c.method_token == token
        books.execute(enrollment.update().where(mine).values(cancelled_at=NOW))


def remove_card(database) -> None:
    with database.writing() as books:
        books.execute(wallet_method.update().values(removed_at=NOW))


def replace_card(database) -> None:
    """Autopay goes on from another card, which is good for longer."""
    with database.writing() as books:
        row = books.execute(sa.select(wallet_method)).one()._asdict()
        row |= {"token": "pm_2", "expires_on": date(2029, 1, 31)}
        books.execute(wallet_method.insert().values(row))
    end_autopay(database)
    enroll(database, token="pm_2")


def suspend_card(database) -> None:
    with database.writing() as books:
        books.execute(
            suspended_method.insert().values(method_token="pm_1", since=NOW, reason="lost")
        )


@pytest.fixture
def town(database):
    """Two accounts that a card of Tess pays by autopay."""
    close_town(database, *(a_household(one, mandates=(), email="") for one in (FIRST, SECOND)))
    give_card(database)
    enroll(database)
    return database


def recorded(database) -> Delivery:
    with database.reading() as books:
        return Delivery(*books.execute(sa.select(*COLUMNS)).one())


@pytest.mark.parametrize(
    ("at", "days", "queued"),
    [
        (BEFORE, 30, 0),
        (TOLD, 30, 1),
        ("2027-01-14T07:00", 30, 1),
        ("2027-01-15T07:00", 30, 0),
        (BEFORE, 31, 1),
        (TOLD, 0, 0),
    ],
)
def test_a_card_is_told_of_some_days_before_its_last_and_two_weeks_after_it(town, at, days, queued):
    assert queued == queue_expiring(town, terms(at, method_expiring_days=days)).queued


def test_each_card_is_told_of_once_for_each_last_month_however_many_accounts_it_pays(town):
    enroll(town, SECOND)
    looked = queue_expiring(town, terms(TOLD, records=False)).queued
    first = queue_expiring(town, terms(TOLD)).queued
    end_autopay(town)
    enroll(town, SECOND)
    second = queue_expiring(town, terms("2026-12-02T07:00")).queued
    with town.writing() as books:
        books.execute(wallet_method.update().values(expires_on=date(2027, 1, 31)))
    renewed = queue_expiring(town, terms("2027-01-05T07:00")).queued

    assert (1, 1, 0, 1) == (looked, first, second, renewed)
    assert [(FIRST, TESS), (SECOND, TESS)] == mails(town, "account", "address")
    with town.reading() as books:
        assert "pm_1" not in " ".join(books.scalars(sa.select(delivery.c.key)))


@pytest.mark.parametrize(
    "change",
    [
        {"kind": MethodKind.ACH},
        {"expires_on": None},
        {"removed_at": NOW},
    ],
)
def test_what_is_no_card_with_a_last_day_in_a_wallet_is_not_told_of(town, change):
    with town.writing() as books:
        books.execute(wallet_method.update().values(change))

    assert 0 == queue_expiring(town, terms(TOLD)).queued


def test_a_card_that_pays_nothing_is_not_told_of(town):
    give_card(town, "pm_2", "ned@example.com")
    end_autopay(town)

    assert 0 == queue_expiring(town, terms(TOLD)).queued


def test_a_mailbox_that_no_mail_reaches_is_counted(town):
    suppress_mailbox(town, TESS)

    counts = queue_expiring(town, terms(TOLD))

    assert (0, {Skipped.SUPPRESSED: 1}) == (counts.queued, counts.skipped)


@pytest.mark.parametrize("change", [remove_card, end_autopay, replace_card, suspend_card])
def test_what_is_not_so_any_more_is_taken_back_while_it_waits_and_does_not_leave(town, change):
    queue_expiring(town, terms(TOLD))
    row = recorded(town)
    kept = withdraw_expiring(town, terms(TOLD))

    change(town)

    (made,) = a_renderer(town)([row])
    assert (0, Result.FAILED, 1) == (kept, made.result, withdraw_expiring(town, terms(TOLD)))
    assert [] == mails(town)


def test_a_mail_that_left_is_not_taken_back(town):
    queue_expiring(town, terms(TOLD))
    with town.writing() as books:
        books.execute(delivery.update().values(status=DeliveryStatus.SENT))
    end_autopay(town)

    assert 0 == withdraw_expiring(town, terms(TOLD))
    assert 1 == len(mails(town))


@pytest.mark.parametrize(
    ("language", "accounts", "subject", "said"),
    [
        (
            "en",
            (FIRST,),
            "Your Visa ending 4242 expires, account 01.1037.1",
            "Autopay pays this account from your Visa ending 4242, which is good until December "
            "31, 2026 and no longer.",
        ),
        (
            "es",
            (FIRST, SECOND),
            "Su Visa terminada en 4242 vence",
            "El pago automático paga sus cuentas con su Visa terminada en 4242, que es válida "
            "hasta el 31 de diciembre de 2026 y no después.",
        ),
    ],
)
def test_its_owner_reads_until_when_it_is_good_and_where_to_give_a_new_one(
    town, language, accounts, subject, said
):
    with town.writing() as books:
        books.execute(web_user.update().values(language=language))
    for number in accounts[1:]:
        enroll(town, number)
    queue_expiring(town, terms(TOLD))

    message = told(town, recorded(town), portal_links=PORTAL)

    assert subject == message["Subject"]
    for kind in ("plain", "html"):
        text = " ".join(message.get_body((kind,)).get_content().split())
        assert "https://larkspur.example/wallet" in text
        assert all(number in text for number in accounts)
    assert said in " ".join(message.get_body(("plain",)).get_content().split())
