"""A guess at the region of a page in which the bill's own account stands."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.accounts import account_key
from splitter.guessing.labels import DOUBTFUL, LIKELY, SEPARATORS, SURE
from splitter.text.normalizing import without_spaces
from splitter.text.patterns import PAGE_NUMBER, Box, Region

SAME_PLACE = 24.0  # points: so far a label may stand off from page to page
ROOM = 6.0  # points around what was found

TextPositions = Mapping[int, Sequence[tuple[str, Box]]]  # by page: values, and where they stand


@dataclass(frozen=True, slots=True)
class RegionGuess:
    """Where to look for the account alone, and an account that is found there."""

    region: Region
    value: str
    pages: int
    confidence: str


def guess_region(text_positions: TextPositions, texts: Mapping[int, str]) -> RegionGuess | None:
    """
    Return where the bill's own account stands, when pages print several numbers like accounts.

    The right place has one value on every page of a bill ("page 2 of 3" says what page 1 said) and
    another on the next bill. A number that is the same all over the file is the utility's own.
    Nothing where no place is like that or where the places cannot be told apart.
    """
    groups = _by_place(text_positions)
    ratings = ((_rating(group, texts), place) for place, group in groups.items())
    rated = sorted(ratings, reverse=True)
    if not rated or rated[0][0] <= 0:
        return None
    group = groups.pop(rated[0][1])
    others = [box for found in groups.values() for _, box in found.values()]
    region = _with_room([box for _, box in group.values()], others)
    if region is None:
        return None
    is_clear = len(rated) == 1 or rated[0][0] > rated[1][0] + 0.3
    confidence = DOUBTFUL if not is_clear else SURE if len(group) > 2 else LIKELY
    values = Counter(value for value, _ in group.values())
    return RegionGuess(region, values.most_common(1)[0][0], len(group), confidence)


def _by_place(text_positions: TextPositions) -> dict[Box, dict[int, tuple[str, Box]]]:
    """Put together what stands at about the same place on several pages."""
    groups: defaultdict[Box, dict[int, tuple[str, Box]]] = defaultdict(dict)
    for page, found in text_positions.items():
        for value, box in found:
            near = (place for place in groups if _is_near(place, box) and page not in groups[place])
            groups[next(near, box)][page] = value, box
    return dict(groups)


def _is_near(one: Box, other: Box) -> bool:
    return abs(one[0] - other[0]) < SAME_PLACE and abs(one[1] - other[1]) < SAME_PLACE


def _rating(group: Mapping[int, tuple[str, Box]], texts: Mapping[int, str]) -> float:
    """Rate a place from 0 to 2: does its value change with the bill, and with the bill alone?"""
    pages = sorted(group)
    keys = {page: account_key(group[page][0]) for page in pages}
    if len(pages) > 1 and len(set(keys.values())) == 1:
        return 0.0
    firsts = [page for page in pages if _number(texts.get(page, "")) in (None, 1)]
    follow = [page for page in pages if page not in firsts and page - 1 in keys]
    differ = len({keys[page] for page in firsts}) / len(firsts) if firsts else 0.0
    stays = [keys[page] == keys[page - 1] for page in follow]
    share = len(group) / max(1, len(texts))
    return differ + (sum(stays) / len(stays) - 1 if stays else 0.0) + share


def _number(text: str) -> int | None:
    match = PAGE_NUMBER.search(text)
    return int(match[1]) if match else None


def _with_room(boxes: Sequence[Box], others: Sequence[Box]) -> Region | None:
    """Return a region around boxes that holds no other one; nothing where there is none."""
    for room in (ROOM, 1.0, 0.0):
        region = (
            max(0.0, min(box[0] for box in boxes) - room),
            max(0.0, min(box[1] for box in boxes) - room),
            max(box[2] for box in boxes) + room,
            max(box[3] for box in boxes) + room,
        )
        if not any(_overlap(region, other) for other in others):
            left, top, right, bottom = (float(round(measure)) for measure in region)
            return left, top, right, bottom
    return None


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


MOST_WORDS = 30  # on a page: what separates bills says little
MOST_LABEL_WORDS = 6
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")


@dataclass(frozen=True, slots=True)
class Separator:
    """A text that stands on pages without an account alone; on `pages` of those looked at."""

    text: str
    pages: int
    confidence: str

    @property
    def is_told(self) -> bool:
        """Whether it is likely enough to be put in unasked."""
        return self.confidence != DOUBTFUL


def guess_separator(account: str | None, texts: Sequence[str]) -> Separator | None:
    """
    Return the likeliest text of separator pages, or nothing where no page looks like one.

    It must stand on no page that names an account, and on no other page that says much: a page
    that is taken for a separator is lost to its bill. One that no telling word speaks for is
    doubtful, as it may be the last page of each bill.
    """
    search = re.compile(account) if account else None
    others = [text for text in texts if _is_of_a_bill(search, text)]
    said = without_spaces("\n".join(others))
    counts: Counter[str] = Counter()
    for text in texts:
        if text.strip() and not _is_of_a_bill(search, text):
            counts.update({line for line in map(_label, text.splitlines()) if line})
    found = [
        Separator(line, count, _confidence(line, count))
        for line, count in counts.items()
        if without_spaces(line) not in said and (count > 1 or _tells(line))
    ]
    return max(found, key=lambda one: (_tells(one.text), one.pages, len(one.text)), default=None)


def _is_of_a_bill(search: re.Pattern[str] | None, text: str) -> bool:
    if len(text.split()) > MOST_WORDS:
        return True
    return search is not None and search.search(text) is not None


def _label(line: str) -> str:
    """Return a line's words without the numbers at its ends: a count, a date, a batch."""
    label = _EDGES.sub("", line)
    return label if 0 < len(label.split()) <= MOST_LABEL_WORDS and len(label) > 2 else ""


def _tells(line: str) -> bool:
    return bool(SEPARATORS & set(re.findall(r"[^\W\d_]+", line.lower())))


def _confidence(line: str, pages: int) -> str:
    if not _tells(line):
        return DOUBTFUL
    return SURE if pages > 1 else LIKELY
