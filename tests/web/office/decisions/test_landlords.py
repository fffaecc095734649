"""A portal user becomes a landlord at the office's page, and is one no more."""

from __future__ import annotations

import html
import io
from datetime import timedelta

import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from command_line.commands.landlord import landlord
from database.books import Database
from database.definitions.identity import activity
from database.queries.portal.accounts import accounts_of_user
from database.tables import bill_run
from domain.failures import Misuse
from domain.identity import Role, UserState
from identity.users import find_by_mailbox, make_user
from mail.recipients.addresses import read_addresses
from office.procedures.portal.landlords import link_landlord, unlink_landlord
from tests.builders import NOW, RUN, a_household, close_run, stage_run
from tests.office.health_builders import an_office_at
from tests.web.office.conftest import TRIAL
from tests.web.office.deciding_builders import decide_link, who_said

PAGE, LINK = "/office/landlords", "/office/landlords/link"
LARA, OMAR, UNA = "Lara@lets.example", "omar@lets.example", "una@lets.example"


@pytest.fixture
def office(tmp_path, books):
    """Two landlords: L1 with two accounts is Omar's by the export; L2 with one is nobody's."""
    from office.secrets.files import make_secret

    make_secret(tmp_path)
    stage_run(
        books,
        a_household("1", cosigner_id="L1", name="ABBOTT, ANN"),
        a_household("2", cosigner_id="L1"),
        a_household("3", cosigner_id="L2"),
        a_household("4", cosigner_id=""),
        landlords=[("L1", OMAR), ("L2", ""), ("L3", UNA)],
    )
    close_run(books)
    with books.writing() as opened:
        make_user(opened, LARA, NOW, UserState.ACTIVE)
        make_user(opened, OMAR, NOW, UserState.ACTIVE)
        make_user(opened, "new@lets.example", NOW, UserState.UNVERIFIED)
    return an_office_at(tmp_path, books, "2026-11-03T09:00", web=TRIAL)


def seen_by(books: Database, address: str) -> list[str]:
    with books.reading() as opened:
        user = find_by_mailbox(opened, address)
        assert user is not None
        mine = accounts_of_user(opened, user.number, user.mailbox)
    return [one.account_key for one in mine if one.is_landlords]


def mailed_for(books: Database, cosigner: str) -> set[str]:
    with books.reading() as opened:
        return {one.casefold() for one in read_addresses(opened, RUN).landlords.get(cosigner, ())}


def test_one_link_shows_all_accounts_of_a_landlord(office, signed_in):  # rules 133, 134
    browser = signed_in(Role.SUPERVISOR)
    browser.get(LINK)

    answer = browser.post(LINK, landlord="L1", address="LARA@lets.example", reason="owns both")
    listed = browser.get(answer.headers["location"]).text
    seen = browser.get(f"{PAGE}/accounts?portal_user=lara").text

    assert ["1", "2"] == seen_by(office.database, LARA)
    assert {LARA.casefold(), OMAR} == mailed_for(office.database, "L1")
    assert "The portal user is linked to the landlord" in html.unescape(listed)
    assert ("ABBOTT, ANN" in seen, "2 rows" in seen) == (True, True)
    assert ["supervisor 1"] == who_said(office, "owns both")
    with office.database.reading() as books:
        said = books.execute(sa.select(activity.c.kind, activity.c.detail, activity.c.by)).one()
    assert ("landlord linked", "L1", "supervisor 1") == tuple(said)


def test_an_ended_link_shows_and_mails_nothing_and_is_linked_again(office, signed_in):
    browser, books = signed_in(Role.ADMIN), office.database
    browser.get(LINK)
    browser.post(LINK, landlord="L2", address=LARA, reason="owns it")
    page = browser.get(decide_link(browser.get(PAGE).text, LARA)).text
    key = f"{LARA.casefold()} L2"

    ended = browser.post(f"{PAGE}/end", key=key, reason="sold the house")
    gone = (seen_by(books, LARA), mailed_for(books, "L2"))
    listed = browser.get(f"{PAGE}?state=ended").text
    browser.post(LINK, landlord="L2", address=LARA, reason="bought it back")

    assert "gets no bill of theirs by mail" in html.unescape(page)
    assert (303, ([], set())) == (ended.status_code, gone)
    assert ("sold the house" in listed, "admin 1" in listed) == (True, True)
    assert ["3"] == seen_by(books, LARA)
    assert ["admin 1"] == who_said(office, "sold the house")


def test_the_exports_landlord_stays_off_until_a_later_export(office):  # ruling 25
    books = office.database

    unlink_landlord(office, "L1", OMAR, "sold both")
    gone = (seen_by(books, OMAR), mailed_for(books, "L1"))
    with books.writing() as opened:  # as if the export had been imported after that
        later = office.moment() + timedelta(days=1)
        opened.execute(bill_run.update().values(imported_at=later))

    assert ([], set()) == gone
    assert (["1", "2"], {OMAR}) == (seen_by(books, OMAR), mailed_for(books, "L1"))


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"landlord": "L9"}, "The newest exports have no landlord 'L9'"),
        ({"address": "nobody@x.example"}, "Nobody is registered in the portal by that address"),
        ({"address": "new@lets.example"}, "Nobody is registered in the portal by that address"),
        ({"address": OMAR}, "That portal user is landlord L1 already."),
        ({"reason": " "}, "Say why: it is audited."),
        ({"landlord": ""}, "Type the landlord's number."),
        ({"address": ""}, "Type the portal user's e-mail address."),
    ],
)
def test_what_cannot_be_linked_is_said_beside_the_field(office, signed_in, told, sentence):
    browser = signed_in(Role.ADMIN)
    browser.get(LINK)

    answer = browser.post(LINK, **{"landlord": "L1", "address": LARA, "reason": "why"} | told)

    assert (422, True) == (answer.status_code, sentence in html.unescape(answer.text))
    assert [] == seen_by(office.database, LARA)


@pytest.mark.parametrize(
    ("cosigner", "address", "code"),
    [
        ("L2", OMAR, "not-linked"),
        ("L1", "nobody@x.example", "not-linked"),
        ("L3", UNA, "not-registered"),
        ("L9", OMAR, "unknown-landlord"),
    ],
)
def test_what_is_no_link_of_ours_is_not_ended(office, cosigner, address, code):
    with pytest.raises(Misuse) as refused:
        unlink_landlord(office, cosigner, address, "why")

    assert code == refused.value.code
    assert ["1", "2"] == seen_by(office.database, OMAR)


def test_every_landlord_is_listed_and_excel_has_what_the_page_shows(office, signed_in):
    link_landlord(office, "L2", LARA, "owns it")
    browser = signed_in(Role.SUPERVISOR)

    book = openpyxl.load_workbook(io.BytesIO(browser.get(f"{PAGE}/export.xlsx").content))
    rows = list(book.active.iter_rows(values_only=True))
    seen = openpyxl.load_workbook(io.BytesIO(browser.get(f"{PAGE}/accounts/export.xlsx").content))

    assert [
        ("L1", OMAR, "sees", 2, "export"),
        ("L2", LARA, "sees", 1, "office"),
        ("L3", UNA, "sees", 0, "export"),
    ] == [(row[0], row[2], row[3], int(row[4]), row[5]) for row in rows[1:]]
    assert [("L1", "1"), ("L1", "2"), ("L2", "3")] == [
        (row[0], row[3]) for row in seen.active.iter_rows(min_row=2, values_only=True)
    ]


@pytest.mark.parametrize("role", [Role.CLERK, Role.AUDITOR])
def test_who_may_not_link_sees_the_list_and_no_way_to_change_it(signed_in, role):
    page = signed_in(role).get(PAGE).text

    assert (True, False, False) == ("omar@lets" in page, "/end?" in page, LINK in page)


def test_the_command_goes_the_same_way(office, monkeypatch):
    monkeypatch.setattr("command_line.commands.landlord.open_office", lambda *_: office)
    run = CliRunner().invoke

    linked = run(landlord, ["link", "L2", LARA, "--reason", "by post", "--json"])
    seen = seen_by(office.database, LARA)
    ended = run(landlord, ["end", "L2", LARA, "--reason", "sold"])

    assert (0, ["3"]) == (linked.exit_code, seen), linked.output
    assert (0, []) == (ended.exit_code, seen_by(office.database, LARA))
    assert "is landlord L2" in ended.output and "no more" in ended.output
