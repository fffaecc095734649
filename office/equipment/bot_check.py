"""What tells people from programs before somebody pays without signing in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from domain.failures import Misuse
from identity.bot_check.port import BotCheck, BotCheckKind, NoBotCheck

if TYPE_CHECKING:
    from office.settings.checkout import BotCheckSettings


def to_bot_check(chosen: BotCheckSettings, secret: bytes) -> BotCheck:
    """
    Return the check that is set; `secret` is the home's own, of which ALTCHA's key is made.

    All processes of one home take each other's answers. Raises Misuse where Turnstile's secret is
    not in the environment.
    """
    if chosen.kind is BotCheckKind.ALTCHA:
        from identity.bot_check.altcha import Altcha

        return Altcha(hashlib.sha256(b"bot-check/" + secret).digest(), chosen.work)
    if chosen.kind is BotCheckKind.TURNSTILE:
        from identity.bot_check.turnstile import TURNSTILE, Turnstile

        if not chosen.secret.get_secret_value():
            raise Misuse(
                "bot_check.secret is empty: give Turnstile's secret key in the environment as "
                "BILLCLOSE_BOT_CHECK__SECRET.",
                "no-turnstile-secret",
            )
        return Turnstile(chosen.site_key, chosen.secret, chosen.url or TURNSTILE)
    return NoBotCheck()
