"""Wallet and paperless in the books, on both databases: whose it is, and what binds to it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.books import insert_rows
from database.definitions.identity import wallet_method
from database.tables import payment_method
from domain.failures import Refused
from domain.identity import UserState
from identity.paperless import choose_paperless, delivery_of
from identity.sessions import begin_session, find_session
from identity.users import make_user
from identity.wallet import SavedMethod, choose_default, remove_method, save_method, wallet_of
from tests.builders import ACH, CARD, NOW, RUN, a_household, a_mandate, close_run, stage_run

TESS, NED = "tess@example.com", "ned@example.com"
OWN = SavedMethod("tok_ok.0123456789ab", CARD, "4242", "Visa")


def signed_in(books, address):
    user = make_user(books, address, NOW, UserState.ACTIVE)
    found = find_session(books, begin_session(books, NOW, user=user), NOW)
    assert found is not None
    return found


def wallet(books, who) -> list[str]:
    return [one.token for one in wallet_of(books, who.number, who.address)]


@pytest.fixture
def town(database):
    bound = a_mandate("01.1037.1", method_token="tok_bound", last4="0113")
    stage_run(
        database,
        a_household("01.1037.1", bound, links=((TESS, False),), ebill=False, send_paper=True),
        a_household("02.2048.2", mandates=(), links=((NED, False),)),
    )
    close_run(database)
    with database.writing() as books:
        columns = ["period", "portal_user", "token", "kind", "last4"]
        mine = (RUN, TESS, "tok_free", ACH, "6789")
        insert_rows(books, payment_method, columns, [mine])
        theirs = payment_method.update().where(payment_method.c.token == "tok_bound")
        books.execute(theirs.values(portal_user=TESS))
    return database


def test_the_exports_methods_and_our_own_are_one_wallet(town):
    """Ruling 25; rules 117, 118."""
    with town.writing() as books:
        tess, ned = signed_in(books, TESS), signed_in(books, NED)
        save_method(books, tess, OWN, NOW)
        choose_default(books, tess, OWN, NOW)

        assert [OWN.token, "tok_bound", "tok_free"] == wallet(books, tess)
        assert [] == wallet(books, ned)


def test_what_the_exports_autopay_binds_to_is_not_removed(town):
    """Ruling 12: a mandate of the export binds like one of ours."""
    with town.writing() as books:
        tess = signed_in(books, TESS)
        by_token = {one.token: one for one in wallet_of(books, tess.number, tess.address)}

        with pytest.raises(Refused) as refused:
            remove_method(books, tess, by_token["tok_bound"], NOW)
        remove_method(books, tess, by_token["tok_free"], NOW)

        assert "method-in-use" == refused.value.code
        assert "01.1037.1" in refused.value.message
        assert ["tok_bound"] == wallet(books, tess)


def test_nobody_removes_a_method_that_is_in_somebody_elses_wallet(town):
    with town.writing() as books:
        tess, ned = signed_in(books, TESS), signed_in(books, NED)
        save_method(books, tess, OWN, NOW)

        remove_method(books, ned, OWN, NOW)

        rows = wallet_method.c
        assert books.scalar(sa.select(rows.removed_at).where(rows.token == OWN.token)) is None


def test_a_choice_of_paperless_holds_for_the_account(town):
    """Rules 31-35."""
    with town.writing() as books:
        tess = signed_in(books, TESS)
        before = delivery_of(books, "0110371", TESS)
        choose_paperless(books, tess, "0110371", "01.1037.1", True, "I agree", NOW)
        after = delivery_of(books, "0110371", TESS)

    assert ((False, True), (True, False)) == (
        (before.by_mail, before.on_paper),
        (after.by_mail, after.on_paper),
    )
