"""The office: books plus equipment, chosen by the settings. The only place that names adapters."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from database.books import Database
from database.runs import Run, newest_timezone
from office.clock import Clock
from office.home import bill_store, open_database, private_folder
from office.secrets.redaction import told_safely
from office.settings.settings import Settings
from office.terms import Choices

if TYPE_CHECKING:  # equipment is loaded by the first command that needs it
    from billing_system.feed.port import FeedSource
    from billing_system.port import BillingSystem
    from cash_receipting.port import CashReceipting
    from identity.bot_check.port import BotCheck
    from identity.oidc.provider import IdentityProvider
    from identity.tokens import LinkTokens
    from mail.bounces.inbox import Inbox
    from mail.communications.posted import LiveCommunications
    from mail.letters.links import ExportLinks, Unsubscribing
    from mail.letters.templates import Templates
    from mail.message.addresses import Verp
    from mail.message.size_limit import SizeLimit
    from mail.port import Mailer
    from mail.recipients.delivery_plan import PlanTerms
    from mail.rendering.bills import BillRenderer
    from mail.rendering.notices import NoticeRenderer
    from mail.rendering.texts import TextWords
    from mail.texts.port import TextSender
    from payments.method_capture import MethodCapture
    from payments.port import PaymentGateway
    from payments.sandbox.gateway import SandboxGateway
    from payments.sandbox.method_capture import SandboxCapture
    from reporting.run_sheet.run_sheet import RunSheet
    from splitter.store.bill_store import BillStore


class Reporter(Protocol):
    """Shows the steps of a run as they begin, move on and end."""

    def begin(self, step: str) -> None: ...

    def move(self, step: str, done: int, total: int) -> None: ...

    def end(self, step: str, sentence: str) -> None: ...


class Silent:
    """Shows nothing."""

    def begin(self, step: str) -> None:
        return

    def move(self, step: str, done: int, total: int) -> None:
        return

    def end(self, step: str, sentence: str) -> None:
        return


Approver = Callable[["RunSheet"], bool]


def never(_sheet: RunSheet) -> bool:
    """Approve nothing: somebody else has to."""
    return False


@dataclass(frozen=True)
class Office(Choices):
    """One home with its settings, books and equipment, as one person uses it at one moment."""

    home: Path
    settings: Settings
    clock: Clock
    who: str
    reporter: Reporter = field(default_factory=Silent)
    approves: Approver = never
    asks_in_prefect: bool = False  # a run of a deployment waits there for its answer
    origin: str = ""  # the machine's user, where nothing proves who `who` is
    rehearses: bool = False  # a dry run: everything happens in a copy, and nothing leaves it
    copied_from: Office | None = None  # the office that a rehearsal is a copy of

    @cached_property
    def database(self) -> Database:
        return open_database(self.home, self.settings, self.clock)

    @cached_property
    def books_to_look_at(self) -> Database:
        """The same books over connections that refuse every write (ruling 26)."""
        return self.database.to_look_at()

    @cached_property
    def billing_system(self) -> BillingSystem:
        """What billing exports come from: folders and archives of CSV files and PDFs."""
        from billing_system.embedded import EmbeddedBillingSystem

        return EmbeddedBillingSystem()

    @cached_property
    def store(self) -> BillStore:
        """Where bills are kept: a folder below the home or any fsspec URL."""
        return bill_store(self.home, self.settings)

    @cached_property
    def print_folder(self) -> BillStore:
        from splitter.store.bill_store import BillStore

        return BillStore(self.home / "print")

    @cached_property
    def mailer(self) -> Mailer:
        """A mail server where one is set, else a folder; a rehearsal reaches neither."""
        from office.equipment.mail import to_mailer

        return to_mailer(self)

    @cached_property
    def gateway(self) -> PaymentGateway:
        """What collects payments: a sandbox, and for a rehearsal always, else what is set."""
        if self.settings.payments.gateway == "stripe" and not self.rehearses:
            from office.equipment.money import to_gateway

            return to_gateway(self.settings.payments)
        from payments.sandbox.gateway import SandboxGateway

        clock = partial(self.clock.now, self._zone)  # a rehearsed time moves what is outside, too
        return SandboxGateway(self.home / "sandbox-gateway.db", clock, self.bank_days)

    @property
    def sandbox_gateway(self) -> SandboxGateway | None:
        """The sandbox that collects, which also plays the customers' banks; else None."""
        from payments.sandbox.gateway import SandboxGateway

        return self.gateway if isinstance(self.gateway, SandboxGateway) else None

    @cached_property
    def feed_source(self) -> FeedSource | None:
        """Where the billing system's feed comes from; None: the office has set none up."""
        from office.equipment.money import to_feed_source

        return to_feed_source(self.home, self.settings.feed)

    @cached_property
    def method_capture(self) -> MethodCapture:
        """Where customers give a card or bank account: a page of the gateway's, never ours."""
        if self.sandbox_capture is not None:
            return self.sandbox_capture
        from office.equipment.money import to_method_capture

        return to_method_capture(self.settings.payments)

    @cached_property
    def sandbox_capture(self) -> SandboxCapture | None:
        """The page of test tokens; None where a real gateway asks for the card."""
        if self.settings.payments.gateway != "sandbox" and not self.rehearses:
            return None
        from payments.sandbox.method_capture import SandboxCapture

        clock = partial(self.clock.now, self._zone)
        return SandboxCapture(self.home / "sandbox-methods.db", clock)

    @cached_property
    def cash_receipting(self) -> CashReceipting:
        """Where payments are entered: the home's ledger, and for a rehearsal always, or as set."""
        chosen = self.settings.cash_receipting
        if chosen.system == "rest" and not self.rehearses:
            from office.equipment.money import to_service

            return to_service(chosen)
        if chosen.system == "file" and not self.rehearses:
            from office.equipment.money import to_file_drop

            return to_file_drop(self.home, chosen)
        from cash_receipting.ledger import LedgerReceipting

        return LedgerReceipting(self.home / "cash-receipting.db")

    @cached_property
    def bill_renderer(self) -> BillRenderer:
        """What makes the mails with bills."""
        from office.equipment.mail import to_bill_renderer

        return to_bill_renderer(self)

    @cached_property
    def notice_renderer(self) -> NoticeRenderer:
        """What makes the mails beside the bills."""
        from office.equipment.mail import to_notice_renderer

        return to_notice_renderer(self)

    @cached_property
    def identity_providers(self) -> dict[str, IdentityProvider]:
        """Whose accounts customers may sign in with, by code; none unless they are set."""
        from office.equipment.sign_in import to_providers

        return to_providers(self) if self.settings.oidc.is_used else {}

    @cached_property
    def bot_check(self) -> BotCheck:
        """What a guest's browser is asked before it may pay; nothing unless it is set."""
        from office.equipment.bot_check import to_bot_check

        return to_bot_check(self.settings.bot_check, self.link_tokens.secret)

    @property
    def text_sender(self) -> TextSender:
        """What carries texts, opened anew: whoever asked for it closes it."""
        from office.equipment.texts import to_text_sender

        return to_text_sender(self)

    @cached_property
    def text_words(self) -> TextWords:
        """What makes the words of texts."""
        from office.equipment.texts import to_text_words

        return to_text_words(self)

    @cached_property
    def export_links(self) -> ExportLinks:
        """What makes the links of usage exports."""
        from office.equipment.mail import to_export_links

        return to_export_links(self)

    @cached_property
    def link_tokens(self) -> LinkTokens:
        """What makes the tokens of one-time links out of the home's secret."""
        from identity.tokens import LinkTokens
        from office.secrets.files import secret_for

        return LinkTokens(secret_for(self.home, "one-time-links"))

    @cached_property
    def unsubscribing(self) -> Unsubscribing:
        """What makes the ways out of communications, and knows its tokens again."""
        from office.equipment.mail import to_unsubscribing

        return to_unsubscribing(self)

    @cached_property
    def live_communications(self) -> LiveCommunications:
        """What was posted and may be linked to today."""
        from office.equipment.mail import to_live_communications

        return to_live_communications(self)

    @cached_property
    def templates(self) -> Templates:
        """The words of the mails: the office's own before ours."""
        from office.equipment.mail import to_templates

        return to_templates(self)

    @cached_property
    def size_limit(self) -> SizeLimit:
        """The largest mail, and where a bill is to be read that is larger."""
        from office.equipment.mail import to_size_limit

        return to_size_limit(self)

    @property
    def plan_terms(self) -> PlanTerms:
        """How bills go out: to landlords too or not, locked by what, and how large in a mail."""
        from mail.recipients.delivery_plan import PlanTerms

        chosen = self.settings.ebill
        largest = None if self.size_limit.link else self.size_limit.largest_attachment
        return PlanTerms(chosen.landlords, chosen.password, largest)

    @cached_property
    def verp(self) -> Verp | None:
        """What signs the senders of our mails, where bounces have a mailbox."""
        from office.equipment.mail import to_verp

        return to_verp(self)

    @cached_property
    def inbox(self) -> Inbox:
        """The mailbox that bounces come to; raises Misuse where none is set."""
        from office.equipment.mail import to_inbox

        return to_inbox(self)

    @property
    def staff_url(self) -> str:
        """Where a browser reaches the office's pages by web.url; empty where none does."""
        web = self.settings.web
        return "" if self.rehearses or "office" not in web.serves else web.url.rstrip("/")

    @property
    def command(self) -> str:
        """What a person types to reach this office, never a copy that is gone; to be pasted."""
        program = Path(sys.argv[0]).name
        typed = sys.argv[0] if program == "billclose" and "/.venv/" in f"/{sys.argv[0]}" else ""
        return f"{typed or 'billclose'} --home {(self.copied_from or self).home}"

    @property
    def version(self) -> str:
        return version("billclose")

    @cached_property
    def exports_folder(self) -> Path:
        return self.folder("exports")

    def folder(self, name: str) -> Path:
        """Return a folder of the home, private to its owner; raises Misuse where it cannot be."""
        return private_folder(self.home / name)

    def due_now(self) -> datetime:
        """Return the moment that decides what is due, whatever period it belongs to."""
        return self.clock.due(self._zone)

    def moment(self) -> datetime:
        """Return the moment of what is done now, whatever period it belongs to."""
        return self.clock.now(self._zone)

    def local_today(self) -> date:
        """Return the utility's local date, by its newest export's time zone."""
        return self.clock.today(newest_timezone(self.database))

    @property
    def _zone(self) -> str:
        """The time zone in which a time is rehearsed; the machine's clock needs none."""
        return "UTC" if self.clock.as_of is None else newest_timezone(self.database)

    def now(self, run: Run) -> datetime:
        return self.clock.now(run.timezone)

    def today(self, run: Run) -> date:
        return self.clock.today(run.timezone)


def in_name_of(chosen: Office, who: str) -> Office:
    """Return an office, with the equipment that it has, in which another person acts."""
    acting = copy(chosen)
    object.__setattr__(acting, "who", who)  # frozen for all others: the copy is nobody's yet
    return acting


def only_looking(chosen: Office) -> Office:
    """Return an office whose books refuse every write: for whoever looks as a customer."""
    looking = copy(chosen)
    looking.__dict__["database"] = chosen.books_to_look_at
    return looking


_current: list[Office] = []


@contextmanager
def at_work(chosen: Office) -> Iterator[Office]:
    """
    Make an office the one that the steps of this process work for.

    Every file that is made meanwhile is its owner's alone, and no failure leaves with an address
    or a secret in its words: Prefect would keep them.
    """
    _current.append(chosen)
    before = os.umask(0o077)
    try:
        with told_safely():
            yield chosen
    finally:
        os.umask(before)
        _current.pop()


def current_office() -> Office:
    """Return the office at work; steps call it, whoever started them."""
    if not _current:
        raise LookupError("no office is at work")
    return _current[-1]
