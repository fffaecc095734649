"""Mails that come back over a real mail server, and what becomes of their bills."""

from __future__ import annotations

import email
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from database.books import Database
from splitter.runs.records import share_documents
from splitter.store.bill_store import BillStore
from tests.flows.desk import Answer, Desk
from tests.flows.town import TOWN, write_town
from tests.mail.bounce_builders import a_report
from tests.mail.real_servers import PATIENCE, RealServer, postfix

pytestmark = pytest.mark.slow

ABBOTT, GRAY = "01.1001.1", "01.1007.7"  # one comes back after it was taken, one is refused at once
AFTER = "2026-11-02T21:00"
BOXES = "regexp:{ {/^bounces[+]/ bounces/} {!/^ann[.]abbott@/ all/} }"
LATE = "smtpd_reject_unlisted_recipient = no"  # who has no mailbox is found out after the 250


@contextmanager
def bouncing_postfix() -> Iterator[RealServer]:
    """Postfix that takes Ann Abbott's mail and then sends a report that she is unknown."""
    with postfix(BOXES, LATE) as server:
        yield server


@dataclass(frozen=True)
class Bounced:
    """An office after a close whose bill to one mailbox came back, and where mails lie."""

    desk: Desk
    mail: Path
    counts: dict[str, int]
    parts: list[dict[str, Any]]
    status: int

    def copied(self, home: Path) -> Bounced:
        """The same office, reading mails that come back from a box of its own."""
        desk = self.desk.copied(home)
        for name in ("new", "cur", "tmp"):
            (home / "box" / name).mkdir(parents=True)
        source = {"BILLCLOSE_BOUNCES__SOURCE": f"maildir:{home / 'box'}"}
        return replace(self, desk=Desk(home, desk.settings | source))

    def comes_back(self, address: str, number: int) -> None:
        """Put a report into the box that the mail to this address has failed."""
        (sent,) = [
            mail
            for path in self.mail.glob("all/new/*")
            if address in (mail := email.message_from_bytes(path.read_bytes()))["X-Original-To"]
        ]
        to = sent["Return-Path"].strip("<>")
        (self.desk.home / f"box/new/{number}").write_bytes(a_report(to=to, number=number))


@pytest.fixture(scope="module")
def office(asked, server, tmp_path_factory) -> Iterator[Bounced]:
    with bouncing_postfix() as mail:
        box = mail.place / "mail/bounces"
        home = asked[0].copied(tmp_path_factory.mktemp("bounced") / "office").home
        settings = {
            "BILLCLOSE_SMTP__URL": f"smtp://127.0.0.1:{mail.port}",
            "BILLCLOSE_SMTP__SENDER": "billing@larkspur.example",
            "BILLCLOSE_SMTP__BOUNCES": "bounces@larkspur.example",
            "BILLCLOSE_BOUNCES__SOURCE": f"maildir:{box}",
        }
        desk = Desk(home, server.environment | settings)
        closed = desk.close("2026-10", "--yes")
        assert closed.status == 4, closed.err
        wait_for_mail(box)
        answer = desk("process-bounces", "--as-of", AFTER, "--json")
        found = answer.json
        yield Bounced(desk, box.parent, found["counts"], found["parts"], answer.status)


def wait_for_mail(box: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not list(box.glob("new/*")) and time.monotonic() < deadline:
        time.sleep(0.1)


def accounts_in(pdf: Path) -> list[str]:
    """The accounts whose numbers stand on the pages of a print batch, in order, each once."""
    pages = [page.extract_text() for page in PdfReader(pdf).pages]
    named = [found.number for text in pages for found in TOWN if found.number in text]
    return list(dict.fromkeys(named))


def test_a_bill_that_came_back_is_in_the_next_part_alone(office):
    assert [("2026-10", 2, 1, 1)] == [
        (part["period"], part["number"], part["bills"], part["pages"]) for part in office.parts
    ]
    assert [ABBOTT] == accounts_in(office.desk.home / office.parts[0]["files"][0])
    (listed,) = office.desk.rows("paper", f"account={ABBOTT}")
    assert ("ebill-bounced", 2) == (listed["reason"], listed["part"])


def test_a_bill_that_was_refused_at_once_is_in_the_closes_own_part(office):
    (listed,) = office.desk.rows("paper", f"account={GRAY}")

    assert ("ebill-bounced", 1) == (listed["reason"], listed["part"])
    printed = accounts_in(office.desk.home / "print/2026-10/utility-bill-0.pdf")
    assert sorted(printed) == [row["account"] for row in office.desk.rows("paper", "part=1")]
    assert (GRAY in printed, ABBOTT in printed) == (True, False)


def test_what_came_back_is_told_and_listed(office):
    expected = {"hard": 1, "unknown": 0, "suppressed": 1, "paper": 1}
    assert (4, expected) == (office.status, {name: office.counts[name] for name in expected})
    (failed,) = office.desk.rows("deliveries", f"account={ABBOTT}")
    assert ("failed", "bounced: 5.1.1") == (failed["status"], failed["error"])
    assert failed["bounced_at"].startswith("2026-11-03T04:00")
    listed = office.desk.rows("exceptions", "stage=mail")  # draws that nobody made shield, too
    codes = {(row["account"], row["code"]) for row in listed if row["code"].startswith("mail-")}
    assert {(ABBOTT, "mail-bounced"), (GRAY, "mail-failed")} == codes
    bounces = office.desk("bounces", "list", "--json").json
    assert {"ann.abbott@example.com", "gone-gray@example.com"} == {
        row["address"] for row in bounces["suppressed"]
    }
    assert [] == bounces["unknown"]


def test_the_mail_is_kept_as_read_and_another_run_changes_nothing(office):
    (kept,) = (office.mail / "bounces").glob("*/*")
    before = office.desk.files()

    again = office.desk("process-bounces", "--as-of", AFTER, "--json")

    assert ("cur", True) == (kept.parent.name, kept.name.endswith(":2,S"))
    assert (0, before) == (again.status, office.desk.files())


def test_a_second_part_on_one_day_is_written_when_somebody_asks(office, tmp_path):
    later = office.copied(tmp_path / "office")
    later.comes_back("eve.ellis@example.com", 1)  # her landlord has the bill
    later.comes_back("kit.kane@example.com", 2)

    waits = later.desk("process-bounces", "--as-of", AFTER, "--json")
    elsewhere = print_where_it_was_not_imported(later.desk)
    asked = later.desk("print", "2026-10", "--as-of", AFTER, "--json")
    nothing = later.desk("print", "--as-of", AFTER)

    assert (4, []) == (waits.status, waits.json["parts"])
    (waiting,) = waits.json["waiting"]
    assert (1, True) == (waiting["bills"], "print 2026-10" in waiting["why"])
    assert (2, "not-shared") == (elsewhere.status, elsewhere.json["refusal"]["code"])
    (part,) = asked.json["parts"]
    assert (0, 3, ["01.1011.1"]) == (
        asked.status, part["number"], accounts_in(later.desk.home / part["files"][0]),
    )  # fmt: skip
    assert (0, "Nothing waits for print.") == (nothing.status, nothing.out.strip())


def print_where_it_was_not_imported(desk: Desk) -> Answer:
    """Print where the bulk file never was; afterwards the store has it for every machine."""
    database, imported = Database(f"sqlite:///{desk.home / 'billclose.db'}"), desk.home / "exports"
    aside = imported.rename(desk.home / "elsewhere")
    answer = desk("print", "2026-10", "--as-of", AFTER, "--json")
    share_documents(database, "2026-10", BillStore(str(desk.home / "bills")), aside)
    database.close()
    shutil.rmtree(aside)
    return answer


def test_the_next_period_prints_them_until_somebody_corrects_the_address(office, tmp_path):
    later = office.copied(tmp_path / "office").desk
    november = write_town(tmp_path / "november", period="2026-11")
    lifted = later(
        "bounces", "lift", "GONE-gray@example.com", "--reason", "customer called", "--as-of", AFTER
    )

    closed = later.close(november, "--yes", as_of="2026-12-01T09:00", BILLCLOSE_SMTP__URL="")

    assert (0, True) == (lifted.status, GRAY in lifted.out), lifted.err
    assert 0 == closed.status, closed.err
    reasons = {row["account"]: row["reason"] for row in later.rows("paper", "period=2026-11")}
    assert ("ebill-bounced", False) == (reasons[ABBOTT], GRAY in reasons)
    assert [] == later.rows("deliveries", "period=2026-11", f"account={ABBOTT}")
    (told,) = [
        row for row in later.rows("exceptions", "period=2026-11") if row["code"] == "ebill-bounced"
    ]
    assert (ABBOTT, "an address bounced earlier: none is left; goes on paper") == (
        told["account"], told["message"],
    )  # fmt: skip
    (act,) = later.rows("audit", "action=lift suppression")
    assert (GRAY, "customer called") == (act["subject"], act["detail"])


def test_without_a_mailbox_to_read_the_command_says_which_setting_is_missing(desk):
    answer = desk("process-bounces", "--json")

    assert (2, "no-bounces") == (answer.status, answer.json["refusal"]["code"])
    assert "bounces.source" in answer.err


def test_a_period_that_was_never_imported_has_nothing_to_print(desk):
    answer = desk("print", "2031-01", "--json")

    assert (2, "unknown-period") == (answer.status, answer.json["refusal"]["code"])
