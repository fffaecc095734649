"""What an office writes and reads mail with; loaded by the first command that needs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from domain.failures import Misuse
from mail.bill_mail import BillRenderer, Sender
from mail.communications_live import LiveCommunications
from mail.compose import Templates
from mail.inbox import Inbox
from mail.mass_letters import MassLetters
from mail.notice_mail import NoticeRenderer
from mail.port import Mailer
from mail.protecting import Protection
from mail.sizing import MEGABYTE, SizeLimit
from mail.unsubscribing import Unsubscribing
from mail.usage_exports import NO_LINKS, ExportLinks
from mail.verp import Verp
from office.home_secret import read_secret, secret_for

if TYPE_CHECKING:
    from office.wiring import Office


def to_mailer(here: Office) -> Mailer:
    """Return a mail server where one is set, else a folder; a rehearsal reaches neither."""
    chosen = here.settings.smtp
    if here.rehearses:
        from mail.rehearsal import Rehearsal

        return Rehearsal()
    if not chosen.url:
        from mail.embedded import MailFolder

        return MailFolder(here.folder("mail"))
    from office.mail_server import to_mailer as to_server

    return to_server(here.home, chosen)


def to_bill_renderer(here: Office) -> BillRenderer:
    return BillRenderer(
        here.database,
        here.templates,
        _sender(here),
        here.store.read,
        here.live_communications.latest_link,
        protection=_protection(here),
        limit=to_size_limit(here),
    )


def to_notice_renderer(here: Office) -> NoticeRenderer:
    """Return what makes the mails beside the bills."""
    live = here.live_communications
    return NoticeRenderer(
        here.database,
        here.templates,
        _sender(here),
        here.unsubscribing,
        MassLetters(here.database, here.store.read, live.link_to),
        live.latest_link,
        alert_remedy=f"To see which: {here.command} list exceptions",
        export_links=here.export_links,
    )


def to_export_links(here: Office) -> ExportLinks:
    """Return what makes the links of usage exports; without exports.link_url there are none."""
    url = here.settings.exports.link_url
    if not url or here.rehearses:
        return NO_LINKS
    return ExportLinks(secret_for(here.home, "usage-export"), url)


def to_unsubscribing(here: Office) -> Unsubscribing:
    """Return what makes the ways out of communications, and knows its tokens again."""
    chosen = here.settings.communications
    is_used = bool(chosen.unsubscribe_url or chosen.unsubscribe_mailto)
    secret = secret_for(here.home, "unsubscribe") if is_used and not here.rehearses else b""
    return Unsubscribing(secret, chosen.unsubscribe_url, chosen.unsubscribe_mailto)


def to_live_communications(here: Office) -> LiveCommunications:
    """Return what was posted and may be linked to today."""
    return LiveCommunications(
        here.database, here.settings.communications.link_url, here.local_today
    )


def to_templates(here: Office) -> Templates:
    own = here.home / "templates"
    return Templates(own if own.is_dir() else None)


def to_size_limit(here: Office) -> SizeLimit:
    """Return the largest mail, and where a bill is to be read that is larger."""
    chosen = here.settings.ebill
    link = chosen.link_url if chosen.too_large == "link" else ""
    return SizeLimit(chosen.largest_mb * MEGABYTE, link)


def _sender(here: Office) -> Sender:
    chosen = here.settings.smtp
    return Sender(
        chosen.sender, envelope_from=chosen.sender, reply_to=chosen.reply_to, verp=here.verp
    )


def _protection(here: Office) -> Protection | None:
    if not here.settings.ebill.password:
        return None
    from splitter.encrypting import encrypt  # its library takes long to load

    return Protection(here.settings.ebill.password, encrypt)


def to_verp(here: Office) -> Verp | None:
    """Return what signs the senders of our mails; None where bounces go to the sender himself."""
    address = here.settings.smtp.bounces
    if not address or here.rehearses:
        return None
    return Verp(address, read_secret(here.home))


def to_inbox(here: Office) -> Inbox:
    """Return the mailbox that bounces come to; raises Misuse where none is set."""
    chosen = here.settings.bounces
    if chosen.source.startswith("maildir:"):
        from mail.maildir import Maildir

        return Maildir(Path(chosen.source.removeprefix("maildir:")))
    if chosen.source:
        from mail.imap import ImapInbox
        from mail.imap_folder import to_imap_folder

        password = chosen.password.get_secret_value()
        return ImapInbox(to_imap_folder(chosen.source, username=chosen.username, password=password))
    raise Misuse(
        "bounces.source is empty: nobody knows where the mails that come back are; "
        "set it to maildir:/path or imaps://host/folder.",
        "no-bounces",
    )
