"""What a page says of an upload before anything is sent: its limit, and how far it has come."""

from __future__ import annotations

import pytest

from domain.identity import Role
from web.guarding import largest_of, say_limit

PAGES = {
    "/office/close": "/office/close/upload",
    "/office/communications/add": "/office/communications/add",
    "/office/correct": "/office/correct",
}


@pytest.mark.parametrize(("page", "sent_to"), PAGES.items())
def test_a_form_with_a_file_says_its_limit_and_shows_how_much_is_sent(signed_in, page, sent_to):
    text = signed_in(Role.ADMIN).get(page).text

    assert f"At most {say_limit(sent_to)}." in text
    assert f'data-most="{largest_of(sent_to)}"' in text
    assert "<progress" in text
    assert 'src="/static/upload.' in text


def test_limits_are_written_as_people_say_them():
    paths = ("/office/close/upload", "/office/correct", "/office/close/begin")

    assert ["2 GB", "50 MB", "16 KB"] == [say_limit(path) for path in paths]
