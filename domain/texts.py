"""Text messages: which notices may be one, and what a customer may answer."""

from __future__ import annotations

from datetime import datetime, time
from enum import StrEnum

from domain.deliveries import MessageKind

# What a customer may choose to get by text instead of by mail (rule 103).
TEXTED = frozenset(
    {
        MessageKind.PAYMENT_DUE,
        MessageKind.PAST_DUE,
        MessageKind.AUTOPAY_SCHEDULED,
        MessageKind.AUTOPAY_FAILED,
        MessageKind.RECEIPT,
    }
)


class ConsentWay(StrEnum):
    """By what a consent to texts was given or taken back."""

    CODE = "code"  # the phone was proved by the code that it got
    ACCOUNT_PAGE = "account-page"
    TEXT = "text"  # the phone's own STOP or START


class PhoneReply(StrEnum):
    """What an answer to a text means."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    OTHER = "other"


# The words that carriers have every sender honor, and the Spanish ones.
_WORDS = {
    PhoneReply.STOP: {
        *("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"),
        *("ALTO", "PARAR", "CANCELAR", "BAJA"),
    },
    PhoneReply.START: {"START", "UNSTOP", "YES", "SI", "SÍ", "INICIAR", "EMPEZAR"},
    PhoneReply.HELP: {"HELP", "INFO", "AYUDA"},
}


def read_reply(words: str) -> PhoneReply:
    """Tell what an answer means; `stop.` and ` Stop all ` stop, a sentence says nothing."""
    said = "".join(filter(str.isalpha, words)).upper()
    return next((reply for reply, known in _WORDS.items() if said in known), PhoneReply.OTHER)


def is_quiet(local: datetime, begins: time, ends: time) -> bool:
    """Tell whether a local moment is outside of the hours in which texts leave."""
    return not begins <= local.time() < ends
