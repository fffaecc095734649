"""What a customer agrees to when enrolling in autopay: the text and its version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from domain.failures import Misuse

_OWN = Path(__file__).with_suffix(".txt")
_VERSION = re.compile(r"Version: *(\S{1,40})")
_NAME = re.compile(r"\{(\w*)\}")
# Without these nobody could tell later what was agreed.
NEEDED = frozenset({"account", "method", "amount_rule", "day_rule", "today_rule"})
KNOWN = NEEDED | {"utility"}


@dataclass(frozen=True, slots=True)
class Consent:
    """A text with places for the customer's own choices; kept whole with each mandate."""

    version: str
    wording: str

    def fill(self, values: Mapping[str, str]) -> str:
        return _NAME.sub(lambda name: values[name[1]], self.wording)


def read_consent(own: Path) -> Consent:
    """
    Read the office's text where it has one, else ours.

    Its first line is its version; raises Misuse where that is missing, or where the text has an
    unknown place or lacks one that says what is agreed.
    """
    return _read(own if own.is_file() else _OWN)


@cache
def _read(file: Path) -> Consent:
    try:
        first, _, wording = file.read_text(encoding="utf-8").partition("\n")
    except UnicodeDecodeError:
        raise Misuse(f"{file} is not UTF-8; save it again as that.", "consent") from None
    version = _VERSION.fullmatch(first.strip())
    if version is None:
        raise Misuse(f"{file}: its first line must be `Version: NAME`.", "consent")
    places = set(_NAME.findall(wording))
    if places - KNOWN:
        known = ", ".join(sorted(KNOWN))
        raise Misuse(f"{file}: only these may stand in braces: {known}.", "consent")
    if NEEDED - places:
        missing = ", ".join(f"{{{name}}}" for name in sorted(NEEDED - places))
        raise Misuse(f"{file} must say {missing}: it is what is agreed.", "consent")
    return Consent(version[1], wording.strip())
