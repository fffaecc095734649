"""All guesses at what bundle.toml should say about a bulk file."""

from __future__ import annotations

from dataclasses import dataclass

from splitter.guessing import Candidate, guess, pages_with_several
from splitter.guessing_regions import RegionGuess, guess_region
from splitter.guessing_separators import Separator, guess_separator
from splitter.sampling import Sample

KINDS = ("account", "amount_due", "due_date")
SHOWN_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Guesses:
    """
    The likeliest patterns by kind, a separator's text and a region, each if there is one.

    `several` tells on how many pages the account pattern finds more than one account: then the
    region decides, or a person.
    """

    candidates: dict[str, list[Candidate]]
    separator: Separator | None
    region: RegionGuess | None
    several: int

    @property
    def account(self) -> Candidate | None:
        return next(iter(self.candidates["account"]), None)


def guess_all(sample: Sample) -> Guesses:
    """Guess at patterns; a region only where pages print several numbers that are like accounts."""
    texts = list(sample.texts.values())
    candidates = {kind: guess(kind, texts)[:SHOWN_CANDIDATES] for kind in KINDS}
    account = next((found.pattern for found in candidates["account"]), None)
    several = pages_with_several(account, texts) if account else 0
    region = guess_region(sample.places(account), sample.texts) if account and several else None
    return Guesses(candidates, guess_separator(account, texts), region, several)
