"""Mail over real servers: Postfix and Exim into a Maildir, Postfix's sink with its faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.failures import PermanentFailure, TemporaryFailure
from mail.port import MailOutcome, Result
from mail.smtp.connection import Patience
from mail.smtp.mailer import SmtpMailer
from mail.smtp.relay import to_relay
from tests.mail.builders import a_message
from tests.mail.real_servers import RealServer, a_certificate, exim, postfix, sink

pytestmark = pytest.mark.timeout(300)

SENT, DEFERRED, FAILED, IN_DOUBT = Result.SENT, Result.DEFERRED, Result.FAILED, Result.IN_DOUBT
BODY = b"Subject: x\r\n\r\n.dots\r\n..\r\n.\r\nend\r\n"
EXPECTED = {"ok": SENT, "gone": FAILED, "grey": DEFERRED, "full": DEFERRED, "drop": DEFERRED}


def a_mailer(server: RealServer, scheme: str = "smtp", connections: int = 2, **options):
    waits = {"reply": 10, "data": 10, "block": 10, "final": 10} | options.pop("waits", {})
    relay = to_relay(f"{scheme}://127.0.0.1:{server.port}", patience=Patience(**waits), **options)
    return SmtpMailer(relay, connections=connections)


def send(mailer: SmtpMailer, *names: str, content: bytes = BODY) -> dict[str, MailOutcome]:
    messages = [a_message(name, content) for name in names]
    try:
        outcomes = {outcome.key: outcome for outcome in mailer.deliver(messages)}
    finally:
        mailer.close()
    return {name: outcomes[message.key] for name, message in zip(names, messages, strict=True)}


def results(found: dict[str, MailOutcome]) -> dict[str, Result]:
    return {name: outcome.result for name, outcome in found.items()}


def expected(names: list[str]) -> dict[str, Result]:
    return {name: EXPECTED[name.partition("-")[0]] for name in names}


@pytest.fixture(params=[True, False], ids=["pipelined", "step by step"])
def pipelining(request) -> bool:
    return request.param


# -- Postfix --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postfix_running() -> Iterator[RealServer]:
    with postfix() as server:
        yield server


@pytest.fixture
def server(postfix_running: RealServer) -> RealServer:
    """Postfix with an empty mailbox."""
    for file in (postfix_running.place / "mail").glob("**/new/*"):
        file.unlink()
    return postfix_running


@pytest.mark.parametrize("connections", [1, 3])
def test_postfix_gets_what_it_takes_whatever_else_it_refuses(server, pipelining, connections):
    kinds = ("ok", "gone", "ok", "grey", "full", "ok", "gone", "gone")
    names = [f"{kind}-{number}-{pos}" for number in range(6) for pos, kind in enumerate(kinds)]

    found = send(a_mailer(server, connections=connections, pipelining=pipelining), *names)

    assert expected(names) == results(found)
    assert sorted(name for name in names if name.startswith("ok")) == server.names(18)
    assert "550 5.1.1 <(address)>: Recipient address rejected: User unknown" in {
        outcome.error for outcome in found.values()
    }


def test_postfix_keeps_each_message_byte_for_byte(server, pipelining):
    send(a_mailer(server, pipelining=pipelining), "ok-1", "ok-2")

    assert {BODY.partition(b"\r\n\r\n")[2].replace(b"\r\n", b"\n")} == {
        message.get_payload().encode() for message in server.messages(2)
    }
    assert {"<bounces@larkspur.example>"} == {
        message["Return-Path"] for message in server.messages(2)
    }


def test_an_address_at_which_postfix_says_421_holds_up_nobody(server, pipelining):
    names = ["ok-1", "drop-1", "ok-2", "ok-3"]

    found = send(a_mailer(server, connections=1, pipelining=pipelining), *names)

    assert expected(names) == results(found)
    assert ["ok-1", "ok-2", "ok-3"] == server.names(3)


def test_more_connections_than_postfix_allows_become_fewer(server, pipelining):
    names = [f"ok-{number}" for number in range(60)]

    found = send(a_mailer(server, connections=8, pipelining=pipelining), *names)

    assert expected(names) == results(found)
    assert sorted(names) == server.names(60)


def test_a_message_beyond_postfixs_limit_is_told_from_other_refusals(server, pipelining):
    large = a_message("ok-large", BODY + b"x" * 76 * 3000)
    mailer = a_mailer(server, pipelining=pipelining)

    found = {outcome.key: outcome for outcome in mailer.deliver([a_message("ok-1"), large])}
    mailer.close()

    assert (FAILED, True) == (found[large.key].result, found[large.key].too_large)
    assert ["ok-1"] == server.names(1)


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls"])
def test_postfix_takes_other_letters_and_large_bodies(server, pipelining, scheme):
    content = BODY + (b"y" * 74 + b"\r\n") * 2500

    found = send(
        a_mailer(server, scheme, pipelining=pipelining), "ok-jörg", "ok-1", content=content
    )

    assert {SENT} == set(results(found).values())
    assert 2 == len(server.messages(2))


def test_postfixs_certificate_is_verified_by_the_offices_authorities(server, tmp_path):
    good = a_mailer(server, "smtp+starttls", ca_file=server.place / "cert.pem")
    stranger, _ = a_certificate(tmp_path)
    bad = a_mailer(server, "smtp+starttls", ca_file=stranger)

    assert {"ok-1": SENT} == results(send(good, "ok-1"))
    with pytest.raises(PermanentFailure, match="certificate is not valid"):
        send(bad, "ok-2")
    assert ["ok-1"] == server.names(1)


# -- Exim -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exim_running() -> Iterator[RealServer]:
    with exim() as server:
        yield server


def test_exim_takes_mail_over_tls_with_a_login_and_refuses_by_recipient(exim_running, pipelining):
    for file in (exim_running.place / "mail").glob("new/*"):
        file.unlink()
    kinds = ("ok", "gone", "ok", "grey", "ok")
    names = [f"{kind}-{number}-{pos}" for number in range(6) for pos, kind in enumerate(kinds)]
    login = {"username": "bill", "password": "s3cret"}
    mailer = a_mailer(
        exim_running, "smtp+starttls", pipelining=pipelining,
        ca_file=exim_running.place / "cert.pem", **login,
    )  # fmt: skip

    found = send(mailer, *names)

    assert expected(names) == results(found)
    assert sorted(name for name in names if name.startswith("ok")) == exim_running.names(18)


def test_exims_no_to_a_wrong_password_is_for_a_person(exim_running):
    mailer = a_mailer(exim_running, "smtp+starttls", username="bill", password="wr0ng")

    with pytest.raises(PermanentFailure, match="535") as refusal:
        send(mailer, "ok-1")

    assert "wr0ng" not in str(refusal.value)


def test_exim_offers_no_login_without_encryption_and_none_is_tried(exim_running):
    mailer = a_mailer(exim_running, username="bill", password="s3cret")

    with pytest.raises(PermanentFailure, match="a way to log in"):
        send(mailer, "ok-1")


# -- the sink -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "result"),
    [
        (["-f", "RCPT"], FAILED),
        (["-r", "RCPT"], DEFERRED),
        (["-f", "."], FAILED),
        (["-r", "."], DEFERRED),
        (["-f", "DATA"], FAILED),
        (["-q", "."], IN_DOUBT),
    ],
    ids=lambda flags: " ".join(flags) if isinstance(flags, list) else str(flags),
)
def test_what_the_sink_does_to_one_message(flags, result):
    with sink(*flags) as server:
        found = send(a_mailer(server, connections=1), "ann", content=BODY + b"x" * 300_000)

    assert {"ann": result} == results(found), found


def test_a_sink_that_refuses_within_the_body_and_hangs_up_surely_did_not_take_it():
    with sink("-A", "0") as server:
        found = send(a_mailer(server, connections=1), "ann", content=BODY + b"x" * 300_000)

    assert results(found)["ann"] in (FAILED, DEFERRED)  # its reset may destroy its own reply


@pytest.mark.parametrize(
    ("flags", "failure"),
    [
        (["-r", "CONNECT"], TemporaryFailure),
        (["-Q", "CONNECT"], TemporaryFailure),
        (["-q", "EHLO"], TemporaryFailure),
        (["-r", "MAIL"], TemporaryFailure),
        (["-f", "MAIL"], PermanentFailure),
        (["-Q", "MAIL"], TemporaryFailure),
        (["-q", "MAIL"], TemporaryFailure),
    ],
    ids=lambda flags: " ".join(flags) if isinstance(flags, list) else flags.__name__,
)
def test_what_the_sink_does_to_everybody_costs_nobody_an_attempt(flags, failure):
    outcomes: list[MailOutcome] = []

    with sink(*flags) as server:
        mailer = a_mailer(server, connections=2)
        with pytest.raises(failure):
            outcomes.extend(mailer.deliver(a_message(f"c{number}") for number in range(20)))
        mailer.close()
        assert [] == [*(server.place / "mail").iterdir()]

    assert [] == outcomes


def test_the_sink_takes_everything_over_four_connections(pipelining):
    names = [f"c{number}" for number in range(200)]

    with sink() as server:
        found = send(a_mailer(server, connections=4, pipelining=pipelining), *names)
        kept = [*(server.place / "mail").iterdir()]

    assert {SENT} == set(results(found).values())
    assert 200 == len(kept)
