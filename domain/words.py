"""How counts are written for people."""

from __future__ import annotations


def say_count(number: int, noun: str, plural: str = "") -> str:
    """Write `1 bill`, `2,000 bills`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
