"""Another address to sign in with: proved at the new one, told to the one so far, stopped there."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.identity import (
    activity,
    address_change,
    credential,
    one_time_link,
    passkey,
    web_user,
)
from database.definitions.in_force import link_in_force, wallet_in_force
from database.tables import delivery, payment_method, portal_link, unsubscribed_address
from domain.customer_service import StaffAct
from domain.identity import LinkKind, UserState
from identity.customer_service.locking import delete_user, lock_user
from identity.new_address import find_address_change
from identity.one_time_links import make_link
from identity.passwords import Passwords
from identity.users import find_by_mailbox, make_user, set_password
from office.procedures.portal.method_link import send_method_link
from tests.builders import NOW
from tests.web.customers.choices.conftest import words
from tests.web.customers.conftest import (
    ANN,
    BOB,
    PASSWORD,
    Browser,
    app,
    browser,
    office,
    register,
)
from web.desk import desk_of

__all__ = ["app", "browser", "office"]  # of the portal's own pages
NEW = "ann.new@portal.example"
OTHER = "a phrase that Ann made up"
MINE = "0110371"
HOURS = timedelta(hours=1)


def token_of(office, kind: LinkKind, *, nth: int = -1) -> str:
    """The token of a link of a kind, the newest unless said otherwise."""
    row = one_time_link.c
    with office.database.reading() as books:
        keys = sa.select(row.key).where(row.kind == kind).order_by(row.made_at, sa.text("rowid"))
        return office.link_tokens.token(list(books.scalars(keys))[nth])


def code_of(office) -> str:
    row = one_time_link.c
    with office.database.reading() as books:
        good = sa.select(row.key).where(
            row.kind == LinkKind.NEW_ADDRESS, row.revoked_at.is_(None), row.used_at.is_(None)
        )
        return office.link_tokens.code(books.scalar(good))


def mailed(office) -> list[tuple[str, str]]:
    with office.database.reading() as books:
        rows = sa.select(delivery.c.form, delivery.c.address)
        return sorted(tuple(row) for row in books.execute(rows))


def addresses(office) -> list[str]:
    with office.database.reading() as books:
        return list(books.scalars(sa.select(web_user.c.address).order_by(web_user.c.number)))


def kinds(office) -> list[str]:
    with office.database.reading() as books:
        return list(books.scalars(sa.select(activity.c.kind).order_by(activity.c.number)))


def later(office, **by) -> Browser:
    """A browser before the same office some time later."""
    clock = dataclasses.replace(office.clock, as_of=office.clock.as_of + timedelta(**by))
    return Browser(desk_of(dataclasses.replace(office, clock=clock)))


@pytest.fixture
def ann(office, browser):
    register(office, ANN, accounts=(MINE,))
    browser.sign_in()
    browser.get("/account/address")
    return browser


def ask(browser, address: str = NEW, password: str = PASSWORD):
    browser.get("/account/address")
    return browser.post("/account/address", email=address, current=password)


def prove(office, browser):
    browser.get("/account/address/code")
    return browser.post("/account/address/code", code=code_of(office))


def test_both_addresses_are_written_to_and_nothing_changes_before_the_new_one_is_proved(
    office, ann
):
    answer = ask(ann)

    assert (303, "/account/address/code") == (answer.status_code, answer.headers["location"])
    assert [("access-address-asked", ANN), ("access-new-address", NEW)] == mailed(office)
    assert [ANN] == addresses(office)
    assert NEW in ann.get("/account/address/code").text
    assert "new address asked for" in kinds(office)


def test_the_six_digits_change_it_and_end_every_other_session(office, app, ann):
    elsewhere = Browser(app)
    elsewhere.sign_in()
    ask(ann)

    answer = prove(office, ann)

    assert "/account?done=address" == answer.headers["location"]
    assert [NEW] == addresses(office)
    assert 200 == ann.get("/").status_code and NEW in ann.get("/account").text
    assert "/sign-in?next=/" == elsewhere.get("/").headers["location"]
    assert ("access-address-changed", ANN) in mailed(office)
    assert 422 == Browser(app).sign_in(ANN).status_code
    assert 303 == Browser(app).sign_in(NEW).status_code
    assert "sign-in address changed" in kinds(office)


def test_the_link_changes_it_by_its_button_alone_whoever_looks_before(office, app, ann):
    ask(ann)
    path = f"/new-address/{token_of(office, LinkKind.NEW_ADDRESS)}"
    phone = Browser(app)
    looked = [phone.get(path), phone.get(path), phone.head(path)]
    before = addresses(office)

    pressed = phone.send(path)

    assert ([200, 200, 200], [ANN]) == ([one.status_code for one in looked], before)
    assert "/sign-in?done=address" == pressed.headers["location"]
    assert ([NEW], 410) == (addresses(office), phone.send(path).status_code)
    assert "/sign-in?next=/" == ann.get("/").headers["location"]
    done = words(phone.get("/sign-in?done=address"))
    assert "You sign in with the new address from now on." in done


def test_in_the_browser_that_asked_the_link_goes_on_with_the_session(office, ann):
    ask(ann)

    pressed = ann.send(f"/new-address/{token_of(office, LinkKind.NEW_ADDRESS)}")

    assert "/account?done=address" == pressed.headers["location"]
    assert "You sign in with the new address" in ann.get("/account?done=address").text


@pytest.mark.parametrize(
    ("address", "password", "sentence"),
    [
        ("nobody", PASSWORD, "in the form name@example.com"),
        ("", PASSWORD, "in the form name@example.com"),
        (f"  {ANN.upper()} ", PASSWORD, "the address that you sign in with now"),
        (NEW, "wrong", "not your current password"),
        (NEW, "", "not your current password"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nobody_is_written_to(
    office, ann, address, password, sentence
):
    answer = ask(ann, address, password)

    assert (422, True) == (answer.status_code, sentence in answer.text)
    assert [] == mailed(office)


def test_a_wrong_password_is_counted_as_everywhere(office, ann):
    tried = [ask(ann, password="wrong").status_code for _ in range(5)]

    right = ask(ann)

    assert ([422] * 5, 429) == (tried, right.status_code)
    assert [] == mailed(office)


def test_five_wrong_codes_end_the_code_and_the_link(office, ann):
    ask(ann)
    token, right = token_of(office, LinkKind.NEW_ADDRESS), code_of(office)
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    ann.get("/account/address/code")

    said = [ann.post("/account/address/code", code=wrong) for _ in range(5)]
    then = ann.post("/account/address/code", code=right)

    assert [422] * 5 == [one.status_code for one in said]
    assert "New email address" in said[-1].text  # asked for the address again
    assert 422 == then.status_code and [ANN] == addresses(office)
    assert 410 == ann.get(f"/new-address/{token}").status_code


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef"])
def test_what_are_no_six_digits_is_no_try(office, ann, code):
    ask(ann)
    ann.get("/account/address/code")

    said = [ann.post("/account/address/code", code=code).status_code for _ in range(6)]

    assert [422] * 6 == said
    assert 303 == prove(office, ann).status_code


def test_the_newest_message_alone_counts(office, ann):
    ask(ann, "ann.typo@portal.example")
    old = token_of(office, LinkKind.NEW_ADDRESS)
    ask(ann)

    over = ann.send(f"/new-address/{old}")

    assert 410 == over.status_code
    assert 303 == prove(office, ann).status_code and [NEW] == addresses(office)


def test_whoever_thinks_better_of_it_keeps_the_address(office, ann):
    ask(ann)
    token = token_of(office, LinkKind.NEW_ADDRESS)
    ann.get("/account/address/code")

    kept = ann.post("/account/address/keep")

    assert "/account?done=kept" == kept.headers["location"]
    assert 410 == ann.get(f"/new-address/{token}").status_code
    assert "/account/address" == ann.get("/account/address/code").headers["location"]


def test_a_day_later_the_link_is_over(office, ann):
    ask(ann)

    late = later(office, hours=24, seconds=1).get(
        f"/new-address/{token_of(office, LinkKind.NEW_ADDRESS)}"
    )

    assert 410 == late.status_code


def test_more_than_five_a_day_are_not_asked_for(office, ann):
    asked = [ask(ann, f"ann{number}@portal.example").status_code for number in range(5)]

    sixth = ask(ann)

    assert ([303] * 5, 429) == (asked, sixth.status_code)
    assert "in 24 hours" in sixth.text


# --- somebody else's address


def somebody_elses(office, how: str) -> str:
    """An address that is taken, in one of the ways in which one can be."""
    if how == "registered":
        register(office, BOB)
        return BOB
    if how == "invited":
        with office.database.writing() as books:
            make_user(books, BOB, NOW, UserState.INVITED)
        return BOB
    if how == "deleted":
        user = register(office, BOB)
        with office.database.writing() as books:
            delete_user(books, user, StaffAct("csr 1", "moved away"), NOW)
        return BOB
    with office.database.writing() as books:
        books.execute(
            portal_link.insert().values(
                period="2026-10", account_key="0220002", mailbox=BOB, address=BOB, paperless=False
            )
        )
    return BOB


@pytest.mark.parametrize("how", ["registered", "invited", "deleted", "in the export"])
def test_an_address_of_somebody_else_cannot_be_taken_and_whoever_asks_sees_no_difference(
    office, ann, how
):
    free = ask(ann)
    free_page = words(ann.get("/account/address/code")).replace(NEW, "X")
    taken_address = somebody_elses(office, how)

    taken = ask(ann, taken_address)

    assert (free.status_code, free.headers["location"]) == (
        taken.status_code, taken.headers["location"],
    )  # fmt: skip
    assert free_page == words(ann.get("/account/address/code")).replace(BOB, "X")
    assert ("access-address-taken", BOB) in mailed(office)
    assert ("access-new-address", BOB) not in mailed(office)
    assert 422 == prove(office, ann).status_code  # though nobody could know these digits
    assert ANN in addresses(office)


def test_a_registration_that_nobody_proved_is_in_nobodys_way(office, app, ann):
    stranger = Browser(app)
    stranger.send("/register", email=NEW, password=OTHER, again=OTHER)
    verifying = token_of(office, LinkKind.VERIFY)
    ask(ann)

    done = prove(office, ann)

    assert "/account?done=address" == done.headers["location"]
    assert NEW == addresses(office)[0] and NEW not in addresses(office)[1:]
    assert 422 == stranger.sign_in(NEW, OTHER).status_code
    assert 410 == stranger.get(f"/verify/{verifying}").status_code
    assert 303 == Browser(app).sign_in(NEW).status_code


def test_whoever_registers_the_new_address_meanwhile_keeps_it(office, ann):
    ask(ann)
    token = token_of(office, LinkKind.NEW_ADDRESS)
    register(office, NEW)

    answer = ann.send(f"/new-address/{token}")

    assert 410 == answer.status_code
    assert [ANN, NEW] == addresses(office)


# --- the day after


def test_for_a_day_no_method_is_added_and_no_other_address_asked_for(office, ann):
    ask(ann)
    prove(office, ann)
    ann.get("/wallet")

    method = ann.post("/wallet/add")
    address = ann.get("/account/address")
    other = ann.post("/account/address", email="x@portal.example", current=PASSWORD)
    next_day = later(office, hours=24, seconds=1)
    next_day.sign_in(NEW)
    next_day.get("/wallet")
    then = next_day.post("/wallet/add")

    assert (409, True) == (method.status_code, "less than 24 hours ago" in method.text)
    assert "cannot be changed again" in address.text and "New email address" not in address.text
    assert (409, [NEW]) == (other.status_code, addresses(office))
    assert (303, "/sandbox") == (then.status_code, then.headers["location"][:8])


def test_a_new_card_in_mid_payment_waits_for_the_day_too(office, ann):
    ask(ann)
    prove(office, ann)
    ann.get(f"/accounts/{MINE}/pay")

    answer = ann.post(f"/accounts/{MINE}/pay", amount="10.00", method="new")

    assert (409, True) == (answer.status_code, "less than 24 hours ago" in answer.text)


def test_a_link_of_the_office_for_a_method_waits_for_the_day_too(office, ann):
    ask(ann)
    prove(office, ann)
    send_method_link(office, "01.1037.1", MINE, NEW)
    token = token_of(office, LinkKind.ADD_METHOD)

    answer = ann.send(f"/add-method/{token}")

    assert (409, True) == (answer.status_code, "less than 24 hours ago" in answer.text)


# --- what was mailed to the address so far


@pytest.mark.parametrize(
    "kind",
    [LinkKind.RESET_PASSWORD, LinkKind.UNLOCK, LinkKind.CONNECT_IDENTITY, LinkKind.ADD_METHOD],
)
def test_what_was_mailed_to_the_old_address_opens_nothing_any_more(office, ann, kind):
    user = find_user_number(office)
    with office.database.writing() as books:
        make_link(books, office.link_tokens, kind, office.due_now(), user=user)
    ask(ann)

    prove(office, ann)

    row = one_time_link.c
    with office.database.reading() as books:
        revoked = books.scalar(sa.select(row.revoked_at).where(row.kind == kind))
    assert revoked is not None


def test_the_button_that_takes_a_strangers_link_away_goes_on(office, ann):
    user = find_user_number(office)
    with office.database.writing() as books:
        make_link(
            books, office.link_tokens, LinkKind.UNLINK_ACCOUNT, office.due_now(),
            user=user, about=MINE,
        )  # fmt: skip
    ask(ann)
    prove(office, ann)

    pressed = ann.send(f"/not-me/{token_of(office, LinkKind.UNLINK_ACCOUNT)}")

    assert 200 == pressed.status_code


def find_user_number(office, address: str = ANN) -> int:
    with office.database.reading() as books:
        user = find_by_mailbox(books, address)
    assert user is not None
    return user.number


def test_a_new_password_ends_what_was_asked_for_with_the_old_one(office, app, ann):
    """Whoever reads that somebody asked, and resets the password, has stopped it by that."""
    ask(ann)
    token = token_of(office, LinkKind.NEW_ADDRESS)
    owner = Browser(app)
    owner.send("/forgot", email=ANN)
    path = f"/reset/{token_of(office, LinkKind.RESET_PASSWORD)}"
    owner.send(path, password=OTHER, again=OTHER)

    answer = owner.send(f"/new-address/{token}")

    assert (410, [ANN]) == (answer.status_code, addresses(office))


# --- stopped


@pytest.fixture
def stolen(office, app):
    """Ann's access, and the browser of somebody who knows her password."""
    register(office, ANN, accounts=(MINE,))
    thief = Browser(app)
    thief.sign_in()
    return thief


def stop(office, app, *, nth: int = -1):
    owner = Browser(app)
    path = f"/stop-address/{token_of(office, LinkKind.STOP_ADDRESS, nth=nth)}"
    assert [200, 200] == [owner.get(path).status_code, owner.head(path).status_code]
    return owner, owner.send(path)


@pytest.mark.parametrize("proved", [False, True])
def test_the_address_so_far_stops_it_before_it_was_proved_and_after(office, app, stolen, proved):
    ask(stolen)
    proof = token_of(office, LinkKind.NEW_ADDRESS)
    if proved:
        prove(office, stolen)

    owner, stopped = stop(office, app)
    chosen = owner.send(stopped.headers["location"], password=OTHER, again=OTHER)

    assert stopped.headers["location"].startswith("/reset/")
    assert "/sign-in?done=password" == chosen.headers["location"]
    assert [ANN] == addresses(office)
    assert 410 == owner.send(f"/new-address/{proof}").status_code
    assert "/sign-in?next=/" == stolen.get("/").headers["location"]
    assert 422 == stolen.sign_in(ANN).status_code
    assert 422 == stolen.sign_in(NEW).status_code
    assert 303 == owner.sign_in(ANN, OTHER).status_code
    assert "new address stopped" in kinds(office)
    owner.get("/wallet")
    assert 303 == owner.post("/wallet/add").status_code  # nothing keeps the owner out


def test_until_a_new_password_is_chosen_the_old_one_is_worth_nothing(office, app, stolen):
    ask(stolen)
    stop(office, app)

    assert 422 == stolen.sign_in(ANN).status_code


def test_whoever_changed_it_twice_is_stopped_from_the_first_address(office, app, stolen):
    ask(stolen)
    prove(office, stolen)
    third = "thief@portal.example"
    next_day = later(office, hours=25)
    next_day.sign_in(NEW)
    ask(next_day, third)
    prove(office, next_day)
    assert [third] == addresses(office)

    stop(office, app, nth=0)

    assert [ANN] == addresses(office)
    row = one_time_link.c
    with office.database.reading() as books:
        good = sa.select(row.kind).where(row.revoked_at.is_(None), row.used_at.is_(None))
        assert [LinkKind.RESET_PASSWORD] == list(books.scalars(good))


def test_ways_to_sign_in_that_came_with_it_are_gone_and_older_ones_stay(office, app, stolen):
    user, now = find_user_number(office), office.due_now()
    with office.database.writing() as books:
        for name, made_at in (("old", now - timedelta(days=30)), ("new", now - HOURS)):
            books.execute(
                passkey.insert().values(
                    user_number=user, credential_id=name, public_key="x", made_at=made_at
                )
            )
        books.execute(
            credential.insert().values(user_number=user, kind="totp", secret="x", since=now - HOURS)
        )
    ask(stolen)
    prove(office, stolen)

    stop(office, app)

    with office.database.reading() as books:
        assert ["old"] == list(books.scalars(sa.select(passkey.c.credential_id)))
        assert [] == list(books.scalars(sa.select(credential.c.kind)))


def test_a_week_later_it_cannot_be_stopped_any_more(office, app, stolen):
    ask(stolen)
    prove(office, stolen)
    path = f"/stop-address/{token_of(office, LinkKind.STOP_ADDRESS)}"

    late = later(office, days=7, seconds=1)

    assert [410, 410] == [late.get(path).status_code, late.send(path).status_code]
    assert [NEW] == addresses(office)


def test_a_lock_by_staff_leaves_the_way_to_stop_it_and_lets_nobody_in(office, app, stolen):
    user = find_user_number(office)
    ask(stolen)
    prove(office, stolen)
    with office.database.writing() as books:
        lock_user(books, user, StaffAct("csr 1", "called in"), office.due_now())

    owner, stopped = stop(office, app)

    assert "/sign-in?done=stopped" == stopped.headers["location"]
    assert [ANN] == addresses(office)
    assert 422 == owner.sign_in(ANN).status_code


def test_for_the_week_the_old_address_is_nobody_elses(office, app, ann):
    ask(ann)
    prove(office, ann)
    stranger = Browser(app)

    answer = stranger.send("/register", email=ANN, password=OTHER, again=OTHER)

    assert "/check-your-mail" == answer.headers["location"]
    assert ([NEW], True) == (addresses(office), ("access-address-taken", ANN) in mailed(office))
    later(office, days=7, hours=1).send("/register", email=ANN, password=OTHER, again=OTHER)
    assert [NEW, ANN] == addresses(office)


def test_its_own_former_address_is_free_for_whoever_left_it(office, ann):
    ask(ann)
    prove(office, ann)
    back = later(office, hours=25)
    back.sign_in(NEW)

    ask(back, ANN)
    prove(office, back)

    assert [ANN] == addresses(office)


# --- what goes by the mailbox


def test_whoever_wanted_no_mass_mail_wants_none_at_the_new_address(office, ann):
    with office.database.writing() as books:
        books.execute(unsubscribed_address.insert().values(mailbox=ANN, since=NOW))
    ask(ann)
    prove(office, ann)

    with office.database.reading() as books:
        mailboxes = set(books.scalars(sa.select(unsubscribed_address.c.mailbox)))
    assert {ANN, NEW} == mailboxes


def test_what_the_export_says_of_the_old_mailbox_is_said_of_the_new_one(office, ann):
    with office.database.writing() as books:
        books.execute(
            portal_link.insert().values(
                period="2026-10", account_key="0220002", mailbox=ANN, address=ANN, paperless=True
            )
        )
        books.execute(
            payment_method.insert().values(
                period="2026-10", token="tok_exported", portal_user=ANN, kind="card", last4="4242"
            )
        )
    before = [words(ann.get(page)) for page in ("/", "/wallet")]
    ask(ann)

    prove(office, ann)

    assert before == [words(ann.get(page)) for page in ("/", "/wallet")]
    assert "02.2000.2" in before[0] and "4242" in before[1]
    with office.database.reading() as books:
        links = sa.select(link_in_force.c.address, link_in_force.c.paperless)
        of_other = links.where(link_in_force.c.account_key == "0220002")
        assert [(NEW, True)] == [tuple(row) for row in books.execute(of_other)]
        owner = sa.select(wallet_in_force.c.portal_user)
        assert NEW == books.scalar(owner.where(wallet_in_force.c.token == "tok_exported"))


def test_customer_service_sees_what_was_asked_for_what_was_changed_and_until_when(office, ann):
    user = find_user_number(office)
    ask(ann)
    with office.database.reading() as books:
        asked = find_address_change(books, user, office.due_now())
    prove(office, ann)
    with office.database.reading() as books:
        changed = find_address_change(books, user, office.due_now())
        row = address_change.c
        kept = books.execute(sa.select(row.from_address, row.to_address)).all()

    assert (NEW, None) == (asked.to_address, asked.changed_at)
    assert (ANN, True) == (changed.from_address, changed.changed_at is not None)
    assert [(ANN, NEW)] == [tuple(one) for one in kept]


def test_who_has_no_password_is_told_to_set_one_first(office, ann):
    user = find_user_number(office)
    with office.database.writing() as books:
        books.execute(credential.delete().where(credential.c.user_number == user))

    shown = ann.get("/account/address").text
    asked = ask(ann)

    assert "You have no password here yet" in shown and 'name="email"' not in shown
    assert 422 == asked.status_code
    with office.database.writing() as books:
        set_password(books, user, Passwords().to_hash(PASSWORD), office.due_now())
