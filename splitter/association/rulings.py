"""What a person has said about single pages of a bulk file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageRuling:
    """
    A page is given to an account, or belongs to nobody (`account` is empty).

    It holds for a page that says just what it said then, and never gives a page that names an
    account to another one.
    """

    page: int
    text_checksum: int
    account: str
