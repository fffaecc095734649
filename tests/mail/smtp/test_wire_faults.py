"""What becomes of messages when the server refuses, hangs up or falls silent; pipelined or not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from domain.failures import PermanentFailure, TemporaryFailure
from mail.port import MailOutcome, Result
from mail.smtp.connection import Patience
from mail.smtp.mailer import SmtpMailer
from mail.smtp.relay import to_relay
from tests.mail.builders import a_message
from tests.mail.scripted import Fault, Scripted, speaking

LATER, NEVER = "451 4.3.0 not now", "554 5.0.0 never"
SENT, DEFERRED, FAILED, IN_DOUBT = Result.SENT, Result.DEFERRED, Result.FAILED, Result.IN_DOUBT
WAITS = ("reply", "data", "block", "final")
LARGE = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n"


def a_mailer(script: Scripted, connections: int = 1, **options) -> SmtpMailer:
    waits = dict.fromkeys(WAITS, 20) | options.pop("waits", {})
    relay = to_relay(
        f"smtp://127.0.0.1:{script.port}",
        connect_timeout=20,
        patience=Patience(**waits),
        **options,
    )
    return SmtpMailer(relay, connections=connections)


def send(
    script: Scripted,
    *names: str,
    content: bytes = LARGE,
    contents: dict[str, bytes] | None = None,
    **options,
) -> dict[str, MailOutcome]:
    """
    Send over one connection, in order, and return the outcomes by name.

    `contents` holds those of the messages that have not the same one as the others.
    """
    mailer = a_mailer(script, **options)
    messages = [a_message(name, (contents or {}).get(name, content)) for name in names]
    try:
        outcomes = {outcome.key: outcome for outcome in mailer.deliver(messages)}
    finally:
        mailer.close()
    return {name: outcomes[message.key] for name, message in zip(names, messages, strict=True)}


def results(found: dict[str, MailOutcome]) -> list[Result]:
    return [outcome.result for outcome in found.values()]


@pytest.fixture(params=[True, False], ids=["pipelined", "step by step"])
def pipelines(request) -> bool:
    return request.param


@pytest.fixture
def script(pipelines) -> Scripted:
    return Scripted(pipelines=pipelines)


@pytest.mark.parametrize(("reply", "result"), [(LATER, DEFERRED), (NEVER, FAILED)])
@pytest.mark.parametrize("command", ["RCPT", "DATA", "."])
def test_a_refused_message_costs_only_itself(script, command, reply, result):
    script.faults = [Fault(command, reply, only="bad")]

    with speaking(script):
        found = send(script, "ann", "bad1", "bob", "bad2", "bad3", "cid")

    assert [SENT, result, SENT, result, result, SENT] == results(found)
    assert ["ann", "bob", "cid"] == script.names
    assert found["bad1"].error == reply
    assert 1 == script.connections


@pytest.mark.parametrize(
    ("reply", "failure"), [(LATER, TemporaryFailure), (NEVER, PermanentFailure)]
)
@pytest.mark.parametrize("command", ["CONNECT", "EHLO", "MAIL"])
def test_a_relay_that_refuses_us_costs_no_message_an_attempt(script, command, reply, failure):
    script.faults = [Fault(command, reply)]
    outcomes: list[MailOutcome] = []

    with speaking(script):
        mailer = a_mailer(script, connections=2)
        with pytest.raises(failure, match=reply[:3]):
            outcomes.extend(mailer.deliver(a_message(f"c{number}") for number in range(20)))
        mailer.close()

    assert [] == outcomes
    assert [] == script.kept


def test_the_first_message_may_be_refused(script):
    script.faults = [Fault("RCPT", NEVER, only="bad")]

    with speaking(script):
        found = send(script, "bad", "ann")

    assert [FAILED, SENT] == results(found)


def test_a_server_that_asks_for_a_body_nobody_gets_is_given_a_lone_dot(script):
    script.is_eager = True
    script.faults = [Fault("RCPT", NEVER, only="bad")]

    with speaking(script):
        found = send(script, "bad1", "ann", "bad2", "bad3", "bob")

    assert [FAILED, SENT, FAILED, FAILED, SENT] == results(found)
    assert ["ann", "bob"] == script.names
    assert {LARGE} == {kept.body for kept in script.kept}


def test_a_server_of_old_knows_only_helo(script):
    script.faults = [Fault("EHLO", "502 5.5.1 what?")]

    with speaking(script):
        found = send(script, "ann", "bob")

    assert [SENT, SENT] == results(found)
    assert not any("SIZE=" in kept.mail for kept in script.kept)


# -- the connection goes --------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["RCPT", "DATA", "BODY"])
@pytest.mark.parametrize("reply", ["", "421 4.7.0 too busy"])
def test_a_connection_that_goes_before_the_dot_defers_and_the_rest_goes_on(script, command, reply):
    script.faults = [Fault(command, reply, drops=True, only="bad")]

    with speaking(script):
        found = send(script, "ann", "bad", "bob", "cid", content=LARGE * 100_000)

    assert [SENT, DEFERRED, SENT, SENT] == results(found)
    assert ["ann", "bob", "cid"] == script.names


@pytest.mark.parametrize(
    ("keeps", "kept"), [(False, ["ann", "bob"]), (True, ["ann", "bad", "bob"])]
)
def test_a_connection_that_goes_after_the_dot_leaves_that_message_alone_in_doubt(
    script, keeps, kept
):
    script.faults = [Fault(".", drops=True, only="bad", keeps=keeps)]

    with speaking(script):
        found = send(script, "ann", "bad", "bob")

    assert [SENT, IN_DOUBT, SENT] == results(found)
    assert kept == script.names


def test_421_after_the_dot_means_that_it_was_not_taken(script):
    script.messages_a_connection = 2

    with speaking(script):
        found = send(script, *(f"c{number}" for number in range(7)))

    assert {SENT} == set(results(found))
    assert 7 == len(script.kept) == len(set(script.names))
    assert 4 == script.connections


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
def test_one_421_at_any_time_costs_nobody_anything(script, command):
    script.faults = [Fault(command, "421 4.3.2 going down", drops=True, only="c3", times=1)]
    if command == "MAIL":
        script.faults[0].only = ""

    with speaking(script):
        found = send(script, *(f"c{number}" for number in range(6)))

    assert {SENT} == set(results(found))
    assert 6 == len(script.kept) == len(set(script.names))


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_relay_that_always_hangs_up_is_given_up_and_costs_nobody_an_attempt(script, command):
    script.faults = [Fault(command, "421 4.3.2 no", drops=True)]
    outcomes: list[MailOutcome] = []

    with speaking(script):
        mailer = a_mailer(script, connections=1)
        with pytest.raises(TemporaryFailure, match="hangs up"):
            outcomes.extend(mailer.deliver(a_message(f"c{number}") for number in range(30)))
        mailer.close()

    assert [] == outcomes
    assert script.connections < 10


def test_a_message_at_which_the_relay_hangs_up_is_given_up_some_day_even_if_it_is_alone(script):
    script.faults = [Fault("RCPT", drops=True)]

    with speaking(script):
        found = send(script, "bad")

    assert [DEFERRED] == results(found)


def test_a_refusal_stands_even_if_the_server_hangs_up_right_after_it(script):
    script.faults = [Fault("RCPT", NEVER, drops=True, only="bad")]

    with speaking(script):
        found = send(script, "bad", "ann")

    assert [FAILED, SENT] == results(found)


def test_connections_beyond_the_relays_limit_are_done_without(script):
    script.faults = [Fault("CONNECT", "421 4.7.0 too many", drops=True, only="")]
    script.faults[0].times = 0  # from the third connection on:
    original = script.fault

    def fault(command: str, argument: str):
        if command == "CONNECT":
            script.faults[0].times = int(script.connections > 2)
        return original(command, argument)

    script.fault = fault

    with speaking(script):
        found = send(script, *(f"c{number}" for number in range(20)), connections=6)

    assert {SENT} == set(results(found))
    assert 20 == len(set(script.names))


# -- silence --------------------------------------------------------------------------------------


def all_at_once(cases: list[tuple], try_one) -> list:
    """What comes of each case, in their order: each waits for a server of its own, so together."""
    with ThreadPoolExecutor(len(cases)) as threads:
        return list(threads.map(lambda case: try_one(*case), cases))


def test_each_phase_has_its_own_time():
    phases = [("RCPT", "reply", DEFERRED), ("DATA", "data", DEFERRED), (".", "final", IN_DOUBT)]

    def fall_silent(pipelines, command, wait, _result):
        script = Scripted(pipelines=pipelines, faults=[Fault(command, hangs=True, only="bad")])
        with speaking(script):
            waits = dict.fromkeys(WAITS, 3_600) | {wait: 0.5}  # any other would never end
            return results(send(script, "ann", "bad", "bob", waits=waits))

    cases = [(pipelines, *phase) for pipelines in (True, False) for phase in phases]

    assert [[SENT, case[-1], SENT] for case in cases] == all_at_once(cases, fall_silent)


def test_a_server_that_stops_reading_a_body_has_not_got_the_message(script):
    script.faults = [Fault("BODY", hangs=True, only="bad")]

    with speaking(script):  # only a body of several blocks waits for the server to read
        found = send(script, "bad", "ann", contents={"bad": LARGE * 100_000}, waits={"block": 0.3})

    assert [DEFERRED, SENT] == results(found)
    assert ["ann"] == script.names


def test_a_definite_refusal_before_the_body_is_through_is_not_lost_to_a_hang(script):
    script.faults = [Fault("BODY", NEVER, hangs=True, only="bad")]

    with speaking(script):
        found = send(script, "bad", "ann", content=LARGE * 100_000)

    assert [FAILED, SENT] == results(found)
    assert found["bad"].error == NEVER


def test_a_definite_refusal_after_the_dot_is_not_lost_to_a_hang(script):
    script.faults = [Fault(".", NEVER, hangs=True, only="bad")]

    with speaking(script):
        found = send(script, "bad", "ann", waits={"reply": 0.3})

    assert [FAILED, SENT] == results(found)


def test_slow_answers_are_waited_for():
    def answer_slowly(pipelines, command):
        script = Scripted(pipelines=pipelines, faults=[Fault(command, seconds=0.2, times=2)])
        with speaking(script):
            return results(send(script, "ann", "bob", "cid")), script.names

    commands = ("EHLO", "MAIL", "RCPT", "DATA", ".")
    cases = [(pipelines, command) for pipelines in (True, False) for command in commands]

    whole = ([SENT] * 3, ["ann", "bob", "cid"])
    assert dict.fromkeys(cases, whole) == dict(
        zip(cases, all_at_once(cases, answer_slowly), strict=True)
    )


# -- size -----------------------------------------------------------------------------------------


def test_a_message_larger_than_announced_is_not_even_begun(script):
    script.extensions = ("SIZE 300",)
    large, small = a_message("large", LARGE * 10), a_message("small", LARGE)

    with speaking(script):
        mailer = a_mailer(script)
        found = {o.key: o for o in mailer.deliver([small, large, a_message("small2"), large])}
        mailer.close()

    assert (FAILED, True) == (found[large.key].result, found[large.key].too_large)
    assert found[large.key].error.startswith("552 5.3.4")
    assert ["small", "small2"] == script.names
    assert not any("large" in command for command in script.commands)


@pytest.mark.parametrize(
    ("announced", "refused_at", "only"),
    [
        ("SIZE 300", "", ""),
        ("SIZE", "MAIL", "SIZE=860"),
        ("SIZE", "DATA", "large"),
        ("SIZE", ".", "large"),
    ],
)
def test_what_is_too_large_goes_again_smaller_and_is_answered_once(
    script, announced, refused_at, only
):
    script.extensions = (announced,)
    script.faults = [Fault(refused_at, "552 5.3.4 too big", only=only, times=1)]
    large = replace(a_message("large", LARGE * 10), smaller=lambda: LARGE)
    messages = [a_message("ann", LARGE), large, a_message("bob", LARGE)]
    told: list[MailOutcome] = []

    with speaking(script):
        mailer = a_mailer(script)
        found = list(mailer.deliver(messages, lambda _key: told.append))
        mailer.close()

    assert [SENT] * 3 == [outcome.result for outcome in found] == [one.result for one in told]
    assert {message.key for message in messages} == {outcome.key for outcome in found}
    assert ["ann", "bob", "large"] == script.names
    assert {LARGE} == {kept.body for kept in script.kept}


def test_what_is_too_large_even_when_it_is_smaller_fails(script):
    script.extensions = ("SIZE 300",)
    large = replace(a_message("large", LARGE * 10), smaller=lambda: LARGE * 9)

    with speaking(script):
        mailer = a_mailer(script)
        (found,) = mailer.deliver([large])
        mailer.close()

    assert (FAILED, True) == (found.result, found.too_large)
    assert [] == script.kept


def test_a_smaller_message_that_cannot_be_made_says_why(script):
    def make() -> bytes:
        raise PermanentFailure("no template")

    script.extensions = ("SIZE 300",)
    large = replace(a_message("large", LARGE * 10), smaller=make)

    with speaking(script):
        mailer = a_mailer(script)
        found = [*mailer.deliver([large, a_message("ann", LARGE)])]
        mailer.close()

    assert {(FAILED, "no template"), (SENT, "")} == {(one.result, one.error) for one in found}


@pytest.mark.parametrize(
    ("command", "reply", "is_size"),
    [
        ("MAIL", "552 message size exceeds fixed maximum message size", True),
        ("MAIL", "552 5.3.4 too much", True),
        ("DATA", "552 5.3.4 Message too big for system", True),
        (".", "552 Too much mail data", True),
        (".", "554 Message size limit exceeded", True),
        (".", "554 5.3.4 no", True),
        (".", "552-5.2.3 Your message exceeded\r\n552 5.2.3 our limits", True),
        (".", "552 5.2.2 Mailbox full", False),
        (".", "552 Quota exceeded", False),
        (".", "552 5.7.0 blocked for its content", False),
        ("RCPT", "552 5.2.2 over quota", False),
        ("RCPT", "550 5.1.1 no such user", False),
        (".", "452 4.3.1 not enough space for this size", False),
    ],
)
def test_a_refusal_for_size_can_be_told_from_others(script, command, reply, is_size):
    script.faults = [Fault(command, reply, times=1)]

    with speaking(script):
        found = send(script, "large", "ann")

    assert is_size == found["large"].too_large
    assert SENT == found["ann"].result
    assert (DEFERRED if reply.startswith("4") else FAILED) == found["large"].result


# -- pipelining -----------------------------------------------------------------------------------


def test_pipelined_a_message_takes_one_round_trip():
    script = Scripted()

    with speaking(script):
        found = send(
            script, *(f"c{number}" for number in range(40)), content=b"Subject: x\r\n\r\n."
        )

    assert {SENT} == set(results(found))
    assert 40 == len(script.kept)
    assert script.round_trips < 40 * 1.3 + 6


@pytest.mark.parametrize("reason", ["setting", "server"])
def test_without_pipelining_each_command_waits_for_its_answer(reason):
    script = Scripted(pipelines=reason == "setting")

    with speaking(script):
        found = send(
            script, *(f"c{number}" for number in range(10)), pipelining=reason != "setting"
        )

    assert {SENT} == set(results(found))
    assert script.round_trips >= 40


def test_a_server_that_announces_pipelining_and_cannot_do_it_is_served_step_by_step():
    script = Scripted(chokes=True)

    with speaking(script):
        mailer = a_mailer(script)
        for batch in range(4):
            outcomes = mailer.deliver(a_message(f"c{batch}-{number}") for number in range(5))
            assert {SENT} == {outcome.result for outcome in outcomes}
        mailer.close()

    assert 20 == len(set(script.names)) == len(script.kept)


def test_messages_at_which_the_relay_hangs_up_do_not_cost_it_its_pipelining():
    script = Scripted(faults=[Fault("RCPT", drops=True, only="bad")])
    names = [name for number in range(4) for name in (f"c{number}", f"bad{number}")]

    with speaking(script):
        found = send(script, *names, *(f"d{number}" for number in range(40)))

    assert [SENT, DEFERRED] * 4 + [SENT] * 40 == results(found)
    assert script.round_trips < 40 * 1.3 + 60


def test_no_more_messages_go_over_a_connection_than_the_office_allows(script):
    with speaking(script):
        found = send(script, *(f"c{number}" for number in range(10)), messages_per_connection=3)

    assert {SENT} == set(results(found))
    assert 4 == script.connections
    assert 3 <= script.commands.count("QUIT")


def test_several_lanes_share_a_batch_with_all_kinds_of_trouble(script):
    script.faults = [
        Fault("RCPT", NEVER, only="gone"),
        Fault("RCPT", LATER, only="grey"),
        Fault(".", NEVER, only="spam"),
        Fault(".", drops=True, only="lost", keeps=True),
    ]
    names = [f"{kind}{number}" for number in range(12) for kind in ("ok", "gone", "ok-", "grey")]
    names += ["spam1", "lost1", "spam2", "ok99"]

    with speaking(script):
        found = send(script, *names, connections=4)

    expected = {"ok": SENT, "go": FAILED, "gr": DEFERRED, "sp": FAILED, "lo": IN_DOUBT}
    assert [expected[name[:2]] for name in names] == results(found)
    assert sorted(name for name in names if name[:2] in ("ok", "lo")) == script.names


# -- the hook -------------------------------------------------------------------------------------


def test_the_hook_is_told_of_each_message_whose_body_is_written_and_of_no_other(script):
    script.faults = [Fault("RCPT", NEVER, only="bad")]
    told: list[str] = []
    messages = [a_message(name) for name in ("ann", "bad", "bob")]

    with speaking(script):
        mailer = a_mailer(script)
        list(mailer.deliver(messages, told.append))
        mailer.close()

    assert [messages[0].key, messages[2].key] == told


def test_a_hook_that_fails_keeps_that_message_from_being_handed_over(script):
    def hook(key: str) -> None:
        raise RuntimeError("the journal cannot be written")

    with speaking(script):
        mailer = a_mailer(script)
        with pytest.raises(RuntimeError):
            list(mailer.deliver([a_message("ann"), a_message("bob")], hook))
        mailer.close()

    assert [] == script.kept


# -- the envelope ---------------------------------------------------------------------------------


def test_bounces_are_asked_for_by_message_id_with_headers_only(script):
    with speaking(script):
        send(script, "a+b=c")

    (kept,) = script.kept
    assert (
        f"FROM:<bounces@larkspur.example> SIZE={len(LARGE)} RET=HDRS ENVID=a+2Bb+3Dc@x"
    ) == kept.mail
    assert (
        "TO:<a+b=c@customer.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb+3Dc@customer.example"
    ) == kept.rcpt


def test_a_server_that_announces_nothing_gets_a_bare_envelope(script):
    script.extensions = ()

    with speaking(script):
        send(script, "ann")

    (kept,) = script.kept
    assert ("FROM:<bounces@larkspur.example>", "TO:<ann@customer.example>") == (
        kept.mail,
        kept.rcpt,
    )


@pytest.mark.parametrize("knows", [True, False])
def test_an_address_in_other_letters_goes_only_where_the_relay_knows_them(script, knows):
    if not knows:
        script.extensions = ("SIZE 0", "8BITMIME")

    with speaking(script):
        found = send(script, "ann", "jörg", "bob")

    if knows:
        assert {SENT} == set(results(found))
        (kept,) = [kept for kept in script.kept if kept.name == "jörg"]
        assert " SMTPUTF8 " in kept.mail
        assert "ORCPT=utf-8;j\\x{F6}rg@customer.example" in kept.rcpt
        assert not any("SMTPUTF8" in kept.mail for kept in script.kept if kept.name != "jörg")
    else:
        assert [SENT, FAILED, SENT] == results(found)
        assert "SMTPUTF8" in found["jörg"].error
        assert "jörg" not in found["jörg"].error


@pytest.mark.parametrize(
    "address",
    ["ann\r\nRCPT TO:<eve@evil.example>", "ann>\nDATA", "ann eve", "ann\0", "ann\u2028x", "<ann"],
)
def test_no_address_can_slip_in_a_command(script, address):
    with speaking(script):
        found = send(script, "bob", address, "cid")

    assert [SENT, FAILED, SENT] == results(found)
    assert ["bob", "cid"] == script.names
    assert not any("eve" in command for command in script.commands)
    assert "eve" not in found[address].error


TAKES_LOGINS = ("AUTH PLAIN", "PIPELINING", "SIZE 100000000")
NO_LOGIN = r"the mail server refuses the name \(smtp.username\) or the password: 535 5.7.8 no"


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault("AUTH", "535 5.7.8 no"), PermanentFailure, NO_LOGIN),
        (Fault("AUTH", "535 5.7.8 no", drops=True), PermanentFailure, NO_LOGIN),
        (Fault("AUTH", "534 5.7.9 no"), PermanentFailure, "the name .* or the password: 534"),
        (Fault("AUTH", "454 4.7.0 db"), TemporaryFailure, "cannot check the login now: 454 4.7.0"),
        (Fault("AUTH", "421 4.7.0 busy", drops=True), TemporaryFailure, "421 4.7.0 busy"),
        (Fault("AUTH", hangs=True), TemporaryFailure, "not answered the login within 0.3 seconds"),
        (Fault("AUTH", drops=True), TemporaryFailure, "hung up at the login"),
        (Fault("MAIL", "530 5.7.0 log in"), PermanentFailure, "wants a login .* or encryption"),
        (Fault("EHLO", "530 5.7.0 log in"), PermanentFailure, "wants a login .* or encryption"),
    ],
)  # fmt: skip
def test_a_login_that_fails_is_told_at_once_by_its_reason(fault, kind, words):
    login = {"username": "bill", "password": "wr0ng"}
    script = Scripted([fault], extensions=TAKES_LOGINS)
    with speaking(script), pytest.raises(kind, match=words) as failure:
        send(script, "ann", "bob", waits={"login": 0.3}, **login)

    assert "wr0ng" not in str(failure.value)
    assert "connection to the relay" not in str(failure.value)
    assert script.kept == []
