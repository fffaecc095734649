"""What a clerk says of a mass mail, and what he is told of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.mail_figures import Figures, say_unsent
from domain.failures import Misuse
from domain.words import say_count

if TYPE_CHECKING:
    from mail.mass_audience import Audience

WORDS = {
    "suppressed": "mails to them came back",
    "unsubscribed": "want no communications",
    "no-account": "have no account, which the text names",
    "accounts-without-address": "accounts without an e-mail address",
}


def to_audience(
    portal_users: bool,
    customers: bool,
    where: tuple[str, ...],
    accounts: tuple[str, ...],
    addresses: tuple[str, ...],
) -> Audience:
    """Read whom it goes to; raises Misuse for no audience, or more than one."""
    from mail.mass_audience import Audience, AudienceKind

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
            "Say whom it goes to by one of --to-portal-users, --to-customers, --where, --account "
            "and --to."
        )
    return Audience.of(chosen[0], where or accounts or addresses)


def read_body(file: Path) -> str:
    """Read the text; raises Misuse for a file that is none."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as failure:
        reason = (failure.strerror or type(failure).__name__).lower()
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
    lines += [f"  left out {number:,}: {WORDS[why]}" for why, number in figures["left_out"].items()]
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
