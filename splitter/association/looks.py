"""What kinds of pages a file has, told by the lines that its form prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Look = frozenset[int]  # checksums of the form's lines that stand on a page

FEW = 3  # bills on which a line must stand to be the form's
NAMED = 0.8  # of like pages: then a page of this look names its account
ALIKE = 0.6  # of the lines of two pages that are of one kind
OF_ITS_OWN, OF_THE_OTHER, FEWEST_LINES = 0.9, 0.6, 3  # shares of a page's lines, and of another's
SELDOM_NAMELESS = 0.2  # of pages of a kind: more are a kind of their own, such as second pages
MOST_LOOKS = 512
_MOST_KINDS = 1 << 14  # remembered
NO_LOOK: Look = frozenset()


@dataclass(slots=True)
class Looks:
    """How often pages of each look name their account, and how often they do not."""

    form: Mapping[int, int]  # checksum of a line -> bills on which it stands
    counted: list[tuple[Look, int, int]]  # look, named pages, nameless pages
    _shares: dict[Look, tuple[float, int]] = field(default_factory=dict)
    _kinds: dict[Look, Look] = field(default_factory=dict)
    _examples: list[Look] = field(default_factory=list)  # of kinds of pages

    @classmethod
    def of(cls, form: Mapping[int, int], pages: Iterable[tuple[Look, bool]]) -> Looks:
        """Count looks; each page comes with its look and whether it names an account."""
        named: Counter[Look] = Counter()
        nameless: Counter[Look] = Counter()
        for look, is_named in pages:
            (named if is_named else nameless)[look] += 1
        counted = [(look, named[look], nameless[look]) for look in named.keys() | nameless.keys()]
        counted.sort(key=lambda one: (-one[1] - one[2], sorted(one[0])[:4]))
        looks = cls(form, counted[:MOST_LOOKS])
        for look, _, without in looks.counted:
            if without and looks.kind_of(look) is look:
                looks._examples.append(look)
        return looks

    def look_of(self, lines: Iterable[int]) -> Look:
        return frozenset(line for line in lines if line in self.form)

    def kind_of(self, look: Look) -> Look:
        """
        Return the look that stands for pages of this kind, itself where it is like no other one.

        A street or a first name that many customers have counts as a line of the form, so one kind
        of page has many looks.
        """
        kind = self._kinds.get(look)
        if kind is None:
            like = (one for one in self._examples if len(look & one) >= ALIKE * len(look | one))
            kind = next(like, look)
            if len(self._kinds) < _MOST_KINDS and self._examples:
                self._kinds[look] = kind
        return kind

    def first_pages_like(self, look: Look) -> int:
        """Count the bills whose first pages look so; 0 where a page does not look like one."""
        enough = min(FEW, max(1, len(self.form) // 2))
        share, like = self.named_share(look)
        if like >= enough and share >= NAMED and len(look) >= 2:
            return like
        whole = self.named_whole(look)
        return whole if whole >= enough else 0

    def named_share(self, look: Look) -> tuple[float, int]:
        """
        Return the share of like pages that name their account, and how many of them do.

        The page itself is left out. What is more alike weighs much more: second pages often share
        half of a first page's lines.
        """
        if look not in self._shares:
            self._shares[look] = self._counted_share(look)
        return self._shares[look]

    def named_whole(self, look: Look) -> int:
        """
        Count the named pages of which this look is most, with next to nothing of its own.

        So looks a first page that has lost the lines with the account and the amount. Nothing is
        counted where such pages are usual: then they are a kind of their own.
        """
        if len(look) < FEWEST_LINES:
            return 0
        whole = nameless = 0
        for other, with_account, without in self.counted:
            both = len(look & other)
            if both >= OF_ITS_OWN * len(look) and both >= OF_THE_OTHER * len(other):
                whole += with_account
                nameless += max(0, without - (other == look))
        return whole if nameless < SELDOM_NAMELESS * whole else 0

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
