"""The office: books plus equipment, chosen by the settings. The only place that names adapters."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from cash_receipting.port import CashReceipting
from data_checks.parameters import Thresholds
from database.books import Database
from database.runs import Run, newest_timezone
from domain.failures import Misuse
from domain.money import Money
from mail.bill_mail import BillRenderer, Sender
from mail.compose import Templates
from mail.inbox import Inbox
from mail.notice_mail import NoticeRenderer
from mail.port import Mailer
from mail.protecting import Protection
from mail.sizing import MEGABYTE, SizeLimit
from mail.unsubscribing import Unsubscribing
from mail.verp import Verp
from office.clock import Clock
from office.home_secret import read_secret, secret_for
from office.progress import Reporter, Silent
from office.settings import Settings
from payments.gateway import PaymentGateway
from reporting.run_sheet import RunSheet
from rules.autopay import AutopayPolicy
from rules.calendars import ClosedDays, bank_closed_days, office_closed_days
from splitter.filing import BillStore
from splitter.scrutiny import Scrutiny

PRIVATE_FOLDER = 0o700


Approver = Callable[[RunSheet], bool]


def never(_sheet: RunSheet) -> bool:
    """Approve nothing: somebody else has to."""
    return False


@dataclass(frozen=True)
class Office:
    """One home with its settings, books and equipment, as one person uses it at one moment."""

    home: Path
    settings: Settings
    clock: Clock
    who: str
    reporter: Reporter = field(default_factory=Silent)
    approves: Approver = never
    rehearses: bool = False  # a dry run: everything happens in a copy, and nothing leaves it

    @cached_property
    def database(self) -> Database:
        return Database(database_url(self.home, self.settings))

    @cached_property
    def store(self) -> BillStore:
        """Where bills are kept: a folder below the home or any fsspec URL."""
        chosen = self.settings.bills.store
        return BillStore(chosen if "://" in chosen else self.home / chosen)

    @cached_property
    def print_folder(self) -> BillStore:
        return BillStore(self.home / "print")

    @cached_property
    def mailer(self) -> Mailer:
        """A mail server where one is set, else a folder; a rehearsal reaches neither."""
        chosen = self.settings.smtp
        if self.rehearses:
            from mail.rehearsal import Rehearsal

            return Rehearsal()
        if not chosen.url:
            from mail.embedded import MailFolder

            return MailFolder(self.folder("mail"))
        from office.mail_server import to_mailer

        return to_mailer(self.home, chosen)

    @cached_property
    def gateway(self) -> PaymentGateway:
        """What collects payments: a sandbox, and for a rehearsal always, else what is set."""
        if self.settings.payments.gateway == "stripe" and not self.rehearses:
            from office.stripe_account import to_gateway

            return to_gateway(self.settings.payments)
        from payments.sandbox import SandboxGateway

        return SandboxGateway(self.home / "sandbox-gateway.db", self._moment, self.bank_days)

    @cached_property
    def cash_receipting(self) -> CashReceipting:
        """Where payments are entered: the home's ledger, and for a rehearsal always, or as set."""
        chosen = self.settings.cash_receipting
        if chosen.system == "rest" and not self.rehearses:
            from office.cash_receipting_desk import to_service

            return to_service(chosen)
        if chosen.system == "file" and not self.rehearses:
            from office.cash_receipting_desk import to_file_drop

            return to_file_drop(self.home, chosen)
        from cash_receipting.ledger import LedgerReceipting

        return LedgerReceipting(self.home / "cash-receipting.db")

    def _moment(self) -> datetime:
        """Return the moment that everything outside goes by, which a rehearsed time moves too."""
        return self.clock.now("UTC" if self.clock.as_of is None else self._newest_zone)

    @cached_property
    def _newest_zone(self) -> str:
        return newest_timezone(self.database)

    @cached_property
    def bill_renderer(self) -> BillRenderer:
        return BillRenderer(
            self.database,
            self.templates,
            self._sender,
            self.store.read,
            protection=self._protection(),
            limit=self.size_limit,
        )

    @cached_property
    def notice_renderer(self) -> NoticeRenderer:
        """What makes the mails beside the bills."""
        chosen = self.settings.communications
        is_used = bool(chosen.unsubscribe_url or chosen.unsubscribe_mailto)
        secret = secret_for(self.home, "unsubscribe") if is_used and not self.rehearses else b""
        return NoticeRenderer(
            self.database,
            self.templates,
            self._sender,
            Unsubscribing(secret, chosen.unsubscribe_url, chosen.unsubscribe_mailto),
            alert_remedy=f"To see which: {self.command} list exceptions",
        )

    @cached_property
    def templates(self) -> Templates:
        own = self.home / "templates"
        return Templates(own if own.is_dir() else None)

    @property
    def size_limit(self) -> SizeLimit:
        """The largest mail, and where a bill is to be read that is larger."""
        chosen = self.settings.ebill
        link = chosen.link_url if chosen.too_large == "link" else ""
        return SizeLimit(chosen.largest_mb * MEGABYTE, link)

    @property
    def _sender(self) -> Sender:
        chosen = self.settings.smtp
        return Sender(
            chosen.sender, envelope_from=chosen.sender, reply_to=chosen.reply_to, verp=self.verp
        )

    def _protection(self) -> Protection | None:
        if not self.settings.ebill.password:
            return None
        from splitter.encrypting import encrypt  # its library takes long to load

        return Protection(self.settings.ebill.password, encrypt)

    @cached_property
    def verp(self) -> Verp | None:
        """What signs the senders of our mails; None where bounces go to the sender himself."""
        address = self.settings.smtp.bounces
        if not address or self.rehearses:
            return None
        return Verp(address, read_secret(self.home))

    @cached_property
    def inbox(self) -> Inbox:
        """The mailbox that bounces come to; raises Misuse where none is set."""
        chosen = self.settings.bounces
        if chosen.source.startswith("maildir:"):
            from mail.maildir import Maildir

            return Maildir(Path(chosen.source.removeprefix("maildir:")))
        if chosen.source:
            from mail.imap import ImapInbox
            from mail.imap_folder import to_imap_folder

            password = chosen.password.get_secret_value()
            return ImapInbox(
                to_imap_folder(chosen.source, username=chosen.username, password=password)
            )
        raise Misuse(
            "bounces.source is empty: nobody knows where the mails that come back are; "
            "set it to maildir:/path or imaps://host/folder.",
            "no-bounces",
        )

    @property
    def command(self) -> str:
        """What a person types to reach this office: for hints that can be pasted."""
        program = Path(sys.argv[0]).name
        typed = sys.argv[0] if program == "billclose" and "/.venv/" in f"/{sys.argv[0]}" else ""
        return f"{typed or 'billclose'} --home {self.home}"

    @property
    def version(self) -> str:
        return version("billclose")

    @property
    def message_domain(self) -> str:
        return self.settings.smtp.sender.rpartition("@")[2]

    @property
    def thresholds(self) -> Thresholds:
        chosen = self.settings.checks
        return Thresholds(
            usage_factor=chosen.usage_factor,
            amount_factor=chosen.amount_factor,
            large_bill=Money.parse(chosen.large_bill),
            adjustment_limit=Money.parse(chosen.adjustment_limit),
            notice_days=chosen.notice_days,
        )

    @property
    def scrutiny(self) -> Scrutiny:
        chosen = self.settings.splitter
        return Scrutiny(chosen.read_back_every, chosen.audit_every)

    @cached_property
    def exports_folder(self) -> Path:
        return self.folder("exports")

    def folder(self, name: str) -> Path:
        """Return a folder of the home, private to its owner; raises Misuse where it cannot be."""
        place = self.home / name
        try:
            place.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        except OSError as fault:
            raise Misuse(f"{place} cannot be made: {fault.strerror}.", "home") from None
        return place

    @cached_property
    def office_days(self) -> ClosedDays:
        chosen = self.settings.utility
        if isinstance(chosen.holidays, str):
            return office_closed_days(chosen.holidays, chosen.closed_days)
        return office_closed_days("none", (*chosen.holidays, *chosen.closed_days))

    @cached_property
    def bank_days(self) -> ClosedDays:
        return bank_closed_days()

    @property
    def autopay_policy(self) -> AutopayPolicy:
        chosen = self.settings.autopay
        return AutopayPolicy(chosen.on_closed_day, chosen.over_maximum)

    def now(self, run: Run) -> datetime:
        return self.clock.now(run.timezone)

    def today(self, run: Run) -> date:
        return self.clock.today(run.timezone)


def database_url(home: Path, settings: Settings) -> str:
    return settings.database.url or f"sqlite:///{home.resolve() / 'billclose.db'}"


def require_home(home: Path) -> None:
    """Raise Misuse where the home is no folder that we can write to."""
    if not home.is_dir():
        raise Misuse(f"There is no office in {home}; run `billclose --home {home} init`.", "home")
    if not os.access(home, os.W_OK | os.X_OK):
        raise Misuse(f"The home {home} cannot be written to; check its owner and mode.", "home")


_current: list[Office] = []


@contextmanager
def at_work(chosen: Office) -> Iterator[Office]:
    """Make an office the one that the steps of this process work for."""
    _current.append(chosen)
    try:
        yield chosen
    finally:
        _current.pop()


def office() -> Office:
    """Return the office at work; steps call it, whoever started them."""
    if not _current:
        raise LookupError("no office is at work")
    return _current[-1]
