"""What an export says of an address that a portal user has left is of that user (ruling 25)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from database import tables
from database.definitions.identity import address_change, web_user
from database.queries.customers.moved_mailboxes import (
    Mailbox,
    is_named,
    move_mailbox,
    moved_mailboxes,
)
from domain.identity import UserState
from identity.users import make_user
from tests.billing_system.test_importing import NOW, an_export, bring_in, rows
from tests.builders_export import COSIGNER, PORTAL_LINK, PORTAL_USER, a_table

OLD, NEW = "sven@example.com", "Sven.New@example.org"
MAILBOX = NEW.casefold()


def moved(database, old: str = OLD, new: str = NEW, *, stopped: bool = False) -> int:
    """A portal user who signed in with one address and now signs in with another."""
    with database.writing() as books:
        user = make_user(books, old if stopped else new, NOW, UserState.ACTIVE)
        books.execute(
            address_change.insert().values(
                user_number=user, from_mailbox=old, from_address=old, to_mailbox=new.casefold(),
                to_address=new, proof="p", stop="s", asked_at=NOW, changed_at=NOW,
                stopped_at=NOW if stopped else None,
            )
        )  # fmt: skip
    return user


def said(database) -> dict[str, set[str]]:
    """Whom each table of the export names."""
    return {
        "users": {row["address"] for row in rows(database, tables.portal_user)},
        "links": {row["address"] for row in rows(database, tables.portal_link)},
        "landlords": {row["portal_user"] for row in rows(database, tables.cosigner)},
        "methods": {row["portal_user"] for row in rows(database, tables.payment_method)},
        "mandates": {row["portal_user"] for row in rows(database, tables.mandate)},
    }


def whole(tmp_path, **changes):
    return an_export(
        tmp_path, cosigners=a_table(COSIGNER | {"portal_user": "SVEN@example.com"}), **changes
    )


def test_an_export_that_comes_later_means_whoever_left_the_address(database, tmp_path):
    moved(database)

    bring_in(database, tmp_path, whole(tmp_path))

    lower = {MAILBOX}
    assert said(database) == {
        "users": {NEW}, "links": {NEW}, "landlords": lower, "methods": lower, "mandates": lower,
    }  # fmt: skip


def test_a_change_that_was_stopped_moves_nothing(database, tmp_path):
    moved(database, stopped=True)

    bring_in(database, tmp_path, whole(tmp_path))

    assert {OLD} == said(database)["users"] == said(database)["methods"]


@pytest.mark.parametrize(("old", "new"), [("Y", "N"), ("N", "Y"), ("Y", "Y"), ("N", "N")])
def test_where_both_addresses_are_listed_they_are_one_and_paperless_is_what_either_is(
    database, tmp_path, old, new
):
    moved(database)
    links = a_table(PORTAL_LINK | {"paperless": old}, PORTAL_LINK | {
        "portal_user": NEW, "paperless": new,
    })  # fmt: skip
    users = a_table(PORTAL_USER, {"email": NEW, "name": "Sven"})

    outcome = bring_in(database, tmp_path, whole(tmp_path, portal_links=links, portal_users=users))

    assert 0 == outcome.problems
    assert [MAILBOX] == [row["mailbox"] for row in rows(database, tables.portal_user)]
    assert [(MAILBOX, "Y" in (old, new))] == [
        (row["mailbox"], row["paperless"]) for row in rows(database, tables.portal_link)
    ]


def test_what_was_imported_before_is_moved_and_moved_back(database, tmp_path):
    bring_in(database, tmp_path, whole(tmp_path))
    before = {table.name: rows(database, table) for table in tables.metadata.sorted_tables}
    with database.writing() as books:
        assert (is_named(books, OLD), is_named(books, MAILBOX)) == (True, False)
        move_mailbox(books, OLD, Mailbox(MAILBOX, NEW))
    there = said(database)
    with database.writing() as books:
        assert (is_named(books, OLD), is_named(books, MAILBOX)) == (False, True)
        move_mailbox(books, MAILBOX, Mailbox(OLD, OLD))

    assert ({NEW}, {MAILBOX}) == (there["links"], there["mandates"])
    after = {table.name: rows(database, table) for table in tables.metadata.sorted_tables}
    for name, column in (("portal_user", "address"), ("portal_link", "address")):
        for row in (*before[name], *after[name]):
            row[column] = str(row[column]).casefold()  # letters' case of the export is not kept
    assert before == after


def test_of_a_mailbox_that_two_have_left_the_first_ones_rows_stay_theirs(database):
    moved(database)
    second = moved(database, OLD, "later@example.org")

    with database.reading() as books:
        assert {OLD: Mailbox(MAILBOX, NEW)} == moved_mailboxes(books)
        assert second == books.scalar(sa.select(sa.func.max(web_user.c.number)))


def test_whoever_moved_on_twice_and_back_is_found_by_each(database):
    user = moved(database)
    with database.writing() as books:
        books.execute(
            address_change.insert().values(
                user_number=user, from_mailbox=MAILBOX, from_address=NEW, to_mailbox="third@x.org",
                to_address="third@x.org", proof="p2", stop="s2", asked_at=NOW,
                changed_at=NOW + timedelta(days=2),
            )
        )  # fmt: skip
        books.execute(web_user.update().values(mailbox="third@x.org", address="third@x.org"))
        third = Mailbox("third@x.org", "third@x.org")
        assert {OLD: third, MAILBOX: third} == moved_mailboxes(books)
        books.execute(web_user.update().values(mailbox=OLD, address=OLD))
        assert {MAILBOX: Mailbox(OLD, OLD)} == moved_mailboxes(books)
