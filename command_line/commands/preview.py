"""`billclose preview`: a look at a mail before anybody gets it."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    json_option,
    open_office,
    say_done,
    wall_clock,
)
from domain.deliveries import MessageKind
from domain.failures import Misuse, OutcomeUnknown, PermanentFailure
from domain.texts import TEXTED

if TYPE_CHECKING:
    from mail.previews.previewing import PreviewSubject
    from mail.rendering.bills import Sender
    from office.equipment.office import Office


def to_mailbox(address: str, option: str) -> str:
    """Return where a test mail goes; raises Misuse for what is no address."""
    from mail.message.addresses import to_envelope_address

    try:
        return to_envelope_address(address)
    except PermanentFailure as failure:
        raise Misuse(f"{option}: {failure}.") from None


def send_test_mail(
    office: Office, sender: Sender, to: str, content: bytes, what: str, about: Sequence[str]
) -> bool:
    """
    Send a mail once and write down that a customer's facts were sent; False: nobody knows.

    `about` names the period, the form and the account in its key.
    """
    from office.procedures.mailing.trying import try_mail

    try:
        try_mail(office, sender, to, content, what, about, wall_clock().isoformat())
    except OutcomeUnknown as unknown:
        click.echo(f"billclose: {unknown}; see whether it arrives", err=True)
        return False
    return True


@dataclass(frozen=True, slots=True)
class Made:
    """A mail, and what its files and the audit list call it."""

    content: bytes
    name: str

    @property
    def page(self) -> str:
        from mail.previews.previewing import html_of

        return html_of(self.content)


@click.command()
@click.argument("kind", type=click.Choice([kind.value for kind in MessageKind]))
@click.option("--account", default="", metavar="N", help="With this account's own facts.")
@click.option("--period", default="", metavar="P", help="Of this period; else of the newest.")
@click.option("--form", default="", metavar="NAME", help="Such as final-bill, or past-due-2.")
@click.option("--sample", is_flag=True, help="With invented facts, without an account.")
@click.option("--to", "file", type=click.Path(path_type=Path), metavar="FILE", help="Write there.")
@click.option("--text", "as_text", is_flag=True, help="Say the text message in its place.")
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@click.option("--send-to", default="", metavar="ADDRESS", help="Mail it to yourself, as a test.")
@as_of_option
@json_option
@click.pass_obj
def preview(
    home: Path,
    kind: str,
    account: str,
    period: str,
    form: str,
    sample: bool,
    file: Path | None,
    as_text: bool,
    opens: bool,
    send_to: str,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Write a mail as its first recipient would get it; nobody gets it, nothing is recorded."""
    from mail.previews.previewing import PreviewSubject

    if bool(account) == sample:
        raise Misuse("Give either --account N or --sample.")
    if sample and period:
        raise Misuse("--period goes with --account; --sample has a period of its own.")
    if file is not None and file.suffix == ".html":
        raise Misuse("--to names the mail's own file, such as bill.eml; its page goes beside it.")
    wanted = PreviewSubject(MessageKind(kind), account, period, form)
    _require_form(wanted)
    office = open_office(home, as_of)
    if as_text:
        words = _text(office, wanted)
        say_done(as_json, {"text": words}, words)
        return DONE
    try:
        made = _make(office, wanted)
    except PermanentFailure as failure:
        raise Misuse(f"It cannot be shown: {failure}.") from None
    mail = file or office.folder("preview") / f"{made.name}.eml"
    page = _write(mail, made)
    lines = [f"Mail {mail}", f"Page {page}"]
    figures: dict[str, Any] = {"mail": str(mail), "page": str(page), "sent_to": None}
    if opens and not webbrowser.open(page.absolute().as_uri()):
        click.echo(f"billclose: no browser could be opened; open {page} yourself", err=True)
    if send_to:
        figures["sent_to"] = _send(office, wanted, send_to)
        if figures["sent_to"] is None:
            say_done(as_json, figures | {"status": "in-doubt"}, *lines)
            return NEEDS_PERSON
        lines.append(f"Sent {figures['sent_to']}")
    say_done(as_json, figures, *lines)
    return DONE


def _text(office: Office, wanted: PreviewSubject) -> str:
    """Say what whoever chose texts gets in the mail's place."""
    from mail.letters.samples import a_sample_notice
    from mail.previews.previewing import text_of

    if wanted.kind not in TEXTED:
        raise Misuse(f"{wanted.kind} is always a mail; texts are {', '.join(sorted(TEXTED))}.")
    if wanted.account:
        return text_of(wanted, office.text_words, office.clock.due)
    return office.text_words.word(a_sample_notice(wanted.form or wanted.kind.value))


def _require_form(wanted: PreviewSubject) -> None:
    from mail.letters.notices import kind_of

    if wanted.form and wanted.kind is not MessageKind.BILL and kind_of(wanted.form) != wanted.kind:
        raise Misuse(
            f"--form {wanted.form} is no {wanted.kind}; such a form is called {wanted.kind}-NAME."
        )


def _make(office: Office, wanted: PreviewSubject, test_to: str = "") -> Made:
    """Make the mail; with `test_to` as a test to that address."""
    from mail.keys import safe
    from mail.previews.previewing import as_test, look_at, render_sample

    bills, notices = office.bill_renderer, office.notice_renderer
    if test_to:
        sender = as_test(bills.sender)
        bills, notices = replace(bills, sender=sender), replace(notices, sender=sender)
    if wanted.account:
        look = look_at(wanted, bills, notices, office.clock.due, test_to)
        subject = look.subject
        name = f"{safe(subject.form)}-{safe(subject.run.period)}-{safe(subject.account)}"
        return Made(look.content, name)
    default = "utility-bill" if wanted.kind is MessageKind.BILL else wanted.kind.value
    form = wanted.form or default
    content = render_sample(
        form,
        bills.templates,
        kind=wanted.kind,
        sender=bills.sender,
        to=test_to or "ann@customer.example",
        sent_on=wall_clock(),
    )
    return Made(content, f"{safe(form)}-sample")


def _write(file: Path, made: Made) -> Path:
    """Write the mail and its page side by side, for the office's eyes alone; return the page."""
    from reporting.private_files import replacing

    page = file.with_suffix(".html")
    for place, content in ((file, made.content), (page, made.page.encode("utf-8"))):
        with replacing(place) as out:
            out.write(content)
    return page


def _send(office: Office, wanted: PreviewSubject, address: str) -> str | None:
    """
    Send a test mail to the clerk and write down that a customer's facts were sent.

    Return where it went; None where nobody knows whether it left.
    """
    recipient = to_mailbox(address, "--send-to")
    made = _make(office, wanted, recipient)
    sender = office.bill_renderer.sender
    about = wanted.period or "newest", made.name, wanted.account
    if not send_test_mail(office, sender, recipient, made.content, made.name, about):
        return None
    if office.settings.smtp.url:
        return recipient
    return f"{office.home / 'mail'} (no smtp.url is set)"
