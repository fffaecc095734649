"""E-bills over a real mail server."""

from __future__ import annotations

import pytest

from tests.flows.desk import Desk
from tests.mail.servers import MailServer, running


@pytest.fixture
def desk(waiting) -> Desk:
    """An office whose close is ready but for the yes."""
    return waiting


def test_a_mailbox_that_is_gone_needs_a_person_and_stops_nobody_else(desk, town):
    with running(MailServer()) as mail:
        url = f"smtp://127.0.0.1:{mail.port}"
        answer = desk.close(town, "--yes", BILLCLOSE_SMTP__URL=url)
        again = desk.close(town, "--yes", BILLCLOSE_SMTP__URL=url)

    assert (4, "closed") == (answer.status, answer.json["status"]), answer.err
    assert {"sent": 8, "failed": 1, "deferred": 0, "queued": 0, "in_doubt": 0} == answer.json[
        "deliveries"
    ]
    assert 8 == len(mail.accepted) == len(set(mail.recipients))
    assert sorted(row["recipient"] for row in desk.rows("deliveries", "status=sent")) == sorted(
        mail.recipients
    )
    (failed,) = desk.rows("deliveries", "status=failed")
    assert ("gone-gray@example.com", 1) == (failed["recipient"], failed["attempts"])
    assert failed["error"].startswith("550")
    (exception,) = desk.rows("exceptions", "code=mail-failed")
    assert ("01.1007.7", "mail-failed") == (exception["account"], exception["code"])
    assert 4 == again.status


@pytest.mark.release  # by its commands it is shown in test_mail_commands.py: red, and mailed later
def test_a_mail_server_that_is_away_defers_the_mails_and_the_next_run_sends_them(desk, town):
    with running(MailServer()) as mail:
        port = mail.port

    away = desk.close(town, "--yes", BILLCLOSE_SMTP__URL=f"smtp://127.0.0.1:{port}")
    with running(MailServer()) as mail:
        url = f"smtp://127.0.0.1:{mail.port}"
        later = desk.close(town, "--yes", as_of="2026-11-03T09:00", BILLCLOSE_SMTP__URL=url)

    assert (4, "closed", 9) == (
        away.status,
        away.json["status"],
        away.json["deliveries"]["deferred"],
    ), away.err
    assert {"sent": 8, "failed": 1, "deferred": 0, "queued": 0, "in_doubt": 0} == later.json[
        "deliveries"
    ]
    assert 8 == len(mail.accepted)


def test_a_mail_server_that_refuses_everybody_fails_prints_and_suppresses_nobody(desk, town):
    with running(MailServer(refuses_everybody="550 5.1.1 User unknown")) as mail:
        url = f"smtp://127.0.0.1:{mail.port}"
        refused = desk.close(town, "--yes", BILLCLOSE_SMTP__URL=url)
        spared = desk("bounces", "list", "--json").json
        printed = desk.rows("paper", "reason=ebill-bounced")
        mail.refuses_everybody = ""
        later = desk.close(town, "--yes", as_of="2026-11-03T09:00", BILLCLOSE_SMTP__URL=url)

    assert (4, "closed") == (refused.status, refused.json["status"]), refused.err
    assert {"sent": 0, "failed": 0, "deferred": 0, "queued": 9, "in_doubt": 0} == refused.json[
        "deliveries"
    ]
    (why,) = refused.json["mail_waits_for"]
    assert "550 5.1.1 User unknown" in why
    assert ([], []) == (spared["suppressed"], printed)
    assert 8 == later.json["deliveries"]["sent"] == len(mail.accepted)
