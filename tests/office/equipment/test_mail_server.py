"""The mail server that the settings ask for, and the settings that it cannot use."""

from __future__ import annotations

import base64

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from domain.failures import Misuse
from office.equipment.mail import to_server_mailer as to_mailer
from office.settings.mail import SmtpSettings
from office.settings.settings import FILE, open_settings
from tests.mail.builders import a_message
from tests.mail.scripted import Scripted, speaking

NAMES = ["ann", "bob", "cid", "dan", "eve"]


def send(home, script: Scripted, **settings) -> Scripted:
    with speaking(script):
        chosen = SmtpSettings(url=f"smtp://127.0.0.1:{script.port}", connections=1, **settings)
        mailer = to_mailer(home, chosen)
        outcomes = list(mailer.deliver(a_message(name) for name in NAMES))
        mailer.close()
    assert {"sent"} == {outcome.result for outcome in outcomes}
    return script


def test_pipelining_and_the_messages_of_a_connection_are_the_offices_choice(tmp_path):
    usual = send(tmp_path, Scripted())
    stepwise = send(tmp_path, Scripted(), pipelining=False)
    several = send(tmp_path, Scripted(), messages_per_connection=2)

    assert usual.round_trips < 15 < stepwise.round_trips
    assert [1, 1, 3] == [usual.connections, stepwise.connections, several.connections]


def test_mails_are_signed_by_the_key_in_the_home(tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (tmp_path / "dkim.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )

    script = send(
        tmp_path, Scripted(),
        dkim_domain="larkspur.example", dkim_selector="k1", dkim_key_file="dkim.pem",
    )  # fmt: skip

    public = base64.b64encode(
        key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    assert 5 == len(script.kept)
    for kept in script.kept:
        assert dkim.verify(kept.body, dnsfunc=lambda *_, **__: b"v=DKIM1; p=" + public)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"dkim_domain": "larkspur.example"}, "go together"),
        ({"dkim_domain": "x", "dkim_selector": "k", "dkim_key_file": "none"}, "cannot be read"),
        ({"token_command": ("token",)}, "smtp.username"),
        ({"ca_file": "none.pem"}, "no use"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_before_anything_is_sent(tmp_path, settings, says):
    with pytest.raises(Misuse, match=says):
        to_mailer(tmp_path, SmtpSettings(url="smtp://127.0.0.1:1", **settings))


def test_the_token_command_is_a_list_in_the_file_and_json_in_the_environment(tmp_path, monkeypatch):
    (tmp_path / FILE).write_text('[smtp]\ntoken_command = ["/opt/a token", "--for me"]\n')
    from_file = open_settings(tmp_path).smtp.token_command
    monkeypatch.setenv("BILLCLOSE_SMTP__TOKEN_COMMAND", '["/opt/b", "x y"]')
    from_environment = open_settings(tmp_path).smtp.token_command

    assert ("/opt/a token", "--for me") == from_file
    assert ("/opt/b", "x y") == from_environment
