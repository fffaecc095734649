"""The mail server that the settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from domain.failures import Misuse
from mail.oauth import Tokens
from mail.port import Mailer
from mail.relay import Relay, to_relay
from mail.smtp import SmtpMailer
from office.settings_mail import SmtpSettings


def to_mailer(home: Path, chosen: SmtpSettings, *, connections: int = 0) -> Mailer:
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
    from mail.dkim import read_signer  # its library takes long to load

    return read_signer(chosen.dkim_domain, chosen.dkim_selector, home / chosen.dkim_key_file).sign
