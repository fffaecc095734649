"""What kinds of pages a file has, told by the lines that its form prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Look = frozenset[int]  # checksums of the form's lines that stand on a page

ALIKE = 0.6  # of the lines of two pages that are of one kind
MOST_LOOKS = 512
NO_LOOK: Look = frozenset()


@dataclass(slots=True)
class Looks:
    """How often pages of each look name their account, and how often they do not."""

    form: Mapping[int, int]  # checksum of a line -> bills on which it stands
    counted: list[tuple[Look, int, int]]  # look, named pages, nameless pages
    _shares: dict[Look, tuple[float, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, form: Mapping[int, int], pages: Iterable[tuple[Look, bool]]) -> Looks:
        """Count looks; each page comes with its look and whether it names an account."""
        named: Counter[Look] = Counter()
        nameless: Counter[Look] = Counter()
        for look, is_named in pages:
            (named if is_named else nameless)[look] += 1
        counted = [(look, named[look], nameless[look]) for look in named.keys() | nameless.keys()]
        counted.sort(key=lambda one: (-one[1] - one[2], sorted(one[0])[:4]))
        return cls(form, counted[:MOST_LOOKS])

    def look_of(self, lines: Iterable[int]) -> Look:
        return frozenset(line for line in lines if line in self.form)

    def named_share(self, look: Look) -> tuple[float, int]:
        """
        Return the share of like pages that name their account, and how many of them do.

        The page itself is left out. What is more alike weighs much more: second pages often share
        half of a first page's lines.
        """
        if look not in self._shares:
            self._shares[look] = self._counted_share(look)
        return self._shares[look]

    def _counted_share(self, look: Look) -> tuple[float, int]:
        named = nameless = 0.0
        like = 0
        for other, with_account, without in self.counted:
            both = len(look & other)
            if both < 2:
                continue
            alike = both / len(look | other)
            if alike >= ALIKE:
                weight = alike**8
                named += weight * with_account
                nameless += weight * max(0, without - (other == look))
                like += with_account
        return (named / (named + nameless) if named else 0.0), like
