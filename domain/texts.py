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

# What leaves by day alone, and to nobody but who agreed to it: news of the office, too (rule 111).
BY_DAY = TEXTED | {MessageKind.COMMUNICATION}

# The alphabet of phone networks (GSM 03.38): who writes another letter pays for fewer a segment.
_PLAIN = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWICE = frozenset("^{}\\[~]|€\f")  # an escape stands before each


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


def count_segments(words: str) -> int:
    """
    Count the segments that a carrier sends a text in, and charges for.

    One has 160 letters of the networks' alphabet, or 70 where another letter is in it (á, í, ó, ú
    are such); of a longer text each has 153, or 67.
    """
    if all(letter in _PLAIN or letter in _TWICE for letter in words):
        size, one, each = len(words) + sum(letter in _TWICE for letter in words), 160, 153
    else:
        size, one, each = len(words.encode("utf-16-le")) // 2, 70, 67
    return 1 if size <= one else -(-size // each)


def is_quiet(local: datetime, begins: time, ends: time) -> bool:
    """Tell whether a local moment is outside of the hours in which texts leave."""
    return not begins <= local.time() < ends
