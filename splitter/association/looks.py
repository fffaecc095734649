"""What kinds of pages a file has, told by the lines that its form prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Look = frozenset[int]  # checksums of the form's lines that stand on a page

FEW = 3  # bills on which a line must stand to be the form's
NAMED = 0.8  # of like pages: then a page of this look names its account
ALIKE = 0.6  # of the lines of two pages that are of one kind
OF_ITS_OWN, OF_THE_OTHER, FEWEST_LINES = 0.9, 0.6, 3  # shares of a page's lines, and of another's
SELDOM_NAMELESS = 0.2  # of pages of a kind: more are a kind of their own, such as second pages
MOST_LOOKS = 512
_MOST_KEPT = 1 << 14  # answers remembered, of each kind
NO_LOOK: Look = frozenset()


@dataclass(frozen=True, slots=True)
class CountedLook:
    """A look with the pages that have it; `mask` has a bit for each line, which is fast."""

    look: Look
    mask: int
    lines: int
    named: int
    nameless: int

    def nameless_beside(self, look: Look) -> int:
        """Count the nameless pages without the one that is asked about."""
        return max(0, self.nameless - (self.look == look))


@dataclass(slots=True)
class Looks:
    """How often pages of each look name their account, and how often they do not."""

    form: Mapping[int, int]  # checksum of a line -> bills on which it stands
    counted: list[CountedLook]
    _bits: dict[int, int] = field(default_factory=dict)  # line of a counted look -> its bit
    _shares: dict[Look, tuple[float, int]] = field(default_factory=dict)
    _wholes: dict[Look, int] = field(default_factory=dict)
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
        looks = cls(form, [])
        for look, with_account, without in counted[:MOST_LOOKS]:
            for line in look:
                looks._bits.setdefault(line, 1 << len(looks._bits))
            mask = looks._mask(look)
            looks.counted.append(CountedLook(look, mask, len(look), with_account, without))
        for one in looks.counted:
            if one.nameless and looks.kind_of(one.look) is one.look:
                looks._examples.append(one.look)
        return looks

    def _mask(self, look: Look) -> int:
        """Return a look's bits; a line of no counted look has none, for it is common to nobody."""
        return sum(self._bits.get(line, 0) for line in look)

    def _near(self, look: Look, least: float, most: float) -> Iterator[tuple[CountedLook, int]]:
        """Yield the looks of so many lines at least and at most, and the lines common to both."""
        mask = self._mask(look)
        for one in self.counted:
            if least <= one.lines <= most:
                yield one, (mask & one.mask).bit_count()

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
            if len(self._kinds) < _MOST_KEPT and self._examples:
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
        share = self._shares.get(look)
        if share is None:
            share = self._counted_share(look)
            if len(self._shares) < _MOST_KEPT:
                self._shares[look] = share
        return share

    def named_whole(self, look: Look) -> int:
        """
        Count the named pages of which this look is most, with next to nothing of its own.

        So looks a first page that has lost the lines with the account and the amount. Nothing is
        counted where such pages are usual: then they are a kind of their own.
        """
        whole = self._wholes.get(look)
        if whole is None:
            whole = self._counted_whole(look)
            if len(self._wholes) < _MOST_KEPT:
                self._wholes[look] = whole
        return whole

    def _counted_whole(self, look: Look) -> int:
        if len(look) < FEWEST_LINES:
            return 0
        whole = nameless = 0
        own = OF_ITS_OWN * len(look)
        for one, both in self._near(look, own, len(look) / OF_THE_OTHER):
            if both >= own and both >= OF_THE_OTHER * one.lines:
                whole += one.named
                nameless += one.nameless_beside(look)
        return whole if nameless < SELDOM_NAMELESS * whole else 0

    def _counted_share(self, look: Look) -> tuple[float, int]:
        named = nameless = 0.0
        like = 0
        for one, both in self._near(look, ALIKE * len(look), len(look) / ALIKE):
            if both < 2:
                continue
            alike = both / (len(look) + one.lines - both)
            if alike >= ALIKE:
                weight = alike**8
                named += weight * one.named
                nameless += weight * one.nameless_beside(look)
                like += one.named
        return (named / (named + nameless) if named else 0.0), like
