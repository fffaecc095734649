"""ALTCHA's proof of work: a number that only counting finds, and nobody's service is asked."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from identity.bot_check.port import BotCheckKind, BotQuestion, BotVerdict

ALGORITHM = "SHA-256"
SCRIPT = "bot-check.js"
FIELD = "altcha"
LONGEST = 1_500  # letters of an answer; ours have some 400
MOST_NUMBER = 10_000_000
_NO = BotVerdict(is_person=False)


@dataclass(frozen=True, slots=True)
class Altcha:
    """
    Makes challenges by ALTCHA's published protocol (altcha.org, proof of work), and checks them.

    challenge = SHA-256(salt + number), signature = HMAC-SHA-256(key, challenge), all in hex; the
    salt carries until when it is good. It ends with `&`: without an end a digit could be moved
    from the number to the date before it (the hash would stay the same, the challenge live longer).
    `work` is the largest number: half of it has to be tried, as a rule.
    """

    key: bytes = field(repr=False)
    work: int = 100_000
    lasts: timedelta = timedelta(minutes=20)

    def ask(self, now: datetime) -> BotQuestion:
        until = int((now + self.lasts).timestamp())
        salt = f"{secrets.token_hex(12)}?expires={until}&"
        challenge = _hash(salt, secrets.randbelow(self.work + 1))
        values = {
            "algorithm": ALGORITHM,
            "challenge": challenge,
            "maxnumber": str(self.work),
            "salt": salt,
            "signature": self._sign(challenge),
        }
        return BotQuestion(BotCheckKind.ALTCHA, SCRIPT, FIELD, values)

    def verify(self, answer: str, now: datetime) -> BotVerdict:
        """Judge an answer: base64 of JSON with algorithm, challenge, number, salt, signature."""
        given = _read(answer)
        if given is None:
            return _NO
        challenge, salt, number = given["challenge"], given["salt"], given["number"]
        until = _expires(salt)
        is_ours = hmac.compare_digest(self._sign(challenge), given["signature"])
        if not is_ours or until is None or until < now:
            return _NO
        if not hmac.compare_digest(_hash(salt, int(number)), challenge):
            return _NO
        return BotVerdict(is_person=True, once=f"altcha/{challenge}", good_until=until)

    def _sign(self, challenge: str) -> str:
        return hmac.new(self.key, challenge.encode(), hashlib.sha256).hexdigest()


def _hash(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()


def _read(answer: str) -> dict[str, str] | None:
    """Read an answer; None for whatever is none."""
    if not 0 < len(answer) <= LONGEST:
        return None
    try:
        told = json.loads(base64.b64decode(answer, validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("algorithm") != ALGORITHM:
        return None
    number = told.get("number")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MOST_NUMBER:
        return None
    names = ("challenge", "salt", "signature")
    texts = {name: told.get(name) for name in names}
    if not all(isinstance(text, str) and text.isascii() for text in texts.values()):
        return None
    return {name: str(text) for name, text in texts.items()} | {"number": str(number)}


def _expires(salt: str) -> datetime | None:
    """Return until when a salt is good; None where it does not say so, or has no end."""
    _, _, query = salt.partition("?")
    found = parse_qs(query).get("expires", [])
    if not salt.endswith("&") or len(found) != 1 or not found[0].isdecimal():
        return None
    try:
        return datetime.fromtimestamp(int(found[0]), UTC)
    except (OverflowError, ValueError, OSError):
        return None
