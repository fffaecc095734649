"""A mailed bill that only its customer's password opens."""

from __future__ import annotations

import html
import logging
import traceback
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from domain.deliveries import PasswordField
from domain.failures import Misuse, PermanentFailure
from mail.letters.bill import FORM_TITLES, a_sample
from mail.letters.phrases import password_hint
from mail.letters.templates import Templates
from mail.outbox.deliveries import Delivery
from mail.outbox.queueing import queue_bills
from mail.rendering.bill_facts import find_bill_facts
from mail.rendering.bills import BillRenderer, Protection, Sender
from tests.mail.builders import NOW, PDF, RUN, a_run, an_account, deliveries

SENDER = Sender("billing@larkspur.example", "bounces@larkspur.example")

ZIP, PHONE = PasswordField.ZIP, PasswordField.PHONE
SECRET = {ZIP: "84840", PHONE: "5550123"}
WRITTEN = {"zip_code": "84840-1234", "phone": "(303) 555-0123"}


def lock(content: bytes, password: str) -> bytes:
    """Stand in for the encryption, so that a test sees what it was given."""
    assert content == PDF
    return b"locked with " + password.encode()


def cannot_lock(content: bytes, password: str) -> bytes:
    raise ValueError(f"no lock for {password}")


def renderer(database, field=ZIP, lock=lock) -> BillRenderer:
    protection = Protection(field, lock)
    return BillRenderer(database, Templates(), SENDER, lambda _: PDF, protection=protection)


def queued(database, *addresses: str, **facts: str) -> list[Delivery]:
    a_run(database)
    an_account(database, addresses=addresses or ["ann@customer.example"], **facts)
    queue_bills(database, RUN, now=NOW, message_domain="larkspur.example")
    names = Delivery.__dataclass_fields__
    return [
        Delivery(**{name: getattr(row, name) for name in names}) for row in deliveries(database)
    ]


def mails(renderer: BillRenderer, rows: list[Delivery]) -> list[EmailMessage]:
    made = [message.to_bytes() for message in renderer(rows)]
    return [message_from_bytes(content, policy=default) for content in made]


@pytest.mark.parametrize("field", [ZIP, PHONE])
def test_the_attachment_is_locked_with_what_the_customer_knows(database, field):
    (mail,) = mails(renderer(database, field), queued(database, **WRITTEN))

    (attachment,) = mail.iter_attachments()
    assert f"locked with {SECRET[field]}".encode() == attachment.get_content()
    assert "bill-01.1037.1-2026-10.pdf" == attachment.get_filename()


@pytest.mark.parametrize("field", [ZIP, PHONE])
def test_the_mail_says_how_to_open_it_and_not_the_password(database, field):
    (mail,) = mails(renderer(database, field), queued(database, **WRITTEN))

    bodies = [mail.get_body((kind,)).get_content() for kind in ("plain", "html")]
    hint = password_hint(field, SECRET[field])
    assert hint in bodies[0]
    assert hint in html.unescape(bodies[1])
    told = [*bodies, *(str(value) for part in mail.walk() for value in part.values())]
    assert [] == [text for text in told if SECRET[field] in text or WRITTEN["zip_code"] in text]


def test_without_a_protection_the_attachment_is_the_bill_and_nothing_is_said(database):
    plain = replace(renderer(database), protection=None)

    (mail,) = mails(plain, queued(database, **WRITTEN))

    assert PDF == next(mail.iter_attachments()).get_content()
    assert "password" not in mail.get_body(("plain",)).get_content()


def test_every_mailbox_gets_a_copy_encrypted_for_it_alone(database):
    made: list[bytes] = []

    def count(content: bytes, password: str) -> bytes:
        made.append(f"copy {len(made)}".encode())
        return made[-1]

    rows = queued(database, "ann@x.example", "bob@x.example", **WRITTEN)

    found = mails(renderer(database, lock=count), rows)

    assert [b"copy 0", b"copy 1"] == [next(one.iter_attachments()).get_content() for one in found]


def test_a_bill_that_nothing_can_lock_does_not_leave(database):
    """Where the office chose the phone number only after the plan was made."""
    rows = queued(database, zip_code="84840", phone="ask the son")
    (message,) = renderer(database, PHONE)(rows)

    with pytest.raises(PermanentFailure, match=r"the account has no phone .* print the bill"):
        message.to_bytes()


def test_a_bill_that_cannot_be_encrypted_does_not_leave_and_its_password_is_not_told(
    database, caplog
):
    caplog.set_level(logging.DEBUG)
    (message,) = renderer(database, lock=cannot_lock)(queued(database, **WRITTEN))

    with pytest.raises(PermanentFailure) as failed:
        message.to_bytes()

    told = caplog.text + "".join(traceback.format_exception(failed.value))
    assert "the bill document cannot be encrypted" in told
    assert SECRET[ZIP] not in told


def test_what_is_known_of_a_bill_does_not_show_its_password(database):
    rows = queued(database, **WRITTEN)

    facts = find_bill_facts(database, [row.key for row in rows])

    assert "84840" not in repr(facts)
    assert "0123" not in repr(facts)


# -- what the mail says ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "password", "words"),
    [
        (ZIP, "84840", "first five digits of the ZIP code"),
        (ZIP, "K1A0B1", "postal code that the bill is addressed to, with capital letters"),
        (PHONE, "5550123", "last seven digits of the phone number"),
    ],
)
def test_a_hint_says_how_to_type_it(field, password, words):
    hint = password_hint(field, password)

    assert words in hint
    assert password not in hint


@pytest.mark.parametrize(("field", "password"), [(PasswordField.NONE, "84840"), (ZIP, "")])
def test_there_is_no_hint_without_a_password(field, password):
    assert "" == password_hint(field, password)


@pytest.mark.parametrize("form", [*FORM_TITLES, "backflow-test"])
def test_a_mail_without_a_password_says_nothing_of_one(form):
    wording = Templates().word(replace(a_sample(form), password_hint=""))

    assert "password" not in wording.text + wording.html
    assert "\n\n\n\n" not in wording.text


def test_our_own_templates_all_say_how_a_protected_bill_is_opened(tmp_path):
    Templates(tmp_path).check(is_protected=True)


@pytest.mark.parametrize("part", ["txt", "html"])
def test_a_template_that_does_not_say_how_to_open_a_protected_bill_is_refused(tmp_path, part):
    (tmp_path / f"final-bill.{part}").write_text("Dear {{ customer_name }}, here it is.")
    templates = Templates(tmp_path)

    templates.check()
    with pytest.raises(Misuse, match=rf"final-bill \({part}\).*password_hint"):
        templates.check(is_protected=True)


def test_an_office_may_say_it_in_its_own_words(tmp_path):
    words = "{% if password_hint %}Open it with your ZIP code.{% endif %}"
    for part in ("txt", "html"):
        (tmp_path / f"final-bill.{part}").write_text(words)

    Templates(tmp_path).check(is_protected=True)


def test_the_renderer_checks_the_templates_for_what_it_mails(database, tmp_path):
    (tmp_path / "final-bill.txt").write_text("Here it is.")
    plain = BillRenderer(database, Templates(tmp_path), SENDER, lambda _: PDF)

    plain.check()
    with pytest.raises(Misuse, match="final-bill"):
        replace(plain, protection=Protection(ZIP, lock)).check()
