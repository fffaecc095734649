"""Paperless: the choice, the text agreed to, and for whom it holds."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.definitions.identity import account_link, activity, paperless_choice
from database.definitions.in_force import link_in_force
from database.feed.tables import customer_choice
from database.tables import account, audit
from tests.builders import RUN
from tests.web.customers.choices.conftest import MINE, TENANT, THEIRS, words

PAGE = f"/accounts/{MINE}/paperless"
NED = f"/accounts/{THEIRS}/paperless"


def links(books) -> dict[str, bool]:
    rows = link_in_force.c
    with books.reading() as connection:
        query = sa.select(rows.mailbox, rows.paperless).where(rows.period == RUN)
        return dict(tuple(row) for row in connection.execute(query))


def flags(books, key: str, *, ebill: bool, send_paper: bool) -> None:
    with books.writing() as connection:
        mine = account.update().where(account.c.account_key == key)
        connection.execute(mine.values(ebill=ebill, send_paper=send_paper))


def choices(books) -> list[bool]:
    with books.reading() as connection:
        return list(connection.scalars(sa.select(paperless_choice.c.paperless)))


@pytest.mark.parametrize(
    ("ebill", "send_paper", "sentence", "buttons"),
    [
        (True, True, "By e-mail and on paper.", {"Go paperless", "Get paper bills"}),
        (True, False, "By e-mail, without paper.", {"Get paper bills"}),
        (False, True, "On paper.", {"Go paperless"}),
        (False, False, "On paper, because neither", {"Go paperless", "Get paper bills"}),
    ],
)
def test_each_of_the_four_states_is_said(neighbor, town, ebill, send_paper, sentence, buttons):
    """Ruling 1: both and neither are states as well."""
    flags(town, THEIRS, ebill=ebill, send_paper=send_paper)

    page = words(neighbor.get(NED))

    shown = {name for name in ("Go paperless", "Get paper bills") if name in page}
    assert (True, buttons) == (sentence in page, shown)


def test_paperless_is_chosen_with_the_text_that_was_agreed_to(neighbor, town):
    """Rules 31-35: it holds at once for the customer's own link."""
    flags(town, THEIRS, ebill=False, send_paper=True)

    answer = neighbor.post(NED, choice="paperless")
    page = words(neighbor.get(answer.headers["location"]))

    assert "You chose paperless. The billing office is told." in page
    assert "By e-mail, without paper." in page
    assert links(town)[neighbor.address]
    with town.reading() as books:
        row = books.execute(sa.select(paperless_choice)).one()
        kinds = list(books.scalars(sa.select(activity.c.kind).order_by(activity.c.number)))
        acted = sa.select(audit.c.who, audit.c.action).order_by(audit.c.id)
        audited = [tuple(one) for one in books.execute(acted)]
    assert (True, "1") == (row.paperless, row.consent_version)
    assert "instead of on paper" in row.consent_text
    assert kinds[-1] == "paperless chosen"
    assert (neighbor.who, "paperless chosen") in audited


def test_paper_is_chosen_again(tenant, town):
    """Rule 35."""
    flags(town, MINE, ebill=False, send_paper=False)

    tenant.post(PAGE, choice="paper")

    assert "On paper." in words(tenant.get(PAGE))
    assert ({TENANT: False}, [False]) == ({TENANT: links(town)[TENANT]}, choices(town))


def test_the_landlord_does_not_choose_for_the_tenant(tenant, landlord, town):
    page = landlord.get(PAGE)

    answer = landlord.post(PAGE, choice="paper")

    assert "for the customer to choose" in words(page)
    assert (403, []) == (answer.status_code, choices(town))


def test_the_account_of_somebody_else_is_not_there(neighbor, town):
    """IDOR."""
    asked, told = neighbor.get(PAGE), neighbor.post(PAGE, choice="paper")

    assert (404, 404, []) == (asked.status_code, told.status_code, choices(town))


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"csrf": "wrong", "choice": "paper"}, 403), ({"choice": "other"}, 422), ({}, 422)],
)
def test_what_is_no_choice_changes_nothing(tenant, town, fields, status):
    answer = tenant.post(PAGE, **fields)

    assert (status, []) == (answer.status_code, choices(town))


def test_how_many_others_get_the_bill_is_said_and_not_who(tenant, town):
    """Rule 25."""
    from database.books import insert_rows
    from database.tables import portal_link

    with town.writing() as books:
        columns = ["period", "account_key", "mailbox", "address", "paperless"]
        rows = [(RUN, MINE, "wife@example.com", "wife@example.com", False)]
        insert_rows(books, portal_link, columns, rows)

    page = tenant.get(PAGE)

    assert ("one other mailbox" in words(page), "wife@" in page.text) == (True, False)


def test_a_choice_keeps_the_link_it_was_made_through(tenant, town):
    tenant.post(PAGE, choice="paper")

    with town.reading() as books:
        row = books.execute(sa.select(account_link)).one()
    assert (MINE, False, None) == (row.account_key, row.paperless, row.unlinked_at)


def test_both_flags_are_told_to_the_billing_system_in_one_change(tenant, town):
    """Rules 31, 32; ruling 1."""
    tenant.post(PAGE, choice="paperless")

    assert {("ebill", "yes", tenant.who), ("send_paper", "no", tenant.who)} == told(town)


def told(books) -> set[tuple[str, str, str]]:
    rows = customer_choice.c
    with books.reading() as connection:
        query = sa.select(rows.field, rows.value, rows.by)
        return {tuple(row) for row in connection.execute(query)}
