"""The days after the demo's close, lived one after the other with a clock that runs fast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from command_line.demo.city_hall import CityHall
from command_line.options import open_office
from command_line.outcomes.mail import run_mailing
from domain.money import Money
from domain.words import say_count

if TYPE_CHECKING:
    from office.equipment.office import Office
    from office.prefect_server.server import PrefectServer

Figures = dict[str, Any]
Tell = Callable[[str], None]
RETURNED_MAIL = "returned-mail"  # below the home, a maildir
BOUNCES_ON = 2  # days after the close: a mailbox is gone


def live(place: Path, utility: str, closed_at: datetime, days: int, tell: Tell) -> None:
    """
    Live so many days after a close, each as an office does by its calendar.

    The feed is taken in, what is due is drawn, customers are reminded and told, mails that came
    back are read. A day at which nothing happened is passed over in silence. Each begins a minute
    later than the one before, so that what is answered days after a draw is there on its day.
    """
    city = CityHall(place, utility)
    try:
        for number in range(1, days + 1):
            now = closed_at + timedelta(days=number, minutes=number)
            office = open_office(place, now)
            city.write_feed(office, number, now)
            if number == BOUNCES_ON:
                _bounce_one(office)
            happened = list(_one_day(office))
            if happened:
                tell(f"  {now:%a %b %d}  {', '.join(happened)}")
    finally:
        city.close()


def make_mailbox(place: Path) -> Path:
    """Make the empty maildir that mails come back to."""
    for folder in ("new", "cur", "tmp"):
        (place / RETURNED_MAIL / folder).mkdir(mode=0o700, parents=True)
    return (place / RETURNED_MAIL).resolve()


@contextmanager
def beside_one_server(place: Path) -> Iterator[PrefectServer]:
    """Keep one Prefect server up for all that the demo does: each run would start its own."""
    from office.prefect_server.server import office_server
    from office.settings.settings import open_settings

    with office_server(place, open_settings(place).prefect) as server:
        yield server
        server.wait_until_recorded()


def _one_day(office: Office) -> Iterator[str]:
    """Do what a day's deployments do, in their order; give what came of it, a phrase each."""
    from office.procedures.feeding import look_for_feed

    moved = sum(report.new for report in look_for_feed(office).reports)
    if moved:
        yield say_count(moved, "movement") + " from the feed"
    drawn = _collect(office)
    if drawn["drawn"]["count"]:
        yield f"{drawn['drawn']['count']:,} drawn, {_dollars(drawn['drawn'])}"
    if drawn["unknown"]["count"]:
        yield f"{drawn['unknown']['count']:,} asked for without an answer"
    if drawn["events"]["returned"]["count"]:
        yield f"{drawn['events']['returned']['count']:,} returned by the bank"
    reminded = _remind(office)["reminders"]
    for kind, counts in reminded.items():
        if counts["sent"]:
            yield say_count(counts["sent"], f"{kind} mail")
    if sent := _notify(office)["sent"]:
        yield say_count(sent, "receipt or notice", "receipts and notices")
    if hard := _read_bounces(office)["counts"]["hard"]:
        yield say_count(hard, "mail") + " came back"


def _dollars(tally: Figures) -> str:
    return Money.parse(tally["amount"]).dollars()


def _collect(office: Office) -> Figures:
    from office.prefect_server.flow_runs import run_flow
    from office.rounds.quiet.money import quiet_collecting

    def load() -> Any:
        from flows.collect_autopay import collect_autopay

        return collect_autopay

    found: Figures = quiet_collecting(office) or run_flow(office, load).result(
        raise_on_failure=False
    )
    return found


def _remind(office: Office) -> Figures:
    from office.rounds.quiet.mailing import quiet_reminders

    def load() -> Any:
        from flows.remind import remind

        return remind

    return quiet_reminders(office) or run_mailing(office, load)


def _notify(office: Office) -> Figures:
    from office.rounds.quiet.mailing import quiet_notices

    def load() -> Any:
        from flows.send_notices import send_notices

        return send_notices

    return quiet_notices(office) or run_mailing(office, load)


def _read_bounces(office: Office) -> Figures:
    from office.health.work import BOUNCES, note_ended_well
    from office.prefect_server.flow_runs import run_flow
    from office.rounds.looks import why_read_bounces

    def load() -> Any:
        from flows.process_bounces import process_bounces

        return process_bounces

    if not why_read_bounces(office, office.due_now()):
        note_ended_well(office, BOUNCES)  # as the rounds do: somebody looked, and nothing lay there
        return {"counts": {"hard": 0}}
    found: Figures = run_flow(office, load).result(raise_on_failure=False)
    return found


def _bounce_one(office: Office) -> None:
    """Let the mailbox of one customer be gone: the mail server's report lies in the maildir."""
    import sqlalchemy as sa

    from database.tables import delivery
    from domain.deliveries import DeliveryStatus, MessageKind

    of = delivery.c
    query = (
        sa.select(of.message_id, of.address)
        .where(of.kind == MessageKind.BILL, of.status == DeliveryStatus.SENT)
        .order_by(of.account_key.desc(), of.key)
        .limit(1)
    )
    with office.database.reading() as books:
        mail = books.execute(query).one_or_none()
    if mail is None:
        return
    report = _REPORT.format(address=mail.address, message_id=mail.message_id)
    file = office.home / RETURNED_MAIL / "new" / "1.demo.mx"
    file.write_bytes(report.replace("\n", "\r\n").encode())


_REPORT = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: billing@localhost
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="demo/mx"
Message-Id: <20261104.1@mx.example>

--demo/mx
Content-Type: text/plain; charset=us-ascii

Your message could not be delivered.

--demo/mx
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {address}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user here

--demo/mx
Content-Type: text/rfc822-headers

Message-ID: {message_id}

--demo/mx--
"""
