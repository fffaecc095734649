"""What is in force of the billing system's rows and our own: one set for all (ruling 25)."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.identity import account_link, landlord_link, wallet_method, web_user
from database.definitions.in_force import landlord_in_force, link_in_force, wallet_in_force
from database.definitions.wallet import method_in_force
from database.queries.mandates import mandates_in_force
from database.queries.portal.accounts import accounts_of_user
from database.tables import enrollment, payment_method
from domain.identity import LinkProof, UserState
from domain.payments import MethodKind
from identity.account_links import add_link, unlink_account
from identity.users import make_user
from tests.builders import NOW, RUN, a_household, close_run, stage_run

BOB, LORD = "Bob@Portal.example", "lord@portal.example"
LATER = NOW + timedelta(days=3)


@pytest.fixture
def town(database):
    """Two closed accounts: one linked by the export to Bob, one let by a landlord."""
    stage_run(
        database,
        a_household("1", links=((BOB, False),), cosigner_id=""),
        a_household("2", links=(), cosigner_id="L1"),
        landlords=[("L1", LORD)],
    )
    close_run(database)
    return database


def user_of(books, address, state=UserState.ACTIVE) -> int:
    return make_user(books, address, NOW, state)


def links(database) -> list[tuple[str, str, bool]]:
    rows = link_in_force.c
    with database.reading() as books:
        query = sa.select(rows.account_key, rows.mailbox, rows.paperless).where(rows.period == RUN)
        return sorted(tuple(row) for row in books.execute(query))


def test_without_portal_rows_the_export_is_the_whole_truth(town):
    assert [("1", BOB.casefold(), False)] == links(town)


def test_a_link_made_here_counts_beside_the_exports(town):
    with town.writing() as books:
        add_link(books, user_of(books, "ann@x.example"), "1", LinkProof.NAME, LATER, "ann")

    assert [("1", "ann@x.example", False), ("1", BOB.casefold(), False)] == links(town)


def test_the_same_person_by_both_ways_counts_once(town):
    with town.writing() as books:
        add_link(books, user_of(books, BOB.upper()), "1", LinkProof.NAME, LATER, "bob")

    assert [("1", BOB.casefold(), False)] == links(town)


def test_what_is_unlinked_here_stays_away_until_a_later_export_has_it_again(town):
    with town.writing() as books:
        bob = user_of(books, BOB)
        unlink_account(books, bob, "1", LATER, "the customer")
        mine = accounts_of_user(books, bob, BOB.casefold())
    gone = links(town)
    with town.writing() as books:  # as if it had been before the export was imported
        books.execute(account_link.update().values(unlinked_at=NOW - timedelta(days=90)))

    assert ([], []) == (gone, mine)
    assert [("1", BOB.casefold(), False)] == links(town)


def test_an_own_choice_of_paperless_wins_over_an_older_export(town):
    with town.writing() as books:
        add_link(books, user_of(books, BOB), "1", LinkProof.NAME, LATER, "bob")
        books.execute(account_link.update().values(paperless=True, paperless_at=LATER))

    assert [("1", BOB.casefold(), True)] == links(town)


@pytest.mark.parametrize("state", [UserState.INVITED, UserState.UNVERIFIED, UserState.DELETED])
def test_who_cannot_sign_in_gets_no_mail_of_an_account(town, state):
    with town.writing() as books:
        add_link(books, user_of(books, "ann@x.example", state), "2", LinkProof.STAFF, LATER, "csr")

    assert [("1", BOB.casefold(), False)] == links(town)


def test_a_registered_landlord_stands_beside_the_exports(town):
    with town.writing() as books:
        ann = user_of(books, "ann@x.example")
        books.execute(
            landlord_link.insert().values(
                user_number=ann, cosigner_id="L1", linked_at=LATER, linked_by="csr 1"
            )
        )
        theirs = accounts_of_user(books, ann, "ann@x.example")
        query = sa.select(landlord_in_force.c.portal_user).where(landlord_in_force.c.period == RUN)
        both = set(books.scalars(query))

    assert {LORD, "ann@x.example"} == both
    assert [("2", True)] == [(one.account_key, one.is_landlords) for one in theirs]


def test_a_method_added_here_is_in_every_periods_wallet_and_an_import_takes_none_away(town):
    with town.writing() as books:
        _add_method(books, user_of(books, BOB), "tok_portal")
        query = sa.select(wallet_in_force.c.token).where(wallet_in_force.c.period == RUN)
        tokens = set(books.scalars(query))

    assert "tok_portal" in tokens


def test_autopay_by_a_method_of_the_portal_survives_the_next_import(town):
    with town.writing() as books:
        _add_method(books, user_of(books, BOB), "tok_portal")
        books.execute(
            enrollment.insert().values(
                account_key="1", account="1", portal_user=BOB.casefold(),
                method_token="tok_portal", method_kind=MethodKind.CARD, last4="4242",
                days_prior=5, enrolled_on=NOW.date(), enrolled_at=NOW - timedelta(days=60),
                **_consent(),
            )
        )  # fmt: skip
        kinds = books.execute(sa.select(mandates_in_force(RUN, "1"))).one()

    assert ("tok_portal", MethodKind.CARD) == (kinds.method_token, kinds.method_kind)


def test_what_was_removed_here_is_in_no_wallet(town):
    with town.writing() as books:
        _add_method(books, user_of(books, BOB), "tok_portal")
        books.execute(wallet_method.update().values(removed_at=LATER))
        query = sa.select(wallet_in_force.c.token).where(wallet_in_force.c.period == RUN)
        tokens = set(books.scalars(query))

    assert "tok_portal" not in tokens


def test_a_method_found_by_its_key_is_the_method_of_the_whole_wallet(town):
    removals = (None, NOW - timedelta(days=90), LATER)
    added = [None, *itertools.product(removals, UserState)]
    tokens = [f"tok_{at}" for at, _ in enumerate(itertools.product((None, "", *UserState), added))]

    with town.writing() as books:
        for token, (owner, own) in zip(
            tokens, itertools.product((None, "", *UserState), added), strict=True
        ):
            _in_both_wallets(books, token, owner, own)
        view = wallet_in_force.c
        whole = sa.select(view.token, view.kind, view.last4, view.portal_user)
        expected = sorted(books.execute(whole.where(view.period == RUN, view.token.in_(tokens))))
        asked = sa.union_all(*(sa.select(sa.literal(one).label("token")) for one in tokens))
        named = asked.subquery("named")
        found = method_in_force(sa.literal(RUN), named.c.token)
        query = found.joined_to(
            sa.select(named.c.token, found.kind, found.last4, found.portal_user).select_from(named)
        )
        rows = books.execute(query).all()

    assert len(tokens) == len(rows)
    assert 0 < len(expected) < len(tokens)
    assert expected == sorted(row for row in rows if row[1] is not None)


def _in_both_wallets(books, token, owner, own) -> None:
    """Put a method into the export (None: it has it not) and into ours (None: likewise)."""
    if owner is not None:
        mailbox = f"owner.{owner or 'unknown'}@x.example"
        if owner:
            _user_once(books, mailbox, owner)
        books.execute(
            payment_method.insert().values(
                period=RUN, token=token, portal_user=mailbox, kind=MethodKind.ACH, last4="1881"
            )
        )
    if own is not None:
        removed_at, state = own
        holder = _user_once(books, f"holder.{state}@x.example", state)
        _add_method(books, holder, token)
        gone = wallet_method.update().where(wallet_method.c.token == token)
        books.execute(gone.values(removed_at=removed_at))


def _user_once(books, address: str, state: UserState) -> int:
    known = sa.select(web_user.c.number).where(web_user.c.mailbox == address)
    return books.scalar(known) or user_of(books, address, state)


def test_one_mailbox_is_one_user(town):
    with town.writing() as books:
        user_of(books, BOB)

    with pytest.raises(sa.exc.IntegrityError), town.writing() as books:
        user_of(books, BOB.upper())
    with town.reading() as books:
        assert 1 == books.scalar(sa.select(sa.func.count()).select_from(web_user))


def _add_method(books, user: int, token: str) -> None:
    books.execute(
        wallet_method.insert().values(
            token=token, user_number=user, kind=MethodKind.CARD, last4="4242", added_at=LATER
        )
    )


def _consent() -> dict[str, object]:
    """What an enrollment has besides, whatever it is: every column that must be filled."""
    own = {"account_key", "account", "portal_user", "method_token", "method_kind", "last4",
           "days_prior", "enrolled_on", "enrolled_at", "id"}  # fmt: skip
    return {
        column.name: "x" if isinstance(column.type, sa.String) else True
        for column in enrollment.columns
        if not column.nullable and column.name not in own and column.server_default is None
    }
