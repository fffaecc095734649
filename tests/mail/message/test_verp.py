"""The signed sender that tells which delivery came back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.bounces import delivery_token
from mail.message.addresses import Verp, longest_base

KEY = "bill/2026-10/utility-bill/01.1037.1/ann@customer.example"
VERP = Verp("bounces@larkspur.example", b"s" * 32)


def test_the_sender_is_one_that_every_mail_system_takes():
    sender = VERP.sender(KEY)

    local_part, _, domain = sender.partition("@")
    assert ("larkspur.example", True) == (domain, sender.islower())
    assert local_part.startswith(f"bounces+{delivery_token(KEY)}.")
    assert 64 >= len(local_part)


def test_the_longest_address_still_fits():
    longest = Verp(f"{'b' * longest_base()}@larkspur.example", b"s" * 32)

    assert 64 == len(longest.sender(KEY).partition("@")[0])


def test_a_delivery_keeps_its_sender_and_no_two_share_one():
    assert VERP.sender(KEY) == VERP.sender(KEY) != VERP.sender(f"{KEY}x")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<{sender}>", id="in brackets"),
        pytest.param("{SENDER}", id="in capital letters"),
        pytest.param("rfc822; {sender}", id="in a report"),
        pytest.param("{local}@relay.larkspur.example", id="under another domain"),
    ],
)
def test_the_token_is_read_again(text):
    sender = VERP.sender(KEY)
    local = sender.partition("@")[0]

    written = text.format(sender=sender, SENDER=sender.upper(), local=local)

    assert [delivery_token(KEY)] == list(VERP.tokens(written))


def test_a_token_of_other_making_is_none():
    stranger = Verp("bounces@larkspur.example", b"t" * 32)
    mine = VERP.sender(KEY)
    token = delivery_token(KEY)
    borrowed = VERP.sender(f"{KEY}x").replace(delivery_token(f"{KEY}x"), token)

    for forged in (stranger.sender(KEY), borrowed, mine.replace("bounces+", "xbounces+")):
        assert [] == list(VERP.tokens(forged))
    assert [] == list(VERP.tokens(mine.replace("@", "a@")))


@given(st.text(max_size=200))
def test_no_text_makes_it_stumble(text):
    assert [] == list(VERP.tokens(f"bounces+{text}@larkspur.example"))


def test_the_secret_shows_nowhere():
    assert "ssss" not in repr(VERP)
