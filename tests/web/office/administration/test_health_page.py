"""The health page says what the command says, to whoever may see the settings."""

from __future__ import annotations

import html
import re

from domain.identity import Role
from office.health.health import look_at_books

HEALTH = "/office/settings/health"


def test_the_page_has_every_condition_and_each_remedy(office, signed_in):
    page = html.unescape(re.sub(r"<[^>]+>", "", signed_in(Role.AUDITOR).get(HEALTH).text))
    found = look_at_books(office)

    words = " ".join(page.split())
    assert [] == [one.title for one in found.conditions if one.title not in words]
    assert [] == [one.advice for one in found.troubles if one.remedy not in words]
    assert [] == [one.command for one in found.troubles if one.command not in words]
    assert [] == [one.kind for one in found.conditions if one.kind in words]  # a code says nothing
    assert bool(found.troubles) is ("Something needs a person" in words)
