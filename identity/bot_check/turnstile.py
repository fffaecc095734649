"""Cloudflare's Turnstile: its script asks in the browser, its service says what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

import httpx
from pydantic import SecretStr

from domain.causes import say_cause
from domain.failures import TemporaryFailure
from identity.bot_check.port import BotCheckKind, BotQuestion, BotVerdict

TURNSTILE = "https://challenges.cloudflare.com"
FIELD = "cf-turnstile-response"
LONGEST = 2_048  # letters of a token, by Turnstile's documentation
LASTS = timedelta(minutes=5)  # so long a token is good, by the same
_SECONDS = httpx.Timeout(8.0, connect=4.0)
# Of these the visitor is not the reason: our own key, or Turnstile itself.
_NOT_KNOWN = frozenset(
    {"missing-input-secret", "invalid-input-secret", "bad-request", "internal-error"}
)


@dataclass(frozen=True, slots=True)
class Turnstile:
    """
    Asks Turnstile's `siteverify` of each answer, which it says yes to once and for five minutes.

    The visitor's address is not told: the office keeps none, and it is not needed.
    """

    site_key: str
    secret: SecretStr = field(repr=False)
    url: str = TURNSTILE

    def ask(self, now: datetime) -> BotQuestion:
        return BotQuestion(
            BotCheckKind.TURNSTILE,
            f"{self.url}/turnstile/v0/api.js",
            FIELD,
            {"sitekey": self.site_key},
            elsewhere=self.url,
        )

    def verify(self, answer: str, now: datetime) -> BotVerdict:
        """Judge an answer; raises TemporaryFailure where Turnstile does not say yes or no."""
        if not 0 < len(answer) <= LONGEST:
            return BotVerdict(is_person=False)
        form = {"secret": self.secret.get_secret_value(), "response": answer}
        try:
            with httpx.Client(timeout=_SECONDS) as client:
                told = client.post(f"{self.url}/turnstile/v0/siteverify", data=form)
                verdict = told.json() if told.status_code < 500 else None
        except (httpx.HTTPError, ValueError) as failure:
            raise TemporaryFailure(f"Turnstile did not answer: {say_cause(failure)}") from None
        if not isinstance(verdict, dict) or not isinstance(verdict.get("success"), bool):
            raise TemporaryFailure(f"Turnstile answered {told.status_code}, neither yes nor no.")
        codes = {str(code) for code in verdict.get("error-codes") or ()}
        if not verdict["success"] and codes & _NOT_KNOWN:
            raise TemporaryFailure(f"Turnstile says {', '.join(sorted(codes & _NOT_KNOWN))}.")
        if not verdict["success"]:
            return BotVerdict(is_person=False)
        once = f"turnstile/{sha256(answer.encode()).hexdigest()}"
        return BotVerdict(is_person=True, once=once, good_until=now + LASTS)
