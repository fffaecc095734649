"""Addresses that nobody has: answered with a way back to whoever is signed in."""

from __future__ import annotations

import pytest

from tests.web.customers.conftest import URL, Browser, register
from web.desk import desk_of


@pytest.mark.parametrize("path", ["/nope", "/accounts", "/wp-admin/setup.php"])
def test_an_address_that_nobody_has_is_said_with_a_way_back_to_whoever_is_signed_in(office, path):
    register(office)
    ann = Browser(desk_of(office))
    stranger = ann.get(path)
    ann.sign_in()

    answer = ann.get(path)

    assert (404, 404) == (stranger.status_code, answer.status_code)
    assert "Go to your accounts" in answer.text and "Sign out" in answer.text
    assert "Sign out" not in stranger.text and URL not in stranger.text
