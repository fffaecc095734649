"""What is usual in a bulk file, learnt from its own bills."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase, digits

from domain.accounts import account_key
from domain.bills import PageFacts
from splitter.association.clues import Clues, checksums
from splitter.association.looks import FEW, NO_LOOK, Look, Looks
from splitter.association.numbering import Numbering, learn_numbering

SMALL_FILE = 5  # bills: up to here two are enough
ENOUGH = 20  # pages that make a habit
NEARLY_ALL, MOST, HARDLY = 0.9, 0.8, 0.05
_SIGNS_OF_SHAPE = str.maketrans(ascii_uppercase + digits, "A" * 26 + "9" * 10)
_NINES = re.compile("9+")
_OTHER_NUMBER = re.compile(
    r"\b(?:meter|serial|register|invoice|confirmation|receipt|permit|route|parcel|phone|fax|check"
    r"|medidor|factura|compteur|contador|recibo|lectura|reading|read)\b"
)


@dataclass(frozen=True, slots=True)
class FilePages:
    """The facts and the clues of a file's pages, which belong together one by one."""

    facts: Sequence[PageFacts]
    clues: Sequence[Clues]

    def __len__(self) -> int:
        return len(self.facts)


JoinedBill = tuple[str, Sequence[int]]  # an account's key, and places in FilePages


@dataclass(frozen=True, slots=True)
class Habits:
    """What a page is compared with; learnt from bills that are thought to be right."""

    looks: Looks
    numbering: Numbering
    shapes: frozenset[str]  # how accounts are written, where that is telling
    plain_shapes: frozenset[str]  # the same, telling or not
    first_groups: frozenset[str]  # what accounts begin with, if they are few
    copies: Mapping[int, int]  # text mark -> bills in which a nameless page says just that
    echoes: frozenset[Look]  # kinds of which nearly all repeat a number of their bill
    echoes_own: frozenset[Look]  # kinds where most do that print numbers which few bills have
    common_ids: frozenset[int]  # numbers that several bills print
    single: frozenset[Look]  # kinds of which a bill has one page
    mastheads: Mapping[int, int]  # first lines of pages that name accounts -> how many such pages
    counts_on: frozenset[Look]  # looks that print other amounts though their numbers go on
    vocabulary: frozenset[int]
    printed_names: frozenset[int]  # marks that stand in many bills: the form's, not a customer's
    usual_length: int  # signs of an account
    lengths: frozenset[int]  # all usual ones, where the file tells
    doubts: Mapping[str, float]  # the shares of named pages whose account is doubtful so


def shape_of(number: str) -> str:
    """Return how a number is written: `12-3456-7` is `92-94-91`."""
    return _NINES.sub(_counted, number.upper().translate(_SIGNS_OF_SHAPE))


def _counted(nines: re.Match[str]) -> str:
    return f"9{nines.end() - nines.start()}"


def is_distinctive(shape: str) -> bool:
    """Say whether a number so written is hardly anything else than an account."""
    signs = sum(map(int, re.findall(r"9(\d+)", shape))) + shape.count("A")
    parts = len(re.findall("[-.]", shape))
    if shape in ("93-94", "95-94", "93-93-94", "93.93.94"):
        return False  # like a telephone number or a ZIP code
    return (signs >= 6 and parts >= 1) or signs >= 11


def learn(pages: FilePages, joined: Sequence[JoinedBill]) -> Habits:
    """Learn from bills, each an account's key and the places of its pages."""
    form = _form_lines(pages, joined)
    looks_by_page = _looks_by_page(pages, joined, form)
    numbering = learn_numbering(
        [[pages.clues[page].numbers for page in own] for _, own in joined], len(pages)
    )
    named = [pages.facts[page] for _, own in joined for page in own if pages.facts[page].accounts]
    shapes = Counter(shape_of(fact.accounts[0]) for fact in named)
    usual = {shape for shape, many in shapes.items() if many >= 0.01 * len(named)}
    lengths = Counter(len(account_key(fact.accounts[0])) for fact in named)
    looks = Looks.of(
        form,
        (
            (looks_by_page[page], bool(pages.facts[page].accounts))
            for _, own in joined
            for page in own
            if page in looks_by_page
        ),
    )
    kinds = {page: looks.kind_of(look) for page, look in looks_by_page.items()}
    once, repeated = _kinds(pages, joined, kinds)
    common_ids = _common_ids(pages, joined)
    echoes, echoes_own = _echoes(pages, joined, kinds, common_ids)
    return Habits(
        looks=looks,
        numbering=numbering,
        shapes=frozenset(filter(is_distinctive, usual)),
        plain_shapes=frozenset(usual),
        first_groups=_first_groups(named),
        copies=_copies(pages, joined),
        echoes=echoes,
        echoes_own=echoes_own,
        common_ids=common_ids,
        single=once - repeated,
        mastheads=_mastheads(pages, joined),
        counts_on=_counts_on(pages, joined, looks_by_page, numbering),
        vocabulary=_vocabulary(pages, joined),
        printed_names=_printed_names(pages, joined),
        usual_length=_middle(lengths),
        lengths=_usual_lengths(lengths),
        doubts=_doubts(named),
    )


def numbers_of_form(pages: Sequence[PageFacts]) -> frozenset[str]:
    """
    Return numbers, as keys, that nobody sees on the pages of half of all customers.

    They are the utility's own. A number behind a few customers' pages is that of somebody who has
    to do with these, and stays another account.
    """
    customers: set[str] = set()
    beside: defaultdict[str, set[str]] = defaultdict(set)
    for page in pages if any(page.unseen for page in pages) else ():
        own = set(map(account_key, page.accounts))
        customers |= own
        for account in page.unseen:
            beside[account_key(account)] |= own
    fewest = max(FEW, len(customers) / 2)
    return frozenset(key for key, own in beside.items() if len(own) >= fewest)


def _form_lines(pages: FilePages, joined: Sequence[JoinedBill]) -> dict[int, int]:
    bills_with: Counter[int] = Counter()
    for _, own in joined:
        bills_with.update({line for page in own for line in checksums(pages.clues[page].folded)})
    few = FEW if len(joined) > SMALL_FILE else 2
    return {line: many for line, many in bills_with.items() if many >= few}


def _looks_by_page(
    pages: FilePages, joined: Sequence[JoinedBill], form: Mapping[int, int]
) -> dict[int, Look]:
    """Return the looks of the pages that were looked at for it."""
    same: dict[Look, Look] = {NO_LOOK: NO_LOOK}  # one object for all that are equal
    found = {}
    for _, own in joined:
        for page in own:
            if lines := pages.clues[page].folded:
                look = frozenset(line for line in checksums(lines) if line in form)
                found[page] = same.setdefault(look, look)
    return found


def _first_groups(named: Sequence[PageFacts]) -> frozenset[str]:
    groups = {re.split("[-.]", fact.accounts[0])[0] for fact in named}
    is_telling = len(named) >= 5 * ENOUGH and len(groups) <= 0.2 * len(named)
    return frozenset(groups) if is_telling else frozenset()


def is_other_field(before: str) -> bool:
    """Say whether the words before a number say that it is a meter's, a receipt's, ...."""
    return bool(before) and _OTHER_NUMBER.search(before) is not None


def _copies(pages: FilePages, joined: Sequence[JoinedBill]) -> dict[int, int]:
    accounts: defaultdict[int, set[str]] = defaultdict(set)
    for key, own in joined:
        for page in own:
            if not pages.facts[page].accounts and pages.facts[page].text_checksum:
                accounts[pages.facts[page].text_checksum].add(key)
    return {mark: len(several) for mark, several in accounts.items() if len(several) >= FEW}


def _common_ids(pages: FilePages, joined: Sequence[JoinedBill]) -> frozenset[int]:
    bills_with: Counter[int] = Counter()
    for _, own in joined:
        bills_with.update({number for page in own for number in checksums(pages.clues[page].exact)})
    return frozenset(number for number, many in bills_with.items() if many >= FEW)


def _echoes(
    pages: FilePages,
    joined: Sequence[JoinedBill],
    looks: Mapping[int, Look],
    common: Collection[int],
) -> tuple[frozenset[Look], frozenset[Look]]:
    """Return the looks of which nearly all repeat a number, and those of which most do."""
    counts: defaultdict[Look, list[int]] = defaultdict(lambda: [0, 0, 0])
    for _, own in joined:
        ids = {n for n in checksums(pages.clues[own[0]].exact) if n not in common}
        for page in own:
            if page in looks and not pages.facts[page].accounts:
                here = [n for n in checksums(pages.clues[page].exact) if n not in common]
                count = counts[looks[page]]
                count[0] += 1
                count[1] += bool(here)
                count[2] += not ids.isdisjoint(here)
    enough = {look: count for look, count in counts.items() if count[0] >= ENOUGH}
    return (
        frozenset(look for look, (all_, _, same) in enough.items() if same >= NEARLY_ALL * all_),
        frozenset(
            look for look, (_, own, same) in enough.items() if own >= ENOUGH and same >= MOST * own
        ),
    )


def _kinds(
    pages: FilePages, joined: Sequence[JoinedBill], looks: Mapping[int, Look]
) -> tuple[frozenset[Look], frozenset[Look]]:
    """Return the looks that bills have once, and those that some have several times."""
    bills: Counter[Look] = Counter()
    several: Counter[Look] = Counter()
    for _, own in joined:
        kinds = Counter(
            looks[page] for page in own if page in looks and not pages.facts[page].accounts
        )
        bills.update(kinds.keys())
        several.update(look for look, many in kinds.items() if many > 1)
    enough = {look for look, many in bills.items() if many >= ENOUGH}
    repeated = {look for look in enough if several[look] > (1 - MOST) * bills[look]}
    return frozenset(enough), frozenset(repeated)


def _mastheads(pages: FilePages, joined: Sequence[JoinedBill]) -> dict[int, int]:
    """Return the lines that many named pages begin with, and hardly any nameless one."""
    named: Counter[int] = Counter()
    nameless: Counter[int] = Counter()
    for _, own in joined:
        for page in own:
            if lines := checksums(pages.clues[page].folded[:4]):
                (named if pages.facts[page].accounts else nameless)[lines[0]] += 1
    return {
        line: many
        for line, many in named.items()
        if many >= ENOUGH and nameless[line] <= HARDLY * many
    }


def _counts_on(
    pages: FilePages,
    joined: Sequence[JoinedBill],
    looks: Mapping[int, Look],
    numbering: Numbering,
) -> frozenset[Look]:
    """Return the looks of pages whose numbers go on and that nearly always print other values."""
    counts: defaultdict[Look, list[int]] = defaultdict(lambda: [0, 0])
    for _, own in joined:
        first = pages.facts[own[0]]
        last = numbering.number(pages.clues[own[0]].numbers)
        for page in own[1:]:
            now, fact = numbering.number(pages.clues[page].numbers), pages.facts[page]
            goes_on = last and now and now == (last[0] + 1, last[1])
            if goes_on and first.amounts and fact.amounts and not fact.accounts and page in looks:
                counts[looks[page]][0] += 1
                counts[looks[page]][1] += fact.amounts[0] != first.amounts[0]
            last = now or last
    return frozenset(
        look for look, (all_, other) in counts.items() if all_ >= ENOUGH and other >= 0.9 * all_
    )


def _vocabulary(pages: FilePages, joined: Sequence[JoinedBill]) -> frozenset[int]:
    words: Counter[int] = Counter()
    for _, own in joined:
        for page in own:
            if pages.facts[page].accounts:
                words.update(checksums(pages.clues[page].vocabulary))
    return frozenset(word for word, many in words.items() if many >= 2)


def _printed_names(pages: FilePages, joined: Sequence[JoinedBill]) -> frozenset[int]:
    """Return the marks that the form itself prints, such as the utility's own address."""
    accounts: defaultdict[int, set[str]] = defaultdict(set)
    for key, own in joined:
        for page in own:
            for mark in pages.clues[page].names:
                accounts[mark].add(key)
    return frozenset(mark for mark, keys in accounts.items() if len(keys) >= FEW)


def _middle(lengths: Counter[int]) -> int:
    ordered = sorted(lengths.elements())
    return ordered[len(ordered) // 2] if ordered else 0


def _usual_lengths(lengths: Counter[int]) -> frozenset[int]:
    total = sum(lengths.values())
    if total < 50:
        return frozenset()
    return frozenset(length for length, many in lengths.items() if many >= 0.02 * total)


def _doubts(named: Sequence[PageFacts]) -> dict[str, float]:
    return {
        doubt: many / len(named) for doubt, many in Counter(fact.doubt for fact in named).items()
    }
