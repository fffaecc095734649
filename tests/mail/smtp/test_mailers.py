"""What every mailer owes its caller: the folder, and SMTP against a real server."""

from __future__ import annotations

import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from mail.embedded import MailFolder
from mail.port import Mailer, MailOutcome, OutgoingMessage, Result
from mail.smtp.connection import Patience
from mail.smtp.mailer import SmtpMailer
from mail.smtp.relay import to_relay
from tests.mail.builders import a_message
from tests.mail.servers import MailServer, running


def a_mailer(server: MailServer, scheme: str = "smtp", connections: int = 2, **options):
    rate_limit = options.pop("messages_per_minute", 0)
    patience = Patience(reply=5, data=5, block=5, final=options.pop("final", 5))
    options = {"connect_timeout": 5, "patience": patience} | options
    relay = to_relay(f"{scheme}://127.0.0.1:{server.port}", **options)
    return SmtpMailer(relay, connections=connections, messages_per_minute=rate_limit)


@pytest.fixture(params=[True, False], ids=["pipelined", "step by step"])
def pipelines(request) -> bool:
    """What a server announces: each test that asks for it runs both ways."""
    return request.param


def results(mailer: Mailer, *names: str) -> dict[str, MailOutcome]:
    messages = [a_message(name) for name in names]
    outcomes = {outcome.key: outcome for outcome in mailer.deliver(messages)}
    return {message.recipient.partition("@")[0]: outcomes[message.key] for message in messages}


@pytest.fixture(params=["folder", "smtp"])
def mailer(request, tmp_path: Path) -> Iterator[Mailer]:
    if request.param == "folder":
        yield MailFolder(tmp_path / "mail")
        return
    with running(MailServer()) as server:
        smtp = a_mailer(server)
        yield smtp
        smtp.close()


def test_every_message_gets_one_outcome(mailer):
    names = [f"c{number}" for number in range(25)]

    outcomes = list(mailer.deliver(a_message(name) for name in names))

    assert {a_message(name).key for name in names} == {outcome.key for outcome in outcomes}
    assert len(outcomes) == 25
    assert {Result.SENT} == {outcome.result for outcome in outcomes}


def test_a_mailer_delivers_batch_after_batch(mailer):
    assert results(mailer, "ann")["ann"].result == Result.SENT
    assert results(mailer) == {}
    assert results(mailer, "bob")["bob"].result == Result.SENT


def test_messages_are_asked_for_only_as_they_go(mailer):
    asked: list[int] = []

    def messages() -> Iterator[OutgoingMessage]:
        for number in range(100):
            asked.append(number)
            yield a_message(f"c{number}")

    stream = mailer.deliver(messages())
    next(stream)

    assert len(asked) <= 10
    stream.close()


@pytest.mark.parametrize(
    ("failure", "result"),
    [(PermanentFailure, Result.FAILED), (TemporaryFailure, Result.DEFERRED)],
)
def test_a_message_that_cannot_be_made_costs_only_itself(mailer, failure, result):
    def broken() -> bytes:
        raise failure("the bill document is not in the bill store")

    bad = OutgoingMessage("bill/2026-10/f/1/x@y", "a@b.example", "x@y.example", "<x@y>", broken)

    outcomes = list(mailer.deliver([a_message("ann"), bad, a_message("bob")]))

    assert {(bad.key, result, "the bill document is not in the bill store")} == {
        (outcome.key, outcome.result, outcome.error)
        for outcome in outcomes
        if outcome.result is not Result.SENT
    }
    assert len(outcomes) == 3


# -- the folder -----------------------------------------------------------------------------------


def test_a_file_bears_no_personal_data_and_is_the_offices_alone(tmp_path):
    folder = tmp_path / "home" / "mail"
    mailer = MailFolder(folder)

    for _ in range(2):
        results(mailer, "ann", "bob")

    files = sorted(folder.iterdir())
    assert len(files) == 2
    assert all(file.name.startswith("bill-2026-10-01.1037.1-") for file in files)
    assert not any("ann" in file.name for file in files)
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in files}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert a_message().content == files[0].read_bytes()


def test_a_message_that_may_not_go_leaves_no_part_of_itself_in_the_folder(tmp_path):
    def refuse(_key):
        raise TemporaryFailure("the journal of the outbox cannot be written")

    (found,) = MailFolder(tmp_path / "mail").deliver([a_message()], refuse)

    assert found.error == "the journal of the outbox cannot be written"
    assert [] == list((tmp_path / "mail").iterdir())


def test_a_folder_that_cannot_be_used_is_a_temporary_failure(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(TemporaryFailure):
        list(MailFolder(tmp_path / "file" / "mail").deliver([a_message()]))


# -- SMTP -----------------------------------------------------------------------------------------


def test_each_answer_concerns_its_own_message(pipelines):
    names = ["ann", "gone", "full", "grey", "late5", "late4", "lost250", "dropdot", "bob", "cid"]
    with running(MailServer(pipelines=pipelines)) as server:
        mailer = a_mailer(server, connections=1)
        found = results(mailer, *names)
        mailer.close()

    assert {name: outcome.result for name, outcome in found.items()} == {
        "ann": Result.SENT,
        "gone": Result.FAILED,
        "full": Result.DEFERRED,
        "grey": Result.DEFERRED,
        "late5": Result.FAILED,
        "late4": Result.DEFERRED,
        "lost250": Result.IN_DOUBT,
        "dropdot": Result.IN_DOUBT,
        "bob": Result.SENT,
        "cid": Result.SENT,
    }
    assert {"ann", "bob", "cid", "lost250"} == {
        recipient.partition("@")[0] for recipient in server.recipients
    }
    assert found["gone"].error == "550 5.1.1 <(address)>: no such user (address)"


@pytest.mark.parametrize("name", ["droprcpt", "bye421"])
def test_an_address_at_which_the_server_hangs_up_is_deferred_and_the_rest_goes_on(name, pipelines):
    with running(MailServer(pipelines=pipelines)) as server:
        mailer = a_mailer(server, connections=1)
        found = results(mailer, "ann", name, "bob")
        mailer.close()

    assert [outcome.result for outcome in found.values()] == [
        Result.SENT,
        Result.DEFERRED,
        Result.SENT,
    ]


def test_a_server_that_hangs_up_after_some_messages_gets_the_rest_over_a_new_connection(pipelines):
    with running(MailServer(pipelines=pipelines, messages_a_connection=3)) as server:
        mailer = a_mailer(server, connections=1)
        found = results(mailer, *(f"c{number}" for number in range(10)))
        mailer.close()

    assert {Result.SENT} == {outcome.result for outcome in found.values()}
    assert len(server.recipients) == 10
    assert server.greetings == 4


def test_connections_stay_open_from_batch_to_batch_and_no_more_than_allowed(pipelines):
    with running(MailServer(pipelines=pipelines, delay=0.02)) as server:
        mailer = a_mailer(server, connections=3)
        for batch in range(3):
            results(mailer, *(f"c{batch}-{number}" for number in range(12)))
        mailer.close()

    assert len(server.recipients) == 36
    assert server.greetings == 3


def test_a_server_with_few_connections_still_gets_everything(pipelines):
    with running(MailServer(pipelines=pipelines, connections_allowed=2, delay=0.02)) as server:
        mailer = a_mailer(server, connections=6)
        found = results(mailer, *(f"c{number}" for number in range(20)))
        mailer.close()

    assert {Result.SENT} == {outcome.result for outcome in found.values()}
    assert len(server.recipients) == 20


def test_a_slow_answer_after_the_final_dot_leaves_it_in_doubt(pipelines):
    with running(MailServer(pipelines=pipelines)) as server:
        mailer = a_mailer(server, connections=1, final=0.3)
        found = results(mailer, "slowdot", "ann")
        mailer.close()

    assert [outcome.result for outcome in found.values()] == [Result.IN_DOUBT, Result.SENT]


def test_a_message_larger_than_the_relay_takes_is_not_sent_at_all(pipelines):
    large = a_message("ann", b"Subject: x\r\n\r\n" + b"x" * 5_000 + b"\r\n")
    with running(MailServer(pipelines=pipelines, largest=4_000)) as server:
        mailer = a_mailer(server, connections=1)
        found = {outcome.key: outcome for outcome in mailer.deliver([large, a_message("bob")])}
        mailer.close()

    assert found[large.key].result == Result.FAILED
    assert found[large.key].error.startswith("552 5.3.4")
    assert server.recipients == ["bob@customer.example"]


def test_what_arrives_is_what_was_sent_dots_and_all(pipelines):
    content = b"Subject: x\r\n\r\n.\r\n..\r\n.hidden\r\nend\r\n"
    with running(MailServer(pipelines=pipelines)) as server:
        mailer = a_mailer(server)
        list(mailer.deliver([a_message("ann", content)]))
        list(mailer.deliver([a_message("bob", content.replace(b"\r\n", b"\n"))]))
        mailer.close()

    assert [content, content] == [received for _, _, received in server.accepted]
    assert server.accepted[0][0] == "bounces@larkspur.example"


def test_no_connection_is_raised_and_not_written_to_every_message(pipelines):
    with running(MailServer(pipelines=pipelines)) as server:
        mailer = a_mailer(server)
    taken: list[OutgoingMessage] = []

    def messages() -> Iterator[OutgoingMessage]:
        for number in range(1_000):
            taken.append(a_message(f"c{number}"))
            yield taken[-1]

    with pytest.raises(TemporaryFailure, match="no connection to the relay"):
        list(mailer.deliver(messages()))

    assert len(taken) < 20
    mailer.close()


def test_a_relay_that_comes_back_is_used_again(pipelines):
    with running(MailServer(pipelines=pipelines)) as server:
        mailer = a_mailer(server)
        results(mailer, "ann")
    with pytest.raises(TemporaryFailure):
        results(mailer, "bob")
    with running(MailServer(pipelines=pipelines, port=server.port)) as server:
        assert results(mailer, "bob")["bob"].result == Result.SENT
        mailer.close()


@pytest.mark.parametrize(
    ("reply", "failure"),
    [("550 5.7.1 not you", PermanentFailure), ("451 4.3.0 later", TemporaryFailure)],
)
def test_a_relay_that_refuses_the_sender_refuses_everybody(reply, failure, pipelines):
    with running(MailServer(pipelines=pipelines, refuses_sender=reply)) as server:
        mailer = a_mailer(server)
        with pytest.raises(failure, match="refuses the sender"):
            results(mailer, "ann", "bob", "cid")
        mailer.close()


def test_a_relay_that_only_hangs_up_is_given_up(pipelines):
    with running(MailServer(pipelines=pipelines)) as server:
        mailer = a_mailer(server, connections=1)
        outcomes = []
        with pytest.raises(TemporaryFailure, match="hangs up"):
            for outcome in mailer.deliver(a_message(f"bye421-{number}") for number in range(50)):
                outcomes.append(outcome.result)
        mailer.close()

    assert outcomes == []


@pytest.mark.parametrize("messages_per_minute", [0, 600])
def test_a_relay_that_only_hangs_up_is_given_up_however_slowly_messages_come(
    pipelines, messages_per_minute
):
    def slowly():
        for number in range(9):
            time.sleep(0.05)
            yield a_message(f"bye421-{number}")

    with running(MailServer(pipelines=pipelines)) as server:
        mailer = a_mailer(server, connections=1, messages_per_minute=messages_per_minute)
        outcomes = []
        with pytest.raises(TemporaryFailure, match="hangs up"):
            outcomes.extend(mailer.deliver(slowly()))
        mailer.close()

    assert outcomes == []


def test_messages_a_minute_are_never_more_than_the_relay_allows(pipelines):
    with running(MailServer(pipelines=pipelines)) as server:
        mailer = a_mailer(server, messages_per_minute=1_200)
        started = time.monotonic()
        results(mailer, *(f"c{number}" for number in range(11)))
        mailer.close()

    assert time.monotonic() - started >= 0.5  # however slow the machine is, never sooner


# -- encryption and login -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    files = (folder / "cert.pem", folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=mail.test", "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


def test_starttls_with_a_login_works_on_the_same_machine_with_any_certificate(certificate):
    with running(MailServer(certificate=certificate, login=("bill", "s3cret"))) as server:
        mailer = a_mailer(server, "smtp+starttls", username="bill", password="s3cret")
        found = results(mailer, "ann")
        mailer.close()

    assert found["ann"].result == Result.SENT
    assert server.was_encrypted == [True]


def test_a_certificate_is_verified_when_the_relay_is_elsewhere(certificate, monkeypatch):
    monkeypatch.setattr("mail.smtp.relay.is_loopback", lambda host: False)
    with running(MailServer(certificate=certificate)) as server:
        mailer = a_mailer(server, "smtp+starttls")
        with pytest.raises(PermanentFailure, match="certificate"):
            results(mailer, "ann")
        mailer.close()

    assert server.recipients == []


def test_nothing_goes_in_the_clear_when_starttls_is_wanted_and_not_offered():
    with running(MailServer()) as server:
        mailer = a_mailer(server, "smtp+starttls")
        with pytest.raises(PermanentFailure, match="STARTTLS"):
            results(mailer, "ann")
        mailer.close()

    assert server.recipients == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_wrong_password_is_for_a_person_and_is_not_repeated():
    with running(MailServer(login=("bill", "s3cret"))) as server:
        mailer = a_mailer(server, username="bill", password="wr0ng")
        with pytest.raises(PermanentFailure) as failure:
            results(mailer, "ann")
        mailer.close()

    assert "wr0ng" not in str(failure.value)
    assert "535" in str(failure.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("mail.example", 25, "", "", "")),
        ("smtp+starttls://mail.example", ("mail.example", 587, "starttls", "", "")),
        ("smtps://bill:p%40ss@mail.example:1465", ("mail.example", 1465, "tls", "bill", "p@ss")),
    ],
)
def test_a_relay_is_named_by_a_url(url, expected):
    relay = to_relay(url)

    assert expected == (
        relay.host, relay.port, relay.encryption, relay.username, relay.password,
    )  # fmt: skip
    assert bool(relay.encryption) == (relay.tls is not None)


@pytest.mark.parametrize("url", ["", "mail.example", "http://u:hunter2@x", "smtp://x:hunter2"])
def test_what_is_no_relay_is_refused_without_repeating_it(url):
    with pytest.raises(Misuse) as refusal:
        to_relay(url)

    assert "hunter2" not in str(refusal.value)
