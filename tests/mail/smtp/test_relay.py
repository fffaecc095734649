"""Logging in at a relay: passwords, tokens, certificates, and what is never shown."""

from __future__ import annotations

import logging
import stat
import sys
from pathlib import Path

import pytest

from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from mail.message.addresses import to_envelope_address
from mail.port import Result
from mail.smtp.connection import Patience
from mail.smtp.mailer import SmtpMailer
from mail.smtp.relay import Tokens, to_relay
from tests.mail.builders import a_message
from tests.mail.real_servers import a_certificate
from tests.mail.servers import MailServer, running

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")

PATIENCE = Patience(reply=5, data=5, block=5, final=5)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    return a_certificate(tmp_path_factory.mktemp("tls"))


def send(server: MailServer, *names: str, scheme: str = "smtp", **options) -> list[Result]:
    relay = to_relay(f"{scheme}://127.0.0.1:{server.port}", patience=PATIENCE, **options)
    return deliver(SmtpMailer(relay, connections=1), *names)


def deliver(mailer: SmtpMailer, *names: str) -> list[Result]:
    try:
        return [outcome.result for outcome in mailer.deliver(a_message(name) for name in names)]
    finally:
        mailer.close()


def a_program(folder: Path, text: str) -> tuple[str, str]:
    """Write a program that prints tokens; it counts its calls in the file `calls`."""
    program = folder / "token.py"
    program.write_text(
        "import pathlib, sys, time\n"
        f"calls = pathlib.Path({str(folder / 'calls')!r})\n"
        "number = len(calls.read_text()) + 1 if calls.exists() else 1\n"
        "calls.write_text('x' * number)\n"
        f"{text}\n"
    )
    return sys.executable, str(program)


def calls(folder: Path) -> int:
    return len((folder / "calls").read_text())


# -- certificates ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_the_offices_own_authorities_vouch_for_the_server(certificate, tmp_path, scheme):
    stranger, _ = a_certificate(tmp_path)

    with running(MailServer(certificate=certificate, wraps=scheme == "smtps")) as server:
        assert [Result.SENT] == send(server, "ann", scheme=scheme, ca_file=certificate[0])
        with pytest.raises(PermanentFailure, match="certificate is not valid"):
            send(server, "bob", scheme=scheme, ca_file=stranger)

    assert ["ann@customer.example"] == server.recipients


def test_a_certificate_for_another_name_is_refused(certificate, tmp_path):
    files = a_certificate(tmp_path, "DNS:other.test")

    with (
        running(MailServer(certificate=files)) as server,
        pytest.raises(PermanentFailure, match="certificate is not valid"),
    ):
        send(server, "ann", scheme="smtp+starttls", ca_file=files[0])

    assert [] == server.recipients


# -- passwords ------------------------------------------------------------------------------------


def test_a_password_does_not_go_over_a_network_in_the_clear(monkeypatch):
    monkeypatch.setattr("mail.smtp.relay.is_loopback", lambda host: False)

    with running(MailServer(login=("bill", "s3cret"))) as server:
        with pytest.raises(PermanentFailure, match="encryption"):
            send(server, "ann", username="bill", password="s3cret")

        assert [] == server.logins


# -- tokens ---------------------------------------------------------------------------------------


def tokens(command: tuple[str, ...], **options) -> Tokens:
    return Tokens(command, **({"seconds": 100, "timeout": 10} | options))


@pytest.mark.parametrize("method", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_logs_in_and_is_asked_for_once(certificate, tmp_path, method):
    command = a_program(tmp_path, "print('tok-1')")

    with running(
        MailServer(certificate=certificate, tokens={"tok-1"}, token_method=method)
    ) as server:
        relay = to_relay(
            f"smtp+starttls://127.0.0.1:{server.port}", patience=PATIENCE,
            username="bill@larkspur.example", tokens=tokens(command),
        )  # fmt: skip
        mailer = SmtpMailer(relay, connections=3)
        found = deliver(mailer, *(f"c{number}" for number in range(12)))

    assert [Result.SENT] * 12 == found
    assert 1 == calls(tmp_path)
    assert {("bill@larkspur.example", "tok-1")} == set(server.logins)


def test_a_token_that_has_grown_old_is_asked_for_anew(certificate, tmp_path):
    command = a_program(tmp_path, "print(f'tok-{number}')")

    with running(MailServer(certificate=certificate, tokens={"tok-1"})) as server:
        relay = to_relay(
            f"smtp+starttls://127.0.0.1:{server.port}", patience=PATIENCE,
            username="bill", tokens=tokens(command), messages_per_connection=1,
        )  # fmt: skip
        mailer = SmtpMailer(relay, connections=1)
        stream = mailer.deliver(a_message(name) for name in ("ann", "bob", "cid"))
        first = next(stream).result
        server.tokens = {"tok-2"}
        rest = [outcome.result for outcome in stream]
        mailer.close()

    assert [Result.SENT] * 3 == [first, *rest]
    assert calls(tmp_path) == 2


def test_a_fresh_token_that_is_refused_is_for_a_person(certificate, tmp_path, caplog):
    command = a_program(tmp_path, "print('wrong-t0ken')")
    caplog.set_level(logging.DEBUG)

    with (
        running(MailServer(certificate=certificate, tokens={"tok-1"})) as server,
        pytest.raises(PermanentFailure, match="535") as refusal,
    ):
        send(server, "ann", scheme="smtp+starttls", username="bill", tokens=tokens(command))

    assert 1 == calls(tmp_path)
    assert "wrong-t0ken" not in str(refusal.value) + caplog.text


@pytest.mark.parametrize(
    ("text", "failure", "says"),
    [
        ("print('s3cret'); sys.exit(3)", TemporaryFailure, "exit status 3"),
        ("sys.exit('s3cret: expired')", TemporaryFailure, "exit status 1"),
        ("print('two s3cret words')", PermanentFailure, "not one token"),
        ("print('s3cret\\ns3cret')", PermanentFailure, "not one token"),
        ("pass", PermanentFailure, "not one token"),
        ("print('s3cret' * 100_000)", PermanentFailure, "not one token"),
        ("time.sleep(60)", TemporaryFailure, "not ended within 0.5"),
    ],
)
def test_a_program_that_gives_no_token_is_named_and_never_quoted(
    certificate, tmp_path, caplog, text, failure, says
):
    command = a_program(tmp_path, text)
    caplog.set_level(logging.DEBUG)
    timeout = 0.5 if "sleep" in text else 10

    with (
        running(MailServer(certificate=certificate, tokens={"tok-1"})) as server,
        pytest.raises(failure, match=says) as refusal,
    ):
        asked = tokens(command, timeout=timeout)
        send(server, "ann", scheme="smtp+starttls", username="bill", tokens=asked)

    assert "s3cret" not in str(refusal.value) + caplog.text


def test_the_token_program_runs_without_a_shell(certificate, tmp_path):
    program = tmp_path / "token $(touch x)"
    program.write_text('#!/bin/sh\nprintf %s "$1"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)

    with running(MailServer(certificate=certificate, tokens={"tok-1"})) as server:
        found = send(
            server, "ann", scheme="smtp+starttls", username="bill",
            tokens=tokens((str(program), "tok-1")),
        )  # fmt: skip
        with pytest.raises(PermanentFailure, match="cannot be run"):
            send(
                server, "bob", scheme="smtp+starttls", username="bill",
                tokens=tokens(("/no/such/program",)),
            )  # fmt: skip

    assert [Result.SENT] == found


@pytest.mark.parametrize(
    ("url", "options", "says"),
    [
        ("smtp://mail.example", {"username": "b", "tokens": True}, "needs encryption"),
        ("smtps://mail.example", {"tokens": True}, "needs smtp.username"),
        ("smtps://b:p@mail.example", {"tokens": True}, "remove one"),
        ("smtp://mail.example", {"ca_file": Path("/dev/null")}, "has no use"),
        ("smtps://mail.example", {"ca_file": Path("/no/such/file")}, "cannot be read"),
        ("smtps://mail.example", {"ca_file": Path(__file__)}, "cannot be read"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(url, options, says):
    if "tokens" in options:
        options = options | {"tokens": tokens(("x",))}

    with pytest.raises(Misuse, match=says):
        to_relay(url, **options)


# -- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("jörg@müller.example", "jörg@xn--mller-kva.example"),
        ("用户@x.example", "用户@x.example"),
    ],
)
def test_letters_before_the_at_sign_stay_and_those_after_it_become_ascii(address, expected):
    assert expected == to_envelope_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "jörg",
        "jörg@x.example;ann@x.example",
        "jö rg@x.example",
        "j\u202eg@x.example",
        "ö" * 40 + "@x.example",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(address):
    with pytest.raises(PermanentFailure) as refusal:
        to_envelope_address(address)

    assert address not in str(refusal.value)
