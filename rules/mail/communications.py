"""Which communication is shown, and which mailboxes a mass mail reaches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.deliveries import Recipient


@dataclass(frozen=True, slots=True)
class Posted:
    """
    A communication that was posted and not removed.

    `expires_on` is the last local day on which it is shown; None: it stays. `link` is where it is
    to be read; empty: nowhere.
    """

    number: int
    title: str
    link: str
    expires_on: date | None = None

    def is_live(self, today: date) -> bool:
        return self.expires_on is None or today <= self.expires_on


def choose_latest(posted: Iterable[Posted], today: date) -> Posted | None:
    """
    Return the communication added last that is live; None where there is none (rule 108).

    After it has expired or was removed, the one before it takes its place, if that is live.
    """
    live = [found for found in posted if found.is_live(today)]
    return max(live, key=lambda found: found.number, default=None)


class LeftOut(StrEnum):
    """Why a mailbox of an audience is not written to."""

    SUPPRESSED = "suppressed"  # mails to it came back
    UNSUBSCRIBED = "unsubscribed"  # its owner wants no communications
    NO_ACCOUNT = "no-account"  # the text names an account, and it has none


WITHOUT_ADDRESS = "accounts-without-address"  # counted beside the mailboxes that are left out
SAID = {
    LeftOut.SUPPRESSED.value: "mails to them came back",
    LeftOut.UNSUBSCRIBED.value: "want no communications",
    LeftOut.NO_ACCOUNT.value: "have no account, which the text names",
    WITHOUT_ADDRESS: "accounts without an e-mail address",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """A mailbox that a communication may go to, and the account it is greeted by; may be empty."""

    recipient: Recipient
    account: str = ""


def choose_readers(
    audience: Iterable[Reader],
    *,
    suppressed: Container[str],
    unsubscribed: Container[str],
    names_account: bool = False,
) -> tuple[list[Reader], Counter[LeftOut]]:
    """
    Return who gets a communication, one a mailbox, and how many mailboxes do not, by why.

    Spellings that differ in case alone are one mailbox (rules 25-28). The first account that it is
    found with stands in the mail; one without an account gives way to one with. Bills go on to
    whoever is left out as unsubscribed.
    """
    once: dict[str, Reader] = {}
    for reader in audience:
        mailbox = reader.recipient.mailbox
        if mailbox not in once or (reader.account and not once[mailbox].account):
            once[mailbox] = reader
    chosen: list[Reader] = []
    left_out: Counter[LeftOut] = Counter()
    for mailbox, reader in once.items():
        if mailbox in suppressed:
            left_out[LeftOut.SUPPRESSED] += 1
        elif mailbox in unsubscribed:
            left_out[LeftOut.UNSUBSCRIBED] += 1
        elif names_account and not reader.account:
            left_out[LeftOut.NO_ACCOUNT] += 1
        else:
            chosen.append(reader)
    return chosen, left_out
