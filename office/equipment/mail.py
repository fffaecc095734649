"""What an office writes and reads mail with; loaded by the first command that needs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from domain.failures import Misuse
from mail.bounces.inbox import Inbox
from mail.communications.mailings import MassLetters
from mail.communications.posted import LiveCommunications
from mail.letters.access import NO_PORTAL, PortalLinks
from mail.letters.links import NO_LINKS, ExportLinks, Unsubscribing
from mail.letters.templates import OfficeContact, Templates
from mail.message.addresses import Verp
from mail.message.size_limit import MEGABYTE, SizeLimit
from mail.port import Mailer
from mail.rendering.alerts import say_where
from mail.rendering.bills import BillRenderer, Protection, Sender
from mail.rendering.notices import NoticeRenderer
from mail.smtp.mailer import SmtpMailer
from mail.smtp.relay import Relay, Tokens, to_relay
from office.secrets.files import read_secret, secret_for
from office.settings.mail import SmtpSettings

if TYPE_CHECKING:
    from datetime import date

    from database.books import Database
    from identity.tokens import LinkTokens
    from office.settings.settings import Settings
    from splitter.store.bill_store import BillStore


class MailNeeds(Protocol):
    """What mail's equipment is made from: an office, as far as mail knows it."""

    @property
    def home(self) -> Path: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def rehearses(self) -> bool: ...
    def folder(self, name: str) -> Path: ...
    def local_today(self) -> date: ...
    @property
    def command(self) -> str: ...
    @property
    def staff_url(self) -> str: ...
    @property
    def database(self) -> Database: ...
    @property
    def store(self) -> BillStore: ...
    @property
    def templates(self) -> Templates: ...
    @property
    def link_tokens(self) -> LinkTokens: ...
    @property
    def export_links(self) -> ExportLinks: ...
    @property
    def unsubscribing(self) -> Unsubscribing: ...
    @property
    def live_communications(self) -> LiveCommunications: ...
    @property
    def verp(self) -> Verp | None: ...


def to_server_mailer(home: Path, chosen: SmtpSettings, *, connections: int = 0) -> Mailer:
    """
    Make a mailer of the settings; files are named from the home. Raises Misuse.

    `connections` are this process's share where several send; 0: all.
    """
    return SmtpMailer(
        _relay(home, chosen),
        connections=connections or chosen.connections,
        messages_per_minute=chosen.messages_per_minute,
        per_domain_per_minute=chosen.per_domain_per_minute,
        sign=_sign(home, chosen),
    )


def _relay(home: Path, chosen: SmtpSettings) -> Relay:
    command = chosen.token_command
    return to_relay(
        chosen.url,
        username=chosen.username,
        password=chosen.password.get_secret_value(),
        tokens=Tokens(command, seconds=chosen.token_seconds) if command else None,
        ca_file=home / chosen.ca_file if chosen.ca_file else None,
        pipelining=chosen.pipelining,
        messages_per_connection=chosen.messages_per_connection,
    )


def _sign(home: Path, chosen: SmtpSettings) -> Callable[[bytes], bytes] | None:
    asked = (chosen.dkim_domain, chosen.dkim_selector, chosen.dkim_key_file)
    if not any(asked):
        return None
    if not all(asked):
        raise Misuse("smtp.dkim_domain, smtp.dkim_selector and smtp.dkim_key_file go together.")
    from mail.message.dkim import read_signer

    return read_signer(chosen.dkim_domain, chosen.dkim_selector, home / chosen.dkim_key_file).sign


def to_mailer(office: MailNeeds) -> Mailer:
    """Return a mail server where one is set, else a folder; a rehearsal reaches neither."""
    chosen = office.settings.smtp
    if office.rehearses:
        from mail.embedded import Rehearsal

        return Rehearsal()
    if not chosen.url:
        from mail.embedded import MailFolder

        return MailFolder(office.folder("mail"))
    to_server = to_server_mailer

    return to_server(office.home, chosen)


def to_bill_renderer(office: MailNeeds) -> BillRenderer:
    return BillRenderer(
        office.database,
        office.templates,
        _sender(office),
        office.store.read,
        office.live_communications.latest_link,
        protection=_protection(office),
        limit=to_size_limit(office),
        portal=office.settings.web.url,
    )


def to_notice_renderer(office: MailNeeds) -> NoticeRenderer:
    """Return what makes the mails beside the bills."""
    live = office.live_communications
    return NoticeRenderer(
        office.database,
        office.templates,
        _sender(office),
        office.unsubscribing,
        MassLetters(office.database, office.store.read, live.link_to),
        live.latest_link,
        exceptions=say_where(
            "Exceptions",
            office.staff_url,
            "/office/exceptions",
            f"{office.command} list exceptions",
        ),
        export_links=office.export_links,
        portal_links=to_portal_links(office),
        staff_url=office.staff_url,
    )


def to_portal_links(office: MailNeeds) -> PortalLinks:
    """Return what makes the addresses of the portal; without web.url there are none."""
    url = office.settings.web.url.rstrip("/")
    if not url or office.rehearses:
        return NO_PORTAL
    tokens = office.link_tokens
    return PortalLinks(url, tokens.token, tokens.code)


def to_export_links(office: MailNeeds) -> ExportLinks:
    """Return what makes the links of usage exports; without any address there are none."""
    url = export_address(office.settings)
    if not url or office.rehearses:
        return NO_LINKS
    return ExportLinks(secret_for(office.home, "usage-export"), url)


def export_address(settings: Settings) -> str:
    """Return where exports are fetched, {token} in it: exports.link_url, else the portal's own."""
    portal = settings.web.url.rstrip("/")
    return settings.exports.link_url or (f"{portal}/exports/{{token}}" if portal else "")


def communication_address(settings: Settings) -> str:
    """Return where a communication is read, {number} in it: link_url, else the portal's own."""
    portal = settings.web.url.rstrip("/")
    own = f"{portal}/communications/{{number}}" if portal else ""
    return settings.communications.link_url or own


def to_unsubscribing(office: MailNeeds) -> Unsubscribing:
    """Return what makes the ways out of communications, and knows its tokens again."""
    chosen = office.settings.communications
    is_used = bool(chosen.unsubscribe_url or chosen.unsubscribe_mailto)
    secret = secret_for(office.home, "unsubscribe") if is_used and not office.rehearses else b""
    return Unsubscribing(secret, chosen.unsubscribe_url, chosen.unsubscribe_mailto)


def to_live_communications(office: MailNeeds) -> LiveCommunications:
    """Return what was posted and may be linked to today."""
    address = communication_address(office.settings)
    return LiveCommunications(office.database, address, office.local_today)


def to_templates(office: MailNeeds) -> Templates:
    return Templates(own_templates(office), contact_of(office))


def own_templates(office: MailNeeds) -> Path | None:
    """Return the folder of the office's own texts, None where it has none."""
    own = office.home / "templates"
    return own if own.is_dir() else None


def contact_of(office: MailNeeds) -> OfficeContact:
    """Return how customers reach the office, as mails say it."""
    utility = office.settings.utility
    return OfficeContact(utility.phone, utility.address, utility.hours, office.settings.web.url)


def to_size_limit(office: MailNeeds) -> SizeLimit:
    """Return the largest mail, and where a bill is to be read that is larger."""
    chosen = office.settings.ebill
    link = chosen.link_url if chosen.too_large == "link" else ""
    return SizeLimit(chosen.largest_mb * MEGABYTE, link)


def _sender(office: MailNeeds) -> Sender:
    chosen = office.settings.smtp
    return Sender(
        chosen.sender, envelope_from=chosen.sender, reply_to=chosen.reply_to, verp=office.verp
    )


def _protection(office: MailNeeds) -> Protection | None:
    if not office.settings.ebill.password:
        return None
    from splitter.copying.encrypting import encrypt

    return Protection(office.settings.ebill.password, encrypt)


def to_verp(office: MailNeeds) -> Verp | None:
    """Return what signs the senders of our mails; None where bounces go to the sender himself."""
    address = office.settings.smtp.bounces
    if not address or office.rehearses:
        return None
    return Verp(address, read_secret(office.home))


def to_inbox(office: MailNeeds) -> Inbox:
    """Return the mailbox that bounces come to; raises Misuse where none is set."""
    chosen = office.settings.bounces
    if chosen.source.startswith("maildir:"):
        from mail.bounces.maildir import Maildir

        return Maildir(Path(chosen.source.removeprefix("maildir:")))
    if chosen.source:
        from mail.bounces.imap import ImapInbox, to_imap_folder

        password = chosen.password.get_secret_value()
        return ImapInbox(to_imap_folder(chosen.source, username=chosen.username, password=password))
    raise Misuse(
        "bounces.source is empty: nobody knows where the mails that come back are; "
        "set it to maildir:/path or imaps://host/folder.",
        "no-bounces",
    )
