"""What an honest browser answers to a question."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Mapping
from typing import Any

from identity.bot_check.port import BotQuestion
from tests.identity.bot_check.turnstile_service import PERSON

_COUNT = itertools.count()


def answer_of(question: BotQuestion) -> str:
    """Answer as a browser does: ALTCHA's number by counting, Turnstile's token from its script."""
    if question.kind == "altcha":
        return solve(question.values)
    return f"{PERSON}{next(_COUNT)}" if question.kind == "turnstile" else ""


def solve(asked: Mapping[str, str], **changes: Any) -> str:
    salt, challenge = asked["salt"], asked["challenge"]
    number = next(
        number
        for number in range(int(asked["maxnumber"]) + 1)
        if hashlib.sha256(f"{salt}{number}".encode()).hexdigest() == challenge
    )
    told = {name: asked[name] for name in ("algorithm", "challenge", "salt", "signature")}
    return written(told | {"number": number} | changes)


def written(told: object) -> str:
    return base64.b64encode(json.dumps(told).encode()).decode()
