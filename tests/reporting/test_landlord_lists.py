"""Landlords and what they see, listed on each database."""

from __future__ import annotations

from datetime import timedelta

from domain.identity import UserState
from identity.customer_service.landlords import LandlordAct, add_landlord, end_landlord
from identity.users import make_user
from reporting.lists.catalog import LISTS
from tests.builders import NOW, a_household, close_run, stage_run

LORD, ANN = "Lord@lets.example", "ann@lets.example"


def test_a_landlord_is_listed_with_whom_it_is_was_or_is_not(database):  # rule 133
    stage_run(
        database,
        a_household("1", cosigner_id="L1"),
        a_household("2", cosigner_id="L2"),
        landlords=[("L1", LORD), ("L2", "")],
    )
    close_run(database)
    with database.writing() as books:
        ann, lord = (make_user(books, one, NOW, UserState.ACTIVE) for one in (ANN, LORD))
        act = LandlordAct("admin 1", NOW + timedelta(days=3), "owns it")
        add_landlord(books, ann, "L2", act)
        end_landlord(books, lord, "L1", act)

    with database.reading() as books:
        listed = books.execute(LISTS["landlords"].select().order_by("cosigner_id", "state")).all()
        seen = books.execute(LISTS["landlord-accounts"].select()).all()

    assert [
        ("L1", LORD, "ended", 1, "export", "admin 1"),
        ("L1", "", "nobody", 1, "", ""),
        ("L2", ANN, "sees", 1, "office", ""),
    ] == [
        (row.cosigner_id, row.portal_user, row.state, row.accounts, row.source, row.ended_by)
        for row in listed
    ]
    assert [("L2", ANN, "2")] == [(row.cosigner_id, row.portal_user, row.account) for row in seen]
