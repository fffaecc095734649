"""Another site's form does nothing in the office: it does not carry the session's own token."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from database.tables import audit
from domain.identity import Role
from web.staff_routes import UPLOADED, staff_pages

UPLOADS = sorted(path for path, _needed, _take in UPLOADED)
FORMS = sorted({path for method, path, _page, _needed in staff_pages() if method == "POST"})


def acts(office) -> int:
    with office.database.reading() as books:
        return books.scalar(sa.select(sa.func.count()).select_from(audit))


def test_no_form_of_the_office_acts_with_a_wrong_token(office, signed_in):
    """Every page of staff that takes a form, those that are added later too."""
    admin = signed_in(Role.ADMIN)
    before, answers = acts(office), {}

    for path in FORMS:
        place = path.replace("{account}", "01.1001.1").replace("{period}", "2026-10")
        place = re.sub(r"\{[^}]+\}", "1", place)
        answer = admin.send(place, csrf="another", reason="theirs", key="1", way="held")
        answers[path] = (answer.status_code, "<h1>Nothing was done</h1>" in answer.text)

    assert dict.fromkeys(FORMS, (403, True)) == answers
    assert before == acts(office)


@pytest.mark.parametrize("path", UPLOADS)
def test_no_file_is_taken_with_a_wrong_token(office, signed_in, path):
    admin = signed_in(Role.ADMIN)
    before = acts(office)
    files = {"file": ("small.zip", b"PK", "application/zip")}

    answer = admin.ask_with_files(path, {"csrf": "another", "reason": "theirs"}, files)

    assert (403, True) == (answer.status_code, "<h1>Nothing was done</h1>" in answer.text)
    assert before == acts(office)


@pytest.mark.parametrize(
    "path",
    [
        "/office/close/{period}/undo",
        "/office/correct/confirm",
        "/office/exceptions/findings/decide",
        "/office/print/fetched",
    ],
)
def test_the_same_form_with_the_sessions_own_token_comes_to_its_page(office, signed_in, path):
    """So that what turns the other away is the token, not something else that is wrong."""
    admin = signed_in(Role.ADMIN)
    admin.get("/office/close")

    answer = admin.post(path.replace("{period}", "2026-10"), reason="mine", key="1", way="held")

    assert path in FORMS
    assert "<h1>Nothing was done</h1>" not in answer.text
