"""What customer service is refused, and whom an invitation mails, by the state of a portal user."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.identity import account_link, activity, address_change, web_user
from domain.customer_service import StaffAct
from domain.failures import Refused
from domain.identity import UserState, mailbox_of
from identity.account_links import unlink_account
from identity.customer_service.inviting import invite, send_access_mail
from identity.customer_service.locking import delete_user, lock_user, unlock_user
from identity.customer_service.recovery import make_recovery_code, revoke_recovery_code
from identity.tokens import LinkTokens
from identity.users import find_user, make_user, set_password
from tests.builders import NOW, RUN, a_household, close_run, stage_run

TOKENS, ACT = LinkTokens(b"secret of the home"), StaffAct("csr 1", "misuse")
ANN, BY = "ann@portal.example", "csr 1"
OUT = [UserState.LOCKED, UserState.DELETED]


@pytest.fixture
def town(database):
    stage_run(database, a_household("01", mandates=()))
    close_run(database)
    return database


def a_user(database, state=UserState.ACTIVE, *, password=False) -> int:
    with database.writing() as books:
        number = make_user(books, ANN, NOW, state)
        if password:
            set_password(books, number, "kept", NOW)
    return number


def invited(database, address=ANN):
    with database.writing() as books:
        return invite(books, TOKENS, RUN, "01", address, BY, NOW)


def linked(database) -> list[int]:
    row = account_link.c
    with database.reading() as books:
        return list(books.scalars(sa.select(row.user_number).where(row.unlinked_at.is_(None))))


def refused(database, act, *arguments) -> str:
    with pytest.raises(Refused) as no, database.writing() as books:
        act(books, *arguments)
    return no.value.code


@pytest.mark.parametrize("state", OUT)
def test_rule_154_nobody_who_is_locked_is_invited_mailed_or_given_a_code(town, state):
    number = a_user(town, state)
    with town.reading() as books:
        user = find_user(books, number)

    codes = [
        refused(town, invite, TOKENS, RUN, "01", ANN, BY, NOW),
        refused(town, send_access_mail, TOKENS, user, BY, NOW),
        refused(town, make_recovery_code, TOKENS, number, BY, NOW),
    ]

    assert ["locked-already", "locked-already", "not-recoverable"] == codes
    assert [] == linked(town)


@pytest.mark.parametrize(
    ("days", "is_stopped", "is_free"), [(6, False, False), (8, False, True), (6, True, True)]
)
def test_an_address_that_was_left_a_week_ago_may_be_invited(town, days, is_stopped, is_free):
    at = NOW - timedelta(days=days)
    number = a_user(town)
    with town.writing() as books:
        books.execute(
            address_change.insert().values(
                user_number=number, from_mailbox="old@portal.example", proof="1", stop="2",
                from_address="old@portal.example", to_mailbox=mailbox_of(ANN), to_address=ANN,
                asked_at=at, changed_at=at, stopped_at=at if is_stopped else None,
            )
        )  # fmt: skip

    if is_free:
        assert 1 == len(invited(town, "old@portal.example"))
    else:
        assert "address-left" == refused(
            town, invite, TOKENS, RUN, "01", "old@portal.example", BY, NOW
        )


def test_who_has_a_password_is_linked_once_and_not_mailed(town):
    number = a_user(town, password=True)

    assert [(), ()] == [invited(town), invited(town)]
    assert [number] == linked(town)


def test_who_is_invited_again_without_a_password_is_mailed_again_and_linked_once(town):
    mails = [invited(town), invited(town)]

    assert [["invitation"]] * 2 == [[mail.form for mail in told] for told in mails]
    assert 1 == len(linked(town))


def test_what_was_taken_off_by_staff_is_linked_by_an_invitation_again(town):
    number = a_user(town, password=True)
    invited(town)
    with town.writing() as books:
        unlink_account(books, number, "01", NOW, BY)

    invited(town)

    assert [number] == linked(town)


@pytest.mark.parametrize(
    ("state", "act", "code"),
    [
        *((state, lock_user, "locked-already") for state in OUT),
        *((state, unlock_user, "not-locked") for state in UserState if state not in OUT),
        (UserState.DELETED, delete_user, "deleted-already"),
    ],
)
def test_what_is_so_already_is_refused_and_nothing_is_written(town, state, act, code):
    number = a_user(town, state)
    with town.reading() as books:
        before = books.execute(sa.select(web_user)).one()

    assert code == refused(town, act, number, ACT, NOW)
    with town.reading() as books:
        assert before == books.execute(sa.select(web_user)).one()


@pytest.mark.parametrize("act", [lock_user, unlock_user, delete_user])
def test_a_number_that_no_portal_user_has_is_refused(town, act):
    assert "unknown-user" == refused(town, act, 77, ACT, NOW)


def test_withdrawing_a_code_where_there_is_none_leaves_no_trace(town):
    number = a_user(town)

    with town.writing() as books:
        revoke_recovery_code(books, number, BY, NOW)
        make_recovery_code(books, TOKENS, number, BY, NOW)
        revoke_recovery_code(books, number, BY, NOW)
        revoke_recovery_code(books, number, BY, NOW)

    with town.reading() as books:
        kinds = list(books.scalars(sa.select(activity.c.kind).order_by(activity.c.number)))
    assert ["recovery code made", "recovery code revoked"] == kinds
