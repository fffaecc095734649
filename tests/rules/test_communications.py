"""Which communication is shown, and whom a mass mail reaches."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries import Recipient, RecipientSource
from rules.mail.communications import (
    SAID,
    LeftOut,
    Posted,
    Reader,
    choose_latest,
    choose_readers,
)

TODAY = date(2026, 11, 30)
YESTERDAY, TOMORROW = date(2026, 11, 29), date(2026, 12, 1)
LEAVES = Posted(1, "Leaves", "https://x.example/1")

ADDRESSES = st.sampled_from(["ann@x.example", "Ann@X.example", "ben@x.example", "cy@x.example"])
READERS = st.lists(
    st.builds(
        Reader,
        st.builds(Recipient, ADDRESSES, st.sampled_from(RecipientSource)),
        st.sampled_from(["", "1", "2"]),
    )
)
MAILBOXES = st.frozensets(st.sampled_from(["ann@x.example", "ben@x.example"]))


@pytest.mark.parametrize(
    ("posted", "number"),
    [
        pytest.param([], None, id="nothing is posted"),
        pytest.param([LEAVES, Posted(2, "Rates", "")], 2, id="the newest, whatever it links to"),
        pytest.param([Posted(2, "Rates", "", TODAY), LEAVES], 2, id="on its last day"),
        pytest.param([LEAVES, Posted(2, "Rates", "", YESTERDAY)], 1, id="the one before it"),
        pytest.param([Posted(2, "Rates", "", YESTERDAY)], None, id="nothing is live"),
    ],
)
def test_mails_link_to_the_newest_live_one(posted, number):
    latest = choose_latest(posted, TODAY)

    assert number == (latest.number if latest else None)


def test_the_first_account_found_is_named_and_one_with_an_account_wins():
    record = RecipientSource.CUSTOMER_RECORD
    without = Reader(Recipient("Ann@x.example", record))
    first, second = (Reader(Recipient("ann@X.example", record), number) for number in "12")

    chosen, left_out = choose_readers(
        [without, first, second], suppressed=(), unsubscribed=(), names_account=True
    )

    assert ([first], {}) == (chosen, left_out)


def test_of_two_without_an_account_the_first_is_written_to_where_none_is_named():
    record, user = RecipientSource.CUSTOMER_RECORD, RecipientSource.PORTAL_USER
    first, second = (
        Reader(Recipient("ann@x.example", record)),
        Reader(Recipient("Ann@x.example", user)),
    )

    chosen, _ = choose_readers([first, second], suppressed=(), unsubscribed=())

    assert [first] == chosen


@given(READERS, MAILBOXES, MAILBOXES, st.booleans())
def test_every_mailbox_is_chosen_once_or_left_out_for_one_reason(
    audience, suppressed, unsubscribed, names_account
):
    chosen, left_out = choose_readers(
        audience, suppressed=suppressed, unsubscribed=unsubscribed, names_account=names_account
    )

    everybody = {reader.recipient.mailbox for reader in audience}
    named = {reader.recipient.mailbox for reader in audience if reader.account}
    welcome = everybody - suppressed - unsubscribed
    expected = welcome & named if names_account else welcome
    mailboxes = [reader.recipient.mailbox for reader in chosen]
    assert sorted(expected) == sorted(mailboxes)
    assert len(everybody & suppressed) == left_out[LeftOut.SUPPRESSED]
    assert len((everybody & unsubscribed) - suppressed) == left_out[LeftOut.UNSUBSCRIBED]
    assert len(everybody) == len(chosen) + left_out.total()


def test_it_is_said_how_many_mailboxes_were_left_out_and_why():
    assert {
        "suppressed": "mails to them came back",
        "unsubscribed": "want no communications",
        "no-account": "have no account, which the text names",
        "accounts-without-address": "accounts without an e-mail address",
    } == SAID
