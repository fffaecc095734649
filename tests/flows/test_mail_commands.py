"""The outbox between closes: a server that was down, mails in doubt, what a clerk decides."""

from __future__ import annotations

import sqlite3
import time

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.sorting import FlowRunSort

from deployments.served import send
from office.prefect_server.server import RECORD_SECONDS
from tests.flows.desk import at_server
from tests.mail.servers import MailServer, running


@pytest.fixture
def down():
    """The URL of a server that nobody runs."""
    with running(MailServer()) as mail:
        port = mail.port
    return f"smtp://127.0.0.1:{port}"


def states(desk, *names):
    """The types of the states of the newest flow run and of its steps, which are told later."""
    with at_server(desk.settings["PREFECT_API_URL"]), get_client(sync_client=True) as client:
        (run,) = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)
        of_run = FlowRunFilter(id={"any_": [run.id]})
        until = time.monotonic() + RECORD_SECONDS
        while True:
            steps = client.read_task_runs(flow_run_filter=of_run, limit=200)
            known = {found.name: found.state for found in (*steps, run) if found.state}
            are_final = all(name in known and known[name].is_final() for name in names)
            if are_final or time.monotonic() > until:
                return [known[name].type.value for name in names]
            time.sleep(0.5)


def test_a_close_that_could_mail_nobody_is_red_stands_and_is_mailed_later(waiting, down):
    away = waiting.close("2026-10", "--yes", BILLCLOSE_SMTP__URL=down)
    red = states(
        waiting,
        "close 2026-10 Larkspur",
        "send paperless bills 2026-10",
        "write print batch 2026-10",
    )
    told = waiting("mail", "status", "2026-10", "--json")
    still = waiting(
        "mail", "send", "--json", "--as-of", "2026-11-02T10:00", BILLCLOSE_SMTP__URL=down
    )
    still_red = states(waiting, "send mail")
    with running(MailServer()) as mail:
        url = f"smtp://127.0.0.1:{mail.port}"
        sent = waiting(
            "mail", "send", "--json", "--as-of", "2026-11-02T11:00", BILLCLOSE_SMTP__URL=url
        )
    green = states(waiting, "send mail")

    assert (4, "closed", 9) == (
        away.status,
        away.json["status"],
        away.json["deliveries"]["deferred"],
    ), away.err
    assert "no connection to the relay" in away.sentences[0]
    assert away.json["paper"]["file"]
    assert ["FAILED", "FAILED", "COMPLETED"] == red
    assert (0, 9, "2026-11-02T16:00:00+00:00") == (
        told.status,
        told.json["waiting"],
        told.json["oldest_waiting"],
    )
    assert [9] == [reason["mails"] for reason in told.json["reasons"]]
    assert (4, "unsent", 0, 9) == (
        still.status,
        still.json["status"],
        still.json["sent"],
        still.json["deferred"],
    ), still.err
    assert ["FAILED"] == still_red
    assert (4, 8, 1) == (sent.status, sent.json["sent"], sent.json["failed"]), sent.err
    assert 8 == len(mail.accepted)
    assert ["COMPLETED"] == green
    assert ["send mail"] == [
        row["action"] for row in waiting.rows("audit") if row["subject"] == "outbox"
    ]


def test_a_clerk_sends_again_what_failed_and_confirms_what_was_in_doubt(waiting):
    with running(MailServer()) as mail:
        url = f"smtp://127.0.0.1:{mail.port}"
        waiting.close("2026-10", "--yes", BILLCLOSE_SMTP__URL=url)
    (failed,) = waiting.rows("deliveries", "status=failed")
    first, second, *_ = waiting.rows("deliveries", "status=sent")
    put_in_doubt(waiting, first, second)
    reason = ("--reason", "the log says so", "--as-of", "2026-11-03T09:00")

    confirmed = waiting("mail", "confirm", first["message_id"], *reason, "--json")
    refused = waiting("mail", "confirm", first["message_id"], *reason, "--json")
    again = waiting("mail", "again", second["message_id"], *reason)
    left = ("--failed", "2026-10", "--leave-suppressed")
    suppressed = waiting("mail", "again", *left, *reason, "--json")
    with running(MailServer()) as mail:
        url = f"smtp://127.0.0.1:{mail.port}"
        sent = waiting("mail", "send", "--as-of", "2026-11-03T10:00", BILLCLOSE_SMTP__URL=url)

    assert (0, 1) == (confirmed.status, confirmed.json["mails"]), confirmed.err
    assert (3, "wrong-status") == (refused.status, refused.json["refusal"]["code"])
    assert (0, "1 mail queued again.") == (again.status, again.out.splitlines()[0]), again.err
    assert (4, 0, 1) == (
        suppressed.status,
        suppressed.json["mails"],
        suppressed.json["suppressed"],
    ), suppressed.err
    assert (0, "Mail: 1 sent (1 possible duplicate).\n") == (sent.status, sent.out), sent.err
    assert [second["recipient"]] == mail.recipients
    (twice,) = waiting.rows("deliveries", "possible_duplicate=true")
    assert second["recipient"] == twice["recipient"]
    assert failed["recipient"] not in mail.recipients
    acts = [row["action"] for row in waiting.rows("audit")]
    assert (1, 1) == (acts.count("confirm mail"), acts.count("send mail again"))
    status = waiting("mail", "status")
    assert "1 mail may have arrived twice." in status.out

    all_of_them = waiting("mail", "again", "--failed", "2026-10", *reason, "--json")
    assert (0, 1, 0) == (
        all_of_them.status,
        all_of_them.json["mails"],
        all_of_them.json["suppressed"],
    ), all_of_them.err
    assert [] == waiting("bounces", "list", "--json").json["suppressed"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["again", "--reason", "x"], "Name the mails by their message_id"),
        (["again", "<a@b>", "--failed", "2026-10", "--reason", "x"], "Name the mails by their"),
        (["again", "<a@b>", "--account", "1", "--reason", "x"], "--account needs --failed"),
        (["again", "<a@b>"], "Missing option '--reason'"),
        (["again", "<a@b>", "--reason", " "], "--reason must not be empty"),
        (["again", "<a@b>", "--reason", "x"], "There is no mail by that name"),
        (["again", "--failed", "1999-01", "--reason", "x"], "No export of period 1999-01"),
        (["confirm", "--reason", "x"], "Missing argument"),
        (["status", "1999-01"], "No export of period 1999-01"),
    ],
)
def test_one_sentence_says_what_was_wrong(desk, words, sentence):
    answer = desk("mail", *words)

    assert 2 == answer.status
    assert 1 == len(answer.sentences)
    assert sentence in answer.sentences[0]


def test_mail_is_sent_from_the_server(desk, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_HOME", str(desk.home))
    with at_server(desk.settings["PREFECT_API_URL"]):
        done = send(return_state=True)

    assert ("Completed", "0 sent") == (done.name, done.message)


def put_in_doubt(desk, *rows):
    """Do what a kill does between a mail server's taking a message and our writing that down."""
    with sqlite3.connect(desk.home / "billclose.db") as books:
        for row in rows:
            books.execute(
                "UPDATE delivery SET status = 'in-doubt', sent_at = NULL WHERE message_id = ?",
                [row["message_id"]],
            )
    books.close()
