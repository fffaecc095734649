"""The mails beside the bill: their facts out of the books, their messages out of templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from database.books import Database
from database.queries.arrangements.deferred import read_deferred
from domain.deliveries import UNSUBSCRIBED, MessageKind
from domain.failures import PermanentFailure, TemporaryFailure
from domain.languages import ENGLISH
from domain.money import ZERO, Money
from mail.letters.access import NO_PORTAL, PortalLinks
from mail.letters.communications import AlertLetter, CommunicationLetter
from mail.letters.links import NO_LINKS, ExportLinks, Unsubscribing, export_letter, no_link
from mail.letters.notices import Notice
from mail.letters.templates import Templates
from mail.message.mime import Attachment, Unsubscribe
from mail.outbox.deliveries import Delivery
from mail.port import MailOutcome, OutgoingMessage, Result, outcome_of
from mail.recipients.unsubscribed import is_unsubscribed
from mail.rendering.access import facts_of_access, to_access_letter
from mail.rendering.alerts import (
    HEALTH_FORMS,
    SERVICE_FORMS,
    facts_of_alerts,
    find_alert_facts,
    health_letter,
    service_letter,
)
from mail.rendering.arrangements import to_arrangement_letter
from mail.rendering.bills import Sender, Stamp, compose_mail, to_outgoing
from mail.rendering.checkouts import is_about_checkout, to_checkout_letter
from mail.rendering.expiring import to_expiring_letter
from mail.rendering.languages import languages_of
from mail.rendering.notice_facts import NoticeFacts, find_notice_facts
from mail.rendering.notice_letters import to_notice


@dataclass(frozen=True, slots=True)
class Communication:
    """One text for many customers, as the office wrote it (rule 110)."""

    title: str
    paragraphs: tuple[str, ...]
    link: str = ""
    attachment: Attachment | None = None


def no_communication(_form: str) -> Communication | None:
    """Know of none: for an office that has none."""
    return None


@dataclass(frozen=True, slots=True)
class NoticeRenderer:
    """
    Makes the messages of a batch of deliveries of any kind but bills.

    `find_communication` returns a communication by its delivery's form, None where it is gone.
    `latest_communication` is asked for the address to link to when a mail is composed (rule 108).
    `exceptions` tells the office where to see what an alert is about, `staff_url` where its pages
    are.
    """

    database: Database
    templates: Templates
    sender: Sender
    unsubscribing: Unsubscribing
    find_communication: Callable[[str], Communication | None] = no_communication
    latest_communication: Callable[[], str] = no_link
    exceptions: tuple[str, ...] = ("At a terminal: billclose list exceptions",)
    export_links: ExportLinks = NO_LINKS
    portal_links: PortalLinks = NO_PORTAL
    staff_url: str = ""

    def __call__(self, deliveries: Sequence[Delivery]) -> Iterator[OutgoingMessage | MailOutcome]:
        facts = find_notice_facts(self.database, [row.key for row in deliveries])
        facts |= facts_of_alerts(self.database, [row for row in deliveries if row.key not in facts])
        facts |= facts_of_access(self.database, [row for row in deliveries if row.key not in facts])
        languages = languages_of(self.database, deliveries)
        for row in deliveries:
            if row.key not in facts:
                yield MailOutcome(row.key, Result.FAILED, "its period is no longer in the books")
                continue
            try:
                language = languages.get(row.mailbox, ENGLISH)
                letter, attachment = self.to_letter(row, facts[row.key], language)
            except (PermanentFailure, TemporaryFailure) as failure:
                yield outcome_of(row.key, failure)
                continue
            stamp = Stamp.of(row, facts[row.key].timezone)
            yield to_outgoing(
                self.sender, row, partial(self._compose_welcome, row, letter, stamp, attachment)
            )

    def to_letter(
        self, row: Delivery, facts: NoticeFacts, language: str = ENGLISH
    ) -> tuple[Notice, Attachment | None]:
        """
        Return what a delivery says, and what goes with it.

        Raises PermanentFailure or TemporaryFailure where it has nothing to say (any more, yet).
        """
        common: dict[str, Any] = {
            "form": row.form,
            "utility": facts.utility,
            "period": facts.period,
            "account": row.account,
            "customer": facts.customer,
            "service_address": facts.service_address,
        }
        if row.kind is MessageKind.COMMUNICATION:
            return self._communication(row, common)
        common["language"] = language
        if row.kind is MessageKind.ALERT:
            return self._alert(row, facts), None
        if row.kind is MessageKind.ACCESS:
            return to_access_letter(self.database, row, self.portal_links, language), None
        if row.kind is MessageKind.USAGE_EXPORT:
            return export_letter(self.database, row.about, self.export_links, common), None
        if row.kind is MessageKind.RECEIPT and is_about_checkout(row):
            return to_checkout_letter(self.database, row, facts, common), None
        if row.kind is MessageKind.ARRANGEMENT:
            return to_arrangement_letter(self.database, row, facts, common), None
        if row.kind is MessageKind.METHOD_EXPIRING:
            letter = to_expiring_letter(self.database, row, facts, common, self.portal_links)
            return letter, None
        recorded_on = row.queued_at.astimezone(ZoneInfo(facts.timezone)).date()
        put_off = self._put_off(row, recorded_on) if facts.has_plan else ZERO
        return to_notice(row.kind, facts, recorded_on, common, put_off), None

    def _put_off(self, row: Delivery, on: date) -> Money:
        with self.database.reading() as books:
            return read_deferred(books, row.account_key or "", on)

    def _communication(
        self, row: Delivery, common: dict[str, Any]
    ) -> tuple[CommunicationLetter, Attachment | None]:
        found = self.find_communication(row.form)
        if found is None:
            raise PermanentFailure("the communication is no longer there")
        ways = self._ways_out(row)
        letter = CommunicationLetter(
            **common,
            title=found.title,
            paragraphs=found.paragraphs,
            link=found.link,
            unsubscribe_link=ways.url if ways else "",
        )
        return letter, found.attachment

    def _alert(self, row: Delivery, facts: NoticeFacts) -> AlertLetter:
        if row.form in SERVICE_FORMS:
            return service_letter(self.database, row.form, facts.utility, self.staff_url)
        if row.form in HEALTH_FORMS:
            return health_letter(
                self.database,
                row.form,
                row.about,
                facts.utility,
                facts.timezone,
                self.staff_url,
            )
        findings = find_alert_facts(self.database, row.period)
        if not findings:
            raise PermanentFailure("nothing needs a person any more")
        return AlertLetter(
            form=row.form,
            utility=facts.utility,
            period=row.period or "",
            title="Something needs a person",
            findings=findings,
            remedy="See which they are.",
            ways=self.exceptions,
        )

    def compose(
        self,
        row: Delivery,
        letter: Notice,
        stamp: Stamp,
        attachment: Attachment | None,
        recipient: str,
    ) -> bytes:
        """Return the bytes of one delivery's mail; raises PermanentFailure."""
        ways = self._ways_out(row)
        if row.kind is not MessageKind.ALERT:
            letter = replace(letter, latest_communication=self.latest_communication())
        return compose_mail(self.templates, letter, self.sender, recipient, stamp, attachment, ways)

    def _compose_welcome(
        self,
        row: Delivery,
        letter: Notice,
        stamp: Stamp,
        attachment: Attachment | None,
        recipient: str,
    ) -> bytes:
        """Compose unless its mailbox has unsubscribed meanwhile, up to the last moment."""
        if row.kind is MessageKind.COMMUNICATION and is_unsubscribed(self.database, row.mailbox):
            raise PermanentFailure(UNSUBSCRIBED)
        return self.compose(row, letter, stamp, attachment, recipient)

    def _ways_out(self, row: Delivery) -> Unsubscribe | None:
        """Offer a way out of communications; what else we send is owed to the customer."""
        is_news = row.kind is MessageKind.COMMUNICATION
        return self.unsubscribing.ways_out(row.address) if is_news else None
