"""A close whose e-bills open with a password: who is mailed, who gets paper, what stays plain."""

from __future__ import annotations

import email
import email.policy
import hashlib
import io
from dataclasses import replace

import pypdf
import pytest

from tests.flows.desk import Desk
from tests.flows.town import ABBOTT, FROST, TOWN, with_household, write_town

ZIP = "84999"
WITHOUT_ZIP = {"01.1001.1", "01.1006.6"}
SETTING = {"BILLCLOSE_EBILL__PASSWORD": "zip"}


@pytest.fixture(scope="module")
def protected(prepared, server, tmp_path_factory) -> Desk:
    """The office after a close in which two paperless accounts have no ZIP code."""
    place = tmp_path_factory.mktemp("protected")
    town = with_household(replace(ABBOTT, account=ABBOTT.account | {"zip": ""}), TOWN)
    town = with_household(replace(FROST, account=FROST.account | {"zip": " "}), town)
    export = write_town(place / "larkspur", town)
    desk = Desk(prepared.copied(place / "office").home, server.environment)

    answer = desk.close(export, "--yes", **SETTING)

    assert answer.status == 0, answer.err
    assert ZIP not in answer.err
    return desk


def mails(desk: Desk) -> list:
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted((desk.home / "mail").iterdir())
    ]


def attached(mail) -> bytes:
    (part,) = mail.iter_attachments()
    return part.get_content()


def test_every_mailed_bill_opens_with_the_zip_code_and_not_without(protected):
    found = [attached(mail) for mail in mails(protected)]

    assert 7 == len(found)
    for copy in found:
        assert pypdf.PdfReader(io.BytesIO(copy)).is_encrypted
        assert not pypdf.PdfReader(io.BytesIO(copy)).decrypt("")
        with_zip = pypdf.PdfReader(io.BytesIO(copy), password=ZIP)
        assert "Town of Larkspur" in with_zip.pages[0].extract_text()


def test_the_mail_says_how_to_open_the_bill_and_not_the_password(protected):
    for mail in mails(protected):
        text = mail.get_body(("plain",)).get_content()
        assert "the first five digits of the ZIP code" in text
        assert ZIP not in text + mail.get_body(("html",)).get_content() + str(mail.items())


def test_the_bills_in_the_store_stay_plain_under_the_hash_that_was_written_down(protected, closed):
    for row in protected.rows("bills"):
        copy = (protected.home / "bills" / row["pdf"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(copy).hexdigest()
        assert not pypdf.PdfReader(io.BytesIO(copy)).is_encrypted
    assert {row["sha256"] for row in closed.rows("bills")} == {
        row["sha256"] for row in protected.rows("bills")
    }


def test_who_has_no_password_gets_paper_and_no_mail(protected):
    reasons = {row["account"]: row["reason"] for row in protected.rows("paper")}

    mailed = {row["account"] for row in protected.rows("deliveries")}
    assert set() == WITHOUT_ZIP & mailed
    assert WITHOUT_ZIP == {
        account for account, reason in reasons.items() if reason == "password-missing"
    }
    (batch,) = (protected.home / "print").rglob("*.pdf")
    printed = "".join(page.extract_text() for page in pypdf.PdfReader(batch).pages)
    assert [] == [account for account in WITHOUT_ZIP if account not in printed]


def test_the_report_counts_who_has_no_password(protected):
    page = (protected.home / "reports" / "close-2026-10.html").read_text("utf-8")

    assert "2 no password for the e-bill" in page


def test_no_check_says_that_an_address_is_missing_where_the_password_is(protected):
    (row,) = protected.rows("checks", "check=ebill-no-email")

    assert 1 == row["failed"]  # the one account of the town that has no address


def test_a_password_that_is_none_of_the_offered_ones_is_refused(desk, tmp_path):
    answer = desk.close(tmp_path, "--yes", BILLCLOSE_EBILL__PASSWORD="birthday")

    assert 2 == answer.status
    assert 'the setting ebill.password is wrong: write "", "zip" or "phone"' in answer.err


def test_nothing_the_home_keeps_but_the_books_and_the_export_tells_a_password(protected):
    """Logs above all; the export and the books hold the ZIP code as part of the address."""
    logs = [path for path in (protected.home / "logs").rglob("*") if path.is_file()]

    assert logs
    assert [] == [path for path in logs if ZIP in path.read_text("utf-8", "replace")]
    assert [] == [path for path in protected.home.rglob("*") if ZIP in path.name]
