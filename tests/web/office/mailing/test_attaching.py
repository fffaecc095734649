"""A PDF goes along with a mass mail: chosen once, looked at, carried by each mail (rule 110)."""

from __future__ import annotations

import hashlib
import html
import os
import re
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from database.tables import mass_mailing
from domain.identity import Role
from mail.communications.mailings import MassLetters
from mail.letters.samples import sample_pdf
from office.settings.mail import EbillSettings
from tests.office.health_builders import an_office_at
from tests.web.office.conftest import TRIAL
from tests.web.office.mailing.test_writing import written

WRITE, LOOK = "/office/communications/write", "/office/communications/write/look"
PDF = sample_pdf()
NAMED = {"attachment": hashlib.sha256(PDF).hexdigest(), "attachment_name": "rates.pdf"}


def look(browser, content: bytes = PDF, name: str = "rates.pdf", **told: str):
    browser.get(WRITE)
    fields = {"subject": "New rates", "body": "Dear all,\n\nread it.", "audience": "customers"}
    fields |= {"csrf": browser.token} | told
    return browser.ask_with_files(LOOK, fields, {"file": (name, content, "application/pdf")})


def kept(office) -> list[str]:
    folder = office.home / "attachments"
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def mailings(office) -> list[tuple[str, str]]:
    rows = mass_mailing.c
    with office.database.reading() as books:
        query = sa.select(rows.attachment_name, rows.attachment_sha256)
        return [tuple(row) for row in books.execute(query)]


def test_it_is_shown_with_its_pages_and_kept_once(signed_in, office):
    browser = signed_in(Role.SUPERVISOR)

    page = html.unescape(look(browser).text)
    look(browser)
    link = re.search(rf'href="({WRITE}/attached/[^"]+)"', page)[1]
    shown = browser.get(link)

    assert "rates.pdf</a>, 1 page, " in page and "read it." in page
    assert [f"{NAMED['attachment']}.pdf"] == kept(office)
    assert (PDF, "application/pdf") == (shown.content, shown.headers["content-type"])
    assert shown.headers["content-security-policy"].startswith("sandbox;")
    assert shown.headers["content-disposition"].startswith("attachment;")
    assert [] == list((office.home / "uploads").iterdir())


def test_each_mail_and_the_test_carry_it(signed_in, office, begun):
    browser = signed_in(Role.ADMIN)
    look(browser)

    tried = written(browser, f"{WRITE}/test", **NAMED)
    sent = written(browser, f"{WRITE}/send", count="2", **NAMED)
    again = written(browser, f"{WRITE}/send", count="2", **NAMED)

    mails = [
        message_from_bytes(file.read_bytes(), policy=default) for file in office.home.rglob("*.eml")
    ]
    carried = [part for mail in mails for part in mail.iter_attachments()]
    letters = MassLetters(office.database, office.store.read, lambda _number: "")
    assert (200, 303, 303) == (tried.status_code, sent.status_code, again.status_code)
    assert [("rates.pdf", PDF)] == [(one.get_filename(), one.get_content()) for one in carried]
    assert [("rates.pdf", NAMED["attachment"])] == mailings(office)
    assert PDF == letters("communication-1").attachment.content


def test_it_is_taken_off_and_another_takes_its_place(signed_in, office):
    browser = signed_in(Role.ADMIN)
    other = PDF + b"\n%"

    off = look(browser, b"", "", detach="yes", **NAMED).text
    placed = look(browser, other, "other.pdf", **NAMED).text

    assert (False, False) == (
        "Attached:" in off,
        'name="attachment" value="' in off.split("Change")[1],
    )
    assert ("other.pdf</a>" in placed, "rates.pdf" in placed) == (True, False)


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"<script>", "x.pdf", "x.pdf is not a PDF file"),
        (b"MZ" + PDF, "x.exe", "x.exe is not a PDF file"),
        (PDF[:200], "x.pdf", "is cut off or damaged"),
        (b"no", "../../etc/x.pdf", "x.pdf is not a PDF file"),
    ],
)
def test_what_is_no_pdf_is_said_beside_the_field(signed_in, office, content, name, sentence):
    answer = look(signed_in(Role.ADMIN), content, name)

    said = html.unescape(answer.text)
    assert (422, True, False) == (answer.status_code, sentence in said, str(office.home) in said)
    assert "read it." in said
    assert [] == kept(office)


@pytest.mark.parametrize(
    "named", ["0" * 64, "../billclose", "x", f"{'a' * 60}/../"], ids=["none", "path", "x", "dots"]
)
def test_a_name_of_no_kept_pdf_is_refused(signed_in, office, named):
    browser = signed_in(Role.ADMIN)

    answer = written(browser, attachment=named)

    assert (422, True) == (answer.status_code, "no longer kept here" in answer.text)
    assert 404 == browser.get(f"{WRITE}/attached/{named}").status_code


def test_what_was_changed_on_the_disk_is_not_sent(signed_in, office, begun):
    browser = signed_in(Role.ADMIN)
    look(browser)
    (office.home / "attachments" / f"{NAMED['attachment']}.pdf").write_bytes(PDF + b"%")

    answer = written(browser, f"{WRITE}/send", count="2", **NAMED)

    assert (422, [], []) == (answer.status_code, mailings(office), begun)


def test_a_mail_is_no_larger_than_the_server_takes(signed_in_at, tmp_path, books, office):
    small = an_office_at(
        tmp_path, books, "2026-11-03T09:00", web=TRIAL, ebill=EbillSettings(largest_mb=1)
    )
    browser = signed_in_at(small, Role.ADMIN, "ada")
    fits, too_large = (PDF + b"\n%" + b"0" * size for size in (500_000, 800_000))

    good, refused = look(browser, fits), look(browser, too_large)

    assert 200 == good.status_code
    assert (422, True) == (refused.status_code, "does not fit into a mail of 1 MB" in refused.text)


def test_what_nobody_sent_for_days_is_let_go(signed_in, office):
    browser = signed_in(Role.ADMIN)
    look(browser, PDF + b"\n%old")
    (old,) = (office.home / "attachments").iterdir()
    long_ago = (office.clock.wall().timestamp() - 3 * 86_400,) * 2
    os.utime(old, long_ago)

    look(browser)

    assert [f"{NAMED['attachment']}.pdf"] == kept(office)
