"""Communications as a clerk posts, counts and sends them; the server's flow; who wants none."""

from __future__ import annotations

import io
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from deployments.served import send_news
from mail.letters.samples import sample_pdf
from office.clock import Clock
from office.equipment.office import Office, at_work
from office.settings.mail import CommunicationsSettings
from office.settings.settings import Settings
from tasks.communicating import send_all
from tests.flows.desk import Desk, at_server
from tests.mail.servers import MailServer, running

AS_OF = "2026-11-05T10:00"
PORTAL = ["CAM.COLE@example.com", "dana@example.net"]
WAYS = {
    "BILLCLOSE_COMMUNICATIONS__LINK_URL": "https://larkspur.example/news/{number}",
    "BILLCLOSE_COMMUNICATIONS__UNSUBSCRIBE_URL": "https://larkspur.example/out/{token}",
}
TEXT = """Dear neighbors,

leaves are picked up on Monday at {{ customer_name }}'s curb.
Account {{ account_number }}.

{{ LatestCommunicationLink }}
"""


@pytest.fixture
def office(closed, tmp_path) -> Desk:
    """A closed October; the customers have eight mailboxes, two of them portal logins."""
    return closed.copied(tmp_path / "office")


@pytest.fixture
def body(tmp_path) -> Path:
    file = tmp_path / "leaves.txt"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture
def leaflet(tmp_path) -> Path:
    file = tmp_path / "leaflet.pdf"
    file.write_bytes(sample_pdf())
    return file


def send(desk: Desk, body: Path, *arguments: object, as_of: str = AS_OF, **settings: str):
    words = ("--subject", "Leaves", "--body", body, "--as-of", as_of, "--json", *arguments)
    return desk("communication", "send", *words, **settings)


def communication(desk: Desk, *arguments: object, as_of: str = AS_OF, **settings: str):
    return desk("communication", *arguments, "--as-of", as_of, **settings)


def mails(desk: Desk, kind: str = "communication") -> list[EmailMessage]:
    files = sorted((desk.home / "mail").rglob(f"{kind}*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=default) for file in files]  # type: ignore[misc]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_mass_mail_is_counted_confirmed_and_sent_once_to_each_mailbox(office, body):
    looked = send(office, body, "--to-customers", "--dry-run")
    waits = send(office, body, "--to-customers")
    count = looked.json["mailboxes"]
    wrong = send(office, body, "--to-customers", "--yes-to", count + 1)
    nothing = office.rows("mailings"), mails(office)
    done = send(office, body, "--to-customers", "--yes-to", count, **WAYS)
    again = send(office, body, "--to-customers", "--yes-to", count, **WAYS)

    assert (0, "dry-run", 9) == (looked.status, looked.json["status"], count), looked.err
    assert (4, "waiting") == (waits.status, waits.json["status"])
    assert (3, "wrong-count") == (wrong.status, wrong.json["refusal"]["code"])
    assert ([], []) == nothing
    assert (0, "sent", 9, 9) == (
        done.status, done.json["status"], done.json["queued"], done.json["sent"],
    ), done.err  # fmt: skip
    assert (0, "sent-before") == (again.status, again.json["status"]), again.err
    recipients = [str(mail["To"]).casefold() for mail in mails(office)]
    assert 9 == len(recipients) == len(set(recipients))
    (row,) = office.rows("mailings")
    assert ("done", 9, 9) == (row["status"], row["mailboxes"], row["sent"])


def test_the_mail_says_what_its_reader_is_called_and_has_a_way_out(office, body, leaflet):
    words = ("--account", "01.1003.3", "--attach", leaflet)
    done = send(office, body, *words, "--yes-to", 2, **WAYS)
    cam, dana = sorted(mails(office), key=lambda mail: str(mail["To"]).casefold())

    assert 0 == done.status, done.err
    assert "leaves are picked up on Monday at Cam Cole's curb. Account 01.1003.3." in text_of(cam)
    assert "dana@example.net" == dana["To"]
    assert ["leaflet.pdf"] == [part.get_filename() for part in cam.iter_attachments()]
    assert "List-Unsubscribe=One-Click" == cam["List-Unsubscribe-Post"]
    assert cam["List-Unsubscribe"] != dana["List-Unsubscribe"]
    stored = list((office.home / "bills" / "communications").iterdir())
    assert [sample_pdf()] == [file.read_bytes() for file in stored]
    assert [0o600] == [file.stat().st_mode & 0o777 for file in stored]


def test_who_unsubscribes_gets_no_more_news_and_all_the_rest(office, body):
    first = send(office, body, "--to-portal-users", "--yes-to", 2, **WAYS)
    link = str(mails(office)[0]["List-Unsubscribe"])
    token = link.split("/out/")[1].split(">")[0]
    gone = communication(office, "unsubscribe", token, **WAYS)
    twice = communication(office, "unsubscribe", token, **WAYS)
    nobody = communication(office, "unsubscribe", "a" * 24, **WAYS)
    other = send(office, body, "--to-portal-users", "--dry-run", as_of="2026-11-06T10:00", **WAYS)
    reminded = office("remind", "--json", "--as-of", "2026-11-21T06:00")
    (address,) = [row["address"] for row in office.rows("unsubscribed-addresses")]
    back = communication(office, "resubscribe", address, "--reason", "she called")
    all_again = send(office, body, "--to-portal-users", "--dry-run", **WAYS)

    assert [0, 0, 0, 2] == [one.status for one in (first, gone, twice, nobody)], first.err
    assert "(it was before)" in twice.out
    assert (1, {"unsubscribed": 1, "no-account": 1}) == (
        other.json["mailboxes"],
        other.json["left_out"],
    )
    assert address in [
        row["recipient"].casefold() for row in office.rows("deliveries", "kind=past-due")
    ], reminded.err
    assert (0, 2) == (back.status, all_again.json["mailboxes"])
    assert {"unsubscribe", "resubscribe"} <= {row["action"] for row in office.rows("audit")}


def test_the_latest_live_communication_is_what_mails_link_to(office, body, leaflet, tmp_path):
    newer = tmp_path / "rates.pdf"
    newer.write_bytes(sample_pdf() + b"\n% rates\n")
    added = communication(office, "add", leaflet, "--title", "Leaves")
    again = communication(office, "add", leaflet, "--title", "Leaves")
    other = communication(office, "add", leaflet, "--title", "Something else")
    communication(office, "add", newer, "--title", "Rates", "--expires", "2026-11-30", "--json")
    words = ("--account", "01.1003.3", "--dry-run")
    links = [
        send(office, body, *words, as_of=at, **WAYS).json["text"].splitlines()[5:7]
        for at in ("2026-11-30T23:59", "2026-12-01T00:01")
    ]
    removed = communication(office, "remove", 1, "--reason", "the leaves are gone")
    none = send(office, body, *words, as_of="2026-12-01T00:01", **WAYS).json["text"]
    listed = communication(office, "list", "--json", as_of="2026-12-01T00:01", **WAYS).json

    assert ["Communication 1 is posted.", "Communication 1 is there."] == [
        added.out.strip(), again.out.strip(),
    ]  # fmt: skip
    assert (3, 0) == (other.status, removed.status)
    assert ["https://larkspur.example/news/2" in str(links[0]), True] == [
        True, "https://larkspur.example/news/1" in str(links[1]),
    ]  # fmt: skip
    assert "larkspur.example/news" not in none
    assert [(2, False, False)] == [
        (row["number"], row["live"], row["latest"]) for row in listed["communications"]
    ]
    assert ["the leaves are gone", None] == [
        row["removal_reason"] for row in office.rows("communications")
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(("--to-customers", "--to-portal-users"), "misuse", id="two audiences"),
        pytest.param((), "misuse", id="no audience"),
        pytest.param(("--account", "99.9999.9"), "unknown-account", id="nobody's account"),
        pytest.param(("--where", "colour=red"), "misuse", id="no such column"),
        pytest.param(("--to", "a@b;c@d"), "wrong-address", id="several addresses in one"),
        pytest.param(("--to-customers", "--communication", 7), "misuse", id="nothing to link to"),
    ],
)
def test_an_audience_that_is_none_is_misuse(office, body, words, code):
    answer = send(office, body, *words, "--yes-to", 1)

    assert (2, code) == (answer.status, answer.json["refusal"]["code"])
    assert [] == office.rows("mailings")


@pytest.mark.parametrize("subject", ["Hi\r\nBcc: all@x.example", "Hi\nX: y", "", "{{ utility }}"])
def test_a_subject_that_could_be_another_header_is_misuse(office, body, subject):
    words = ("--subject", subject, "--body", body, "--to-customers", "--yes-to", 9)
    answer = office("communication", "send", *words, "--json")

    assert (2, []) == (answer.status, mails(office))


def test_a_test_goes_to_oneself_alone_and_never_bears_a_customers_way_out(office, body):
    tested = send(office, body, "--to-customers", "--test-to", "me@office.example", **WAYS)
    (mail,) = mails(office, "test")
    sent = send(office, body, "--account", "01.1001.1", "--yes-to", 1, **WAYS)
    (real,) = mails(office)

    assert (0, "tested", 0) == (tested.status, tested.json["status"], sent.status), tested.err
    assert ("me@office.example", "[Test] Leaves") == (mail["To"], mail["Subject"])
    assert "Ann Abbott's curb" in text_of(mail)
    assert mail["List-Unsubscribe"] != real["List-Unsubscribe"]
    assert 1 == len(office.rows("deliveries", "kind=communication"))


def test_a_clerk_types_the_count(office, body, monkeypatch):
    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    words = ("--subject", "Leaves", "--body", body, "--to-portal-users", "--as-of", AS_OF)
    monkeypatch.setattr(sys, "stdin", Keyboard("3\n"))
    wrong = office("communication", "send", *words)
    monkeypatch.setattr(sys, "stdin", Keyboard("2\n"))
    done = office("communication", "send", *words)

    assert (3, 0) == (wrong.status, done.status), done.err
    assert "To all portal users: 2 mailboxes" in done.out
    assert "Mailing 1: 2 sent." in done.out


def test_a_limit_a_minute_spreads_the_mails_out(office, body):
    limit = {"BILLCLOSE_COMMUNICATIONS__MESSAGES_PER_MINUTE": "600"}
    done = send(office, body, "--where", "ebill=true", "--yes-to", 7, **limit)
    due = office.query("SELECT count(*), count(DISTINCT queued_at) FROM delivery"
                       " WHERE kind = 'communication'")  # fmt: skip

    assert (0, 7) == (done.status, done.json["sent"]), done.err
    assert [(7, 1)] == due  # a hundred have the same turn


def test_a_preview_shows_a_stored_mailing(office, body):
    send(office, body, "--to", "ann.abbott@example.com", "--yes-to", 1, **WAYS)
    newest = office("preview", "communication", "--account", "01.1003.3", "--as-of", AS_OF)
    named = office(
        "preview", "communication", "--account", "01.1003.3", "--form", "communication-1"
    )
    none = office("preview", "communication", "--account", "01.1003.3", "--form", "communication-7")
    page = next((office.home / "preview").glob("*.html")).read_text(encoding="utf-8")

    assert [0, 0, 2] == [newest.status, named.status, none.status], newest.err
    assert "Cam Cole" in page


def test_a_mail_to_the_inbox_unsubscribes_and_is_no_bounce(office, body, tmp_path):
    inbox = tmp_path / "inbox"
    for folder in ("new", "cur", "tmp"):
        (inbox / folder).mkdir(parents=True)
    own = WAYS | {
        "BILLCLOSE_COMMUNICATIONS__UNSUBSCRIBE_MAILTO": "out@larkspur.example",
        "BILLCLOSE_BOUNCES__SOURCE": f"maildir:{inbox}",
    }
    send(office, body, "--to-portal-users", "--yes-to", 2, **own)
    token = str(mails(office)[0]["List-Unsubscribe"]).split("/out/")[1].split(">")[0]
    for number, written in enumerate((token.upper(), "b" * 24)):
        mail = f"From: dana@example.net\nSubject: unsubscribe {written}\n\n."
        (inbox / "new" / f"{number}.x").write_text(mail)
    answer = office("process-bounces", "--json", "--as-of", AS_OF, **own)

    assert (1, 1) == (answer.json["counts"]["unsubscribed"], answer.json["counts"]["unknown"])
    assert answer.json["sentence"].startswith("1 mailbox unsubscribed; 1 mail came back")
    assert 1 == len(office.rows("unsubscribed-addresses"))


def test_it_is_counted_and_sent_from_the_server(office, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_HOME", str(office.home))
    with at_server(office.settings["PREFECT_API_URL"]):
        counted = send_news("Leaves", "Hello.", "where", ["ebill=true"], return_state=True)
        done = send_news("Leaves", "Hello.", "where", ["ebill=true"], count=7, return_state=True)

    assert ("Counted", "7 mailboxes; nothing is sent yet") == (counted.name, counted.message)
    assert "mailing 1: 7 sent" == done.message
    assert [] == sqlite_list(office, "SELECT * FROM delivery WHERE status = 'queued'")


def sqlite_list(desk: Desk, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(desk.home / "billclose.db") as books:
        return books.execute(sql).fetchall()


def test_mails_wait_for_their_turns_and_go_on_after_an_outage(office, body):
    """The clock moves as the sender sleeps: four mails a minute, one every fifteen seconds."""
    limit = {"BILLCLOSE_COMMUNICATIONS__MESSAGES_PER_MINUTE": "4"}
    with running(MailServer()) as server:
        down = f"smtp://127.0.0.1:{server.port}"
    stopped = send(office, body, "--to-customers", "--yes-to", 9, BILLCLOSE_SMTP__URL=down, **limit)
    clock = [datetime(2026, 11, 5, 18, 0, tzinfo=UTC)]  # an hour later: all turns have passed
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        clock[0] += timedelta(seconds=seconds)

    settings = Settings(communications=CommunicationsSettings(messages_per_minute=4))
    here = Office(office.home, settings, Clock(lambda: clock[0]), "anna")
    with at_work(here):
        tried = send_all(here, 1, lambda: clock[0], nap)
    done = send(office, body, "--to-customers", "--yes-to", 9, **limit)

    assert (4, "unsent", 0) == (stopped.status, stopped.json["status"], stopped.json["sent"])
    assert 9 == tried.sent
    assert [15.0] * len(naps) == naps
    assert len(naps) >= 5  # at most a minute's worth was due at once
    assert (0, "sent-before") == (done.status, done.json["status"])
    assert 9 == len(mails(office))
