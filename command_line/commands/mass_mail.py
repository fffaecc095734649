"""`billclose communication send`: one text to many customers, looked at and counted first."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.commands.preview import send_test_mail, to_mailbox
from command_line.options import DONE, NEEDS_PERSON, F, as_of_option, json_option, open_office
from command_line.outcomes.mail import Figures, is_unsent, run_mailing, say_unsent
from domain.causes import say_cause
from domain.failures import Misuse, Refused
from domain.words import say_count
from rules.mail.communications import SAID

if TYPE_CHECKING:
    from mail.communications.audience import Audience
    from mail.communications.mailings import MassMailRequest
    from office.equipment.office import Office
    from office.procedures.mailing.communications import Plan


def to_audience(
    portal_users: bool,
    customers: bool,
    where: tuple[str, ...],
    accounts: tuple[str, ...],
    addresses: tuple[str, ...] | None,
) -> Audience:
    """
    Read whom it goes to; raises Misuse for no audience, or more than one.

    `addresses` is None where the command goes to phones and not to addresses.
    """
    from mail.communications.audience import Audience, AudienceKind

    kinds = {
        AudienceKind.PORTAL_USERS: portal_users,
        AudienceKind.CUSTOMERS: customers,
        AudienceKind.WHERE: where,
        AudienceKind.ACCOUNTS: accounts,
        AudienceKind.ADDRESSES: addresses,
    }
    chosen = [kind for kind, given in kinds.items() if given]
    if len(chosen) != 1:
        raise Misuse(
            "Say whom it goes to by one of --to-portal-users, --to-customers, --where"
            f"{' and --account' if addresses is None else ', --account and --to'}."
        )
    return Audience.of(chosen[0], where or accounts or addresses or ())


def read_body(file: Path) -> str:
    """Read the text; raises Misuse for a file that is none."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as failure:
        reason = say_cause(failure)
        raise Misuse(f"{file} cannot be read: {reason}.") from None
    except ValueError:
        raise Misuse(f"{file} is no plain text; save it as text in UTF-8.") from None


def preview_lines(figures: Figures, audience: Audience) -> list[str]:
    """Show the mail as its first reader gets it, to how many it goes, and who is left out."""
    lines = [f"Subject: {figures['subject']}"]
    lines += [f"Attached: {figures['attachment']}"] if figures["attachment"] else []
    lines += ["", figures["text"].rstrip(), ""]
    count = say_count(figures["mailboxes"], "mailbox", "mailboxes")
    lines.append(f"To {audience.say()}: {count}")
    lines += [f"  left out {number:,}: {SAID[why]}" for why, number in figures["left_out"].items()]
    return lines


def end(status: str, figures: Figures, code: int, *, as_json: bool) -> int:
    """Tell how it ended and return the exit status."""
    if as_json:
        click.echo(json.dumps({"status": status, **figures}, indent=1, ensure_ascii=False))
    else:
        click.echo(_last_line(status, figures))
    return code


def _last_line(status: str, figures: Figures) -> str:
    mailing = figures["mailing"]
    if status == "waiting":
        return f"Nothing is sent yet; to send it add --yes-to {figures['mailboxes']}"
    if status == "sent-before":
        return f"It was sent before as mailing {mailing}; nothing to do."
    if status in ("dry-run", "tested", "in-doubt"):
        return {"dry-run": "Nothing is sent.", "tested": "The test mail is sent."}.get(status, "")
    told = [f"{figures['sent']:,} sent"]
    told += say_unsent(figures)
    stopped = f"; stopped: {figures['stopped_by']}" if figures["stopped_by"] else ""
    return f"Mailing {mailing}: {', '.join(told)}{stopped}."


def audience_options(command: F) -> F:
    """Let a command be told to whom, as `to_audience` takes it; mails and texts say it alike."""
    for option in reversed(_AUDIENCE):
        command = option(command)
    return command


_AUDIENCE = (
    click.option("--to-portal-users", is_flag=True, help="To everybody with a portal login."),
    click.option("--to-customers", is_flag=True, help="To everybody whose address is known."),
    click.option(
        "--where", multiple=True, metavar="COLUMN=VALUE", help="To customers whose account is so."
    ),
    click.option(
        "--account", multiple=True, metavar="N", help="To whoever belongs to this account."
    ),
)


@click.command()
@click.option("--subject", required=True, metavar="TEXT", help="One line.")
@click.option(
    "--body",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE.txt",
    help="The text: paragraphs with blank lines between them.",
)
@click.option("--attach", type=click.Path(path_type=Path), metavar="FILE.pdf", help="Goes along.")
@click.option("--communication", type=int, metavar="NUMBER", help="A posted one to link to.")
@audience_options
@click.option("--to", multiple=True, metavar="ADDRESS", help="To this address.")
@click.option("--yes-to", type=int, metavar="COUNT", help="Confirm so many mailboxes.")
@click.option("--test-to", default="", metavar="ME", help="Send it to this address alone.")
@click.option("--dry-run", is_flag=True, help="Show and count; record and send nothing.")
@as_of_option
@json_option
@click.pass_obj
def send(
    home: Path,
    subject: str,
    body: Path,
    attach: Path | None,
    communication: int | None,
    to_portal_users: bool,
    to_customers: bool,
    where: tuple[str, ...],
    account: tuple[str, ...],
    to: tuple[str, ...],
    yes_to: int | None,
    test_to: str,
    dry_run: bool,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Mail a text to many customers, once to each mailbox.

    It is shown first, and the number of mailboxes has to be confirmed. Running the same again goes
    on where it was cut short. Exit status 3 for a wrong count, 4 where it waits for one or a mail
    could not be sent.
    """
    from office.procedures.mailing.communications import make_request, plan_of

    audience = to_audience(to_portal_users, to_customers, where, account, to)
    office = open_office(home, as_of)
    request = make_request(office, subject, read_body(body), audience, attach, communication)
    plan = plan_of(office, request)
    figures = _preview(office, request, plan)
    if not as_json:
        click.echo("\n".join(preview_lines(figures, audience)))
    if test_to:
        return _test(office, request, plan, test_to, figures, as_json=as_json)
    if dry_run:
        return end("dry-run", figures, DONE, as_json=as_json)
    if _is_finished(office, plan):
        return end("sent-before", figures, DONE, as_json=as_json)
    count = _ask(yes_to, figures["mailboxes"], as_json=as_json)
    if count is None:
        return end("waiting", figures, NEEDS_PERSON, as_json=as_json)
    return _send(office, request, count, figures, as_json=as_json)


def _preview(office: Office, request: MassMailRequest, plan: Plan) -> Figures:
    from office.procedures.mailing.communications import compose, text_of

    text = text_of(compose(office, request, plan.shown)) if plan.shown else ""
    return {
        "mailing": plan.mailing.number if plan.mailing else None,
        "subject": request.subject,
        "text": text,
        "attachment": request.attachment.name if request.attachment else None,
        "communication": request.communication,
        "audience": request.audience.kind.value,
        "mailboxes": plan.mailboxes,
        "left_out": plan.left_out,
    }


def _is_finished(office: Office, plan: Plan) -> bool:
    from mail.communications.mailings import count_mails
    from mail.outbox.decisions import WAITING

    if plan.mailing is None or plan.mailing.queued_at is None:
        return False
    found = count_mails(office.database, plan.mailing.number)
    return not any(found[status] for status in WAITING)


def _ask(yes_to: int | None, mailboxes: int, *, as_json: bool) -> int | None:
    """Return the count that a person confirms, None where nobody can be asked; raises Refused."""
    if not mailboxes:
        raise Refused("nobody", "There is nobody to write to; look at the audience again.")
    if yes_to is None and (as_json or not sys.stdin.isatty()):
        return None
    typed = click.prompt("Type the number of mailboxes to send it") if yes_to is None else yes_to
    written = str(typed).replace(",", "").strip()
    if written != str(mailboxes):
        raise Refused(
            "wrong-count",
            f"{say_count(mailboxes, 'mailbox', 'mailboxes')} would be written to, not {written}; "
            "nothing was sent.",
        )
    return mailboxes


def _send(
    office: Office,
    request: MassMailRequest,
    count: int,
    figures: Figures,
    *,
    as_json: bool,
) -> int:
    from command_line.working import telling_steps
    from office.procedures.mailing.communications import record

    per_minute = office.settings.communications.messages_per_minute
    if per_minute and not as_json:
        minutes = say_count(-(-count // per_minute), "minute")
        click.echo(f"Sending {per_minute:,} a minute takes some {minutes}.")
    number = record(office, request)
    sent = run_mailing(telling_steps(office), _load, mailing=number, count=count)
    unsent = is_unsent(sent) or bool(sent["stopped_by"])
    status = "unsent" if unsent else "sent"
    return end(status, figures | sent, NEEDS_PERSON if unsent else DONE, as_json=as_json)


def _load() -> Any:
    from flows.send_communication import send_communication as flow

    return flow


def _test(
    office: Office,
    request: MassMailRequest,
    plan: Plan,
    address: str,
    figures: Figures,
    *,
    as_json: bool,
) -> int:
    """Send the mail to whoever tries it, and write down that a customer's facts were sent."""
    from office.procedures.mailing.communications import compose

    if plan.shown is None:
        raise Refused("nobody", "There is nobody to write to; look at the audience again.")
    recipient = to_mailbox(address, "--test-to")
    content = compose(office, request, plan.shown, recipient)
    sender, about = office.notice_renderer.sender, ("communication", "", "")
    if not send_test_mail(office, sender, recipient, content, "communication", about):
        return end("in-doubt", figures, NEEDS_PERSON, as_json=as_json)
    return end("tested", figures, DONE, as_json=as_json)
