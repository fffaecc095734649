"""Signatures that others accept: dkimpy is the judge."""

from __future__ import annotations

import base64
import re
import time

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from domain.failures import Misuse
from mail.message.dkim import Signer, read_signer
from mail.smtp.mailer import SmtpMailer
from mail.smtp.relay import to_relay
from tests.mail.builders import a_message
from tests.mail.scripted import Scripted, speaking

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SIGNER = Signer("larkspur.example", "k1", KEY)
MESSAGE = (
    b"From: City of Larkspur <billing@larkspur.example>\r\n"
    b"To: ann@customer.example\r\n"
    b"Subject: =?utf-8?q?Your_bill?=\r\n  folded\t twice\r\n"
    b"Date: Mon, 02 Nov 2026 06:00:00 -0700\r\n"
    b"Message-ID: <1@larkspur.example>\r\n"
    b"Auto-Submitted: auto-generated\r\n"
    b"MIME-Version: 1.0\r\n"
    b"List-Unsubscribe: <https://larkspur.example/u/1>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b'Content-Type: text/plain; charset="utf-8"\r\n'
    b"\r\n"
    b"Dear  Ann,\r\n.\r\n\r\nyours\r\n\r\n\r\n"
)


def txt(name: bytes, timeout: int = 5) -> bytes:
    """Answer as the domain's DNS would."""
    assert name == b"k1._domainkey.larkspur.example."
    public = KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def is_good(content: bytes) -> bool:
    return bool(dkim.verify(content, dnsfunc=txt))


def pem(key, *, password: bytes = b"") -> bytes:
    how = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, how)


def test_a_signature_is_good_and_covers_what_a_reader_sees():
    signed = SIGNER.sign(MESSAGE)
    header = signed.removesuffix(MESSAGE).decode()

    assert is_good(signed)
    names = re.sub(r"\s", "", header.partition(" h=")[2].partition(";")[0]).split(":")
    assert 2 == names.count("from")
    assert {
        "from", "to", "subject", "date", "message-id", "mime-version", "content-type",
        "list-unsubscribe", "list-unsubscribe-post",
    } == set(names)  # fmt: skip
    assert max(len(line) for line in header.split("\r\n")) <= 78


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"City of Larkspur", b"City of Sparrow"),
        (b"ann@customer", b"eve@customer"),
        (b"Your_bill", b"Your_gift"),
        (b"One-Click", b"Two-Click"),
        (b"https://larkspur", b"https://evil"),
        (b"yours", b"theirs"),
        (b"Dear  Ann", b"Dear Ann"),
        (b"MIME-Version: 1.0", b"From: eve@evil.example\r\nMIME-Version: 1.0"),
    ],
)
def test_whatever_is_changed_on_the_way_shows(old, new):
    signed = SIGNER.sign(MESSAGE)

    assert old in signed
    assert not is_good(signed.replace(old, new))


def test_what_relays_do_to_a_message_does_no_harm():
    signed = SIGNER.sign(MESSAGE)

    assert is_good(b"Received: from a by b\r\n" + signed)
    assert is_good(signed.replace(b"Subject: ", b"SUBJECT:   "))
    assert is_good(signed + b"\r\n\r\n")


def test_the_same_message_is_signed_the_same_each_time():
    assert SIGNER.sign(MESSAGE) == SIGNER.sign(MESSAGE)


@given(
    subject=st.text(st.characters(min_codepoint=32, max_codepoint=126)),
    body=st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)),
)
def test_any_subject_and_body_is_signed_well(subject, body):
    head = f"From: a@larkspur.example\r\nSubject: {subject}\r\n\r\n".encode()
    content = head + "".join(f"{line}\r\n" for line in body).encode()

    assert is_good(SIGNER.sign(content))


def test_what_arrives_is_signed_however_it_was_written():
    script = Scripted()
    content = MESSAGE.replace(b"\r\n", b"\n")

    with speaking(script):
        mailer = SmtpMailer(to_relay(f"smtp://127.0.0.1:{script.port}"), sign=SIGNER.sign)
        list(mailer.deliver([a_message("ann", content)]))
        mailer.close()

    (kept,) = script.kept
    received = kept.body.replace(b"\r\n..", b"\r\n.")
    assert is_good(received)
    assert f"SIZE={len(received)}" in kept.mail


def test_a_signature_costs_little():
    content = MESSAGE + b"x" * 76 * 1000

    started = time.process_time()
    for _ in range(20):
        SIGNER.sign(content)

    assert (time.process_time() - started) / 20 < 0.02


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        (b"no key", "no PEM key"),
        (pem(KEY, password=b"x"), "no PEM key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "must be RSA"),
        (pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "must be RSA"),
    ],
    ids=["missing", "no key", "locked", "of another kind", "too short"],
)
def test_a_key_that_will_not_do_is_refused(tmp_path, content, says):
    file = tmp_path / "dkim.pem"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(Misuse, match=says):
        read_signer("larkspur.example", "k1", file)


@pytest.mark.parametrize("domain", ["", "larkspur.example; x=y", "a\r\nb"])
def test_a_name_that_dns_does_not_know_is_refused(tmp_path, domain):
    file = tmp_path / "dkim.pem"
    file.write_bytes(pem(KEY))

    assert read_signer("larkspur.example", "k1", file)
    with pytest.raises(Misuse, match="names as DNS"):
        read_signer(domain, "k1", file)
