"""A guess at the region of a page in which the bill's own account stands."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.accounts import account_key
from splitter.guessing import DOUBTFUL, LIKELY, SURE
from splitter.patterns import PAGE_NUMBER, Region
from splitter.regions import Box

SAME_PLACE = 24.0  # points: so far a label may stand off from page to page
ROOM = 6.0  # points around what was found

Places = Mapping[int, Sequence[tuple[str, Box]]]  # by page: values, and where they stand


@dataclass(frozen=True, slots=True)
class RegionGuess:
    """Where to look for the account alone, and an account that is found there."""

    region: Region
    value: str
    pages: int
    confidence: str


def guess_region(places: Places, texts: Mapping[int, str]) -> RegionGuess | None:
    """
    Return where the bill's own account stands, when pages print several numbers like accounts.

    The right place has one value on every page of a bill ("page 2 of 3" says what page 1 said) and
    another on the next bill. A number that is the same all over the file is the utility's own.
    Nothing where no place is like that or where the places cannot be told apart.
    """
    groups = _by_place(places)
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


def _by_place(places: Places) -> dict[Box, dict[int, tuple[str, Box]]]:
    """Put together what stands at about the same place on several pages."""
    groups: defaultdict[Box, dict[int, tuple[str, Box]]] = defaultdict(dict)
    for page, found in places.items():
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
