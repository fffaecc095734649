"""Where a bill begins and ends: every page of a bulk file is given to exactly one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from domain.accounts import account_key
from domain.bills import BillRange, PageAssignment, PageFacts, UnassignedPage
from splitter.association.clues import Clues
from splitter.association.exemptions import BEFORE, NEVER, NO_EXEMPTIONS, Exemptions
from splitter.association.habits import FilePages, JoinedBill, learn
from splitter.association.knowledge import NOTHING_KNOWN, Knowledge
from splitter.association.objections import Evidence, Objection, PageGuard
from splitter.association.open_bill import OpenBill
from splitter.association.rulings import PageRuling

AT_THE_START = "It names no account and no bill comes before it."
AFTER_SEPARATOR = "It names no account and follows a separator page."
AFTER_UNASSIGNED = "It names no account and follows a page that belongs to nobody."
AFTER_DROPPED = "It names no account and follows a page that a person set aside."
TWO_ACCOUNTS = "It names more than one account."
NOT_READABLE = "It has no text that can be read with certainty."
ALWAYS_NAMED = "It names no account, and pages of this form always do."
UNKNOWN_BY_OCR = "It was read by OCR and names an account that the export does not have."
OTHER_AMOUNT_BY_OCR = (
    "It names the account before it, but one of the two was read by OCR and their amounts differ."
)
MOST_BILLS = 2048  # that habits are learnt from
MUCH_HELD = 1 / 3  # of the nameless pages, by one signal


def assign_pages(
    facts: Iterable[PageFacts],
    *,
    clues: Sequence[Clues] | None = None,
    knowledge: Knowledge = NOTHING_KNOWN,
    exemptions: Exemptions = NO_EXEMPTIONS,
    rulings: Mapping[int, PageRuling] | None = None,
    known_accounts: Collection[str] | None = None,
    reports_only: bool = False,
) -> PageAssignment:
    """
    Give every page to the account it names, else to the bill before it (rule 11) where it can be.

    Nothing is guessed: a page goes to a person where it names two accounts, cannot be read, bears
    anything that speaks against the bill before it, or names none while no bill is open (at the
    start, after a separator, after such a page). What is usual is learnt from the file itself, in
    two rounds: from the bills as rule 11 alone makes them, and again from what nobody objected to.

    `rulings` are what a person said, by page. A page read by OCR may be misread, so its account
    must be among the known ones (as keys), if they are given. With `reports_only` pages that would
    be held stay in their bills and are reported as doubted. An account that occurs in two places
    gets two bills, for the caller to report.
    """
    told = list(facts)
    pages = FilePages(told, _clues_of(told) if clues is None else clues)
    if exemptions.nameless == BEFORE:
        pages = _mirrored(pages)
    joined = _joined_by_account(pages)
    sample = _sample(pages, joined)
    is_whole = sample is joined
    keys = frozenset(key for key, _ in joined)
    del joined  # of a large file it is large, and the sample is not
    following = _following(pages.facts)

    guard = PageGuard(learn(pages, sample), knowledge, exemptions, keys)
    places = range(len(pages)) if is_whole else [p for _, own in sample for p in own]
    looks = guard.habits.looks
    begins_nameless = len(pages) and _is_readable_nameless(pages.facts[0])
    if begins_nameless and not pages.clues[0].is_blank:
        guard.begin_with(pages.clues[0], looks)
    guard.note_form_numbers(pages.facts)
    first_try = _Desk(pages, guard, exemptions, following, rulings or {}, known_accounts)
    first_try.take_all(places, counts_file=is_whole)

    place_of = {pages.facts[place].page: place for place in places}
    agreed = [
        (account_key(bill.account), [place_of[page] for page in bill.pages])
        for bill in first_try.finished()
    ]
    del first_try
    guard = PageGuard(learn(pages, _sample(pages, agreed)), knowledge, exemptions, keys)
    if begins_nameless and not pages.clues[0].is_blank:
        guard.begin_with(pages.clues[0], looks)
    guard.note_form_numbers(pages.facts)
    desk = _Desk(pages, guard, exemptions, following, rulings or {}, known_accounts)
    desk.reports_only = reports_only
    desk.take_all(range(len(pages)))
    return desk.assignment()


def _clues_of(facts: Sequence[PageFacts]) -> list[Clues]:
    """Return what facts alone tell, where nobody took clues."""
    return [
        Clues(numbers=(("word", *fact.number),) if fact.number is not None else ())
        for fact in facts
    ]


def _mirrored(pages: FilePages) -> FilePages:
    """Turn a file round, whose nameless pages stand before their bill, page numbers included."""
    facts = [
        replace(fact, number=(y - x + 1, y) if (x, y) != (0, 0) and y >= x else None)
        if fact.number and (x := fact.number[0]) and (y := fact.number[1])
        else fact
        for fact in reversed(pages.facts)
    ]
    clues = [
        replace(clue, numbers=tuple((how, y - x + 1, y) for how, x, y in clue.numbers if y))
        for clue in reversed(pages.clues)
    ]
    return FilePages(facts, clues)


def _sample(pages: FilePages, bills: Sequence[JoinedBill]) -> Sequence[JoinedBill]:
    """
    Return the bills that are learnt from: of a large file the first, and others from all over it.

    Their first pages must have been looked at closely, or like pages would seem nameless.
    """
    if not any(clue.folded for clue in pages.clues[:1024]):
        return bills  # nobody took clues
    seen = [bill for bill in bills if pages.clues[bill[1][0]].folded]
    joined = bills if len(seen) == len(bills) else seen
    if len(joined) <= MOST_BILLS:
        return joined
    first, rest = joined[: MOST_BILLS // 4], joined[MOST_BILLS // 4 :]
    return [*first, *rest[:: -(-len(rest) // (MOST_BILLS * 3 // 4))]]


def _joined_by_account(pages: FilePages) -> list[JoinedBill]:
    """Join pages as rule 11 alone does: to the account they name, else to the bill before."""
    bills: list[tuple[str, list[int]]] = []
    is_open = False
    for place, fact in enumerate(pages.facts):
        keys = _keys(fact)
        if fact.is_separator or not fact.has_text or len(keys) > 1 or _is_contradicted(fact):
            is_open = False
        elif keys:
            key = keys.pop()
            if not is_open or bills[-1][0] != key or _begins_anew(fact):
                bills.append((key, []))
            bills[-1][1].append(place)
            is_open = True
        elif is_open:
            bills[-1][1].append(place)
    return list(bills)


def _following(facts: Sequence[PageFacts]) -> list[str]:
    """Return for every page the account of the next one that names one; none across a separator."""
    told, key = [], ""
    for fact in reversed(facts):
        told.append(key)
        keys = _keys(fact)
        if keys or fact.is_separator or _is_contradicted(fact):
            is_told = len(keys) == 1 and not fact.is_separator and not _is_contradicted(fact)
            key = keys.pop() if is_told else ""
    return told[::-1]


def _is_contradicted(page: PageFacts) -> bool:
    return page.claim is not None and bool(page.claim.contradiction)


def _begins_anew(page: PageFacts) -> bool:
    return page.claim is not None and page.claim.begins


def _keys(fact: PageFacts) -> set[str]:
    return {account_key(account) for account in fact.accounts} - {""}


class _Desk:
    """The sorting desk: the pages taken so far and the bill that is open."""

    def __init__(
        self,
        pages: FilePages,
        guard: PageGuard,
        exemptions: Exemptions,
        following: Sequence[str],
        rulings: Mapping[int, PageRuling],
        known_accounts: Collection[str] | None,
    ) -> None:
        self._pages = pages
        self._guard = guard
        self._exemptions = exemptions
        self._following = following
        self._rulings = rulings
        self._known = None if known_accounts is None else frozenset(known_accounts)
        self._numbering = guard.habits.numbering
        self.reports_only = False
        self._bills: list[BillRange] = []
        self._separators: list[int] = []
        self._dropped: list[int] = []
        self._unassigned: list[UnassignedPage] = []
        self._doubted: list[UnassignedPage] = []
        self._by_ocr: list[int] = []
        self._ignored: Counter[str] = Counter()
        self._nameless = 0
        self._open: OpenBill | None = None
        self._before = ""  # the key of the bill that the next page may belong to
        self._why_none_is_open = AT_THE_START

    def take_all(self, places: Iterable[int], *, counts_file: bool = True) -> None:
        """Take pages in their order; a sample of them tells nothing about the file's numbers."""
        facts, clues = self._pages.facts, self._pages.clues
        for place in places:
            if counts_file and (gap := self._guard.count(facts[place], clues[place])):
                self._note_gap(facts[place], gap)
            self._take(place, facts[place], clues[place])

    def finished(self) -> list[BillRange]:
        """Return the bills; no further page is taken."""
        self._finish()
        return self._bills

    def assignment(self) -> PageAssignment:
        return PageAssignment(
            bills=tuple(sorted(self.finished(), key=lambda bill: bill.pages)),
            separators=tuple(sorted(self._separators)),
            unassigned=tuple(sorted(self._unassigned, key=lambda found: found.page)),
            by_ocr=tuple(self._by_ocr),
            dropped=tuple(self._dropped),
            doubted=tuple(self._doubted),
            warnings=tuple(self._warnings()),
        )

    def _note_gap(self, page: PageFacts, gap: str) -> None:
        if (
            self._open is not None
            and page.accounts
            and "file-numbers" not in self._exemptions.ignored
        ):
            self._open.gap = self._open.gap or gap

    def _take(self, place: int, page: PageFacts, clues: Clues) -> None:
        ruling = self._ruling(page)
        keys = _keys(page)
        if page.is_separator:
            self._separators.append(page.page)
            self._close(AFTER_SEPARATOR)
            self._before = ""
        elif ruling is not None and not ruling.account:
            self._dropped.append(page.page)
            self._close(AFTER_DROPPED)
        elif ruling is not None:
            self._take_ruled(page, clues, ruling)
        elif page.claim is not None and page.claim.contradiction:
            self._set_aside(page, clues, page.claim.contradiction)
        elif not page.has_text:
            self._set_aside(page, clues, NOT_READABLE)
        elif len(keys) > 1:
            self._set_aside(page, clues, TWO_ACCOUNTS)
        elif keys:
            self._take_named(page, clues, keys.pop())
        else:
            self._take_unnamed(place, page, clues)

    def _ruling(self, page: PageFacts) -> PageRuling | None:
        """Return what a person said of a page, unless it changed or names somebody else."""
        ruling = self._rulings.get(page.page)
        if ruling is None or ruling.text_checksum != page.text_checksum:
            return None
        if ruling.account and not _keys(page) <= {account_key(ruling.account)}:
            return None
        return ruling

    def _take_ruled(self, page: PageFacts, clues: Clues, ruling: PageRuling) -> None:
        key = account_key(ruling.account)
        if self._open is None or self._open.key != key:
            self._open_bill(ruling.account, key)
        assert self._open is not None
        self._open.is_ruled = True
        self._open.add(page, clues, self._numbering, counts=True)

    def _take_named(self, page: PageFacts, clues: Clues, key: str) -> None:
        bill = self._open
        is_alone = page.claim is not None and page.claim.is_alone
        if objection := self._against_named(page, clues if is_alone else None, key):
            self._set_aside(page, clues, objection.sentence, objection)
            return
        if page.by_ocr and self._known is not None and key not in self._known:
            self._set_aside(page, clues, UNKNOWN_BY_OCR)
            return
        if bill is None or bill.key != key or _restarts(page, bill) or _begins_anew(page):
            account = next(name for name in page.accounts if account_key(name) == key)
            bill = self._open_bill(account, key)
        elif _may_be_misread(page, bill):
            self._set_aside(page, clues, OTHER_AMOUNT_BY_OCR)
            return
        if page.by_ocr:
            self._by_ocr.append(page.page)
        bill.is_ruled = bill.is_ruled or is_alone
        bill.add(page, clues, self._numbering, counts=True)

    def _open_bill(self, account: str, key: str) -> OpenBill:
        self._finish()
        bill = self._open = OpenBill(account, key)
        self._before = key
        return bill

    def _finish(self) -> None:
        """Put the open bill with the others: of a finished one little is kept."""
        if self._open is not None:
            self._bills.append(self._open.to_range(self._numbering))
        self._open = None

    def _against_named(self, page: PageFacts, alone: Clues | None, key: str) -> Objection | None:
        """`alone` are the clues of a page whose account a bookmark names, and nothing on it."""
        ignored = self._exemptions.ignored
        for objection in (
            self._guard.odd_account(page),
            self._guard.unseen(page, key),
            self._guard.elsewhere(page, key),
            self._guard.other_customer(page, alone, key) if alone else None,
        ):
            if objection is None:
                continue
            if objection.signal not in ignored:
                return objection
            self._ignored[objection.signal] += 1
        return None

    def _take_unnamed(self, place: int, page: PageFacts, clues: Clues) -> None:
        if not clues.is_blank:
            self._nameless += 1
            if self._exemptions.nameless == NEVER:
                self._set_aside(page, clues, ALWAYS_NAMED)
                return
        bill = self._open
        if bill is None:
            unseen = self._guard.unseen(page, "")
            self._set_aside(page, clues, unseen.sentence if unseen else self._why_none_is_open)
            return
        is_between = self._following[place] == bill.key
        evidence = self._guard.evidence(page, clues, bill, is_between_own=is_between)
        if evidence.objections and not self.reports_only:
            objection = next((one for one in evidence.objections if one.account), None)
            reason = evidence.objections[0].sentence
            self._set_aside(page, clues, reason, objection, evidence)
            return
        if evidence.objections:
            self._doubted.append(self._told(page, clues, evidence.objections[0].sentence, evidence))
        elif evidence.ignored:
            self._ignored.update({objection.signal for objection in evidence.ignored})
        bill.seen.add(self._guard.kind_of(clues))
        is_common = self._guard.is_common(page)
        counts = not is_common or self._guard.goes_on(clues, bill)
        is_anybodys = (clues.is_blank or is_common) and not bill.loose
        comes_before = self._exemptions.nameless == BEFORE  # the bill that follows names it
        is_anchored = evidence.is_anchored or is_anybodys or comes_before
        bill.add(page, clues, self._numbering, counts=counts, is_anchored=is_anchored)

    def _set_aside(
        self,
        page: PageFacts,
        clues: Clues,
        reason: str,
        objection: Objection | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        self._unassigned.append(self._told(page, clues, reason, evidence, objection))
        if self._open is not None or reason not in (AT_THE_START, AFTER_SEPARATOR, AFTER_DROPPED):
            self._close(AFTER_UNASSIGNED)

    def _told(
        self,
        page: PageFacts,
        clues: Clues,
        reason: str,
        evidence: Evidence | None = None,
        objection: Objection | None = None,
    ) -> UnassignedPage:
        seems = objection.account if objection else ""
        signals = [one.signal for one in evidence.objections] if evidence else []
        if objection and not evidence:
            signals = [objection.signal]
        return UnassignedPage(
            page.page,
            reason,
            self._before,
            seems or self._guard.seems(clues, page, self._before),
            tuple(dict.fromkeys(signals)),
            page.text_checksum,
        )

    def _close(self, why: str) -> None:
        self._finish()
        self._why_none_is_open = why

    def _warnings(self) -> Iterable[str]:
        for signal, pages in sorted(self._ignored.items()):
            yield f"{signal} are not compared: {pages:,} pages would have been held."
        held = Counter(signal for found in self._unassigned for signal in found.signals)
        for signal, pages in held.most_common(1):
            if pages >= 20 and pages > MUCH_HELD * self._nameless:
                shown = [f.page + 1 for f in self._unassigned if signal in f.signals][:2]
                yield (
                    f"{signal} holds {pages:,} of {self._nameless:,} pages that name no account,"
                    f" such as {shown[0]} and {shown[1]}: {_remedy(signal)}"
                )


def _remedy(signal: str) -> str:
    if signal == "order":
        return 'nameless = "before" in [[documents]] says that such pages come before their bill.'
    if signal in ("accounts", "shapes"):
        return "where these are no customers' accounts, not_accounts in [[documents]] says so."
    return f'where they are right, ignore = ["{signal}"] in [[documents]] lets them pass.'


def _is_readable_nameless(page: PageFacts) -> bool:
    return page.has_text and not page.accounts and not page.is_separator


def _restarts(page: PageFacts, bill: OpenBill) -> bool:
    """Say whether the printed page number begins again: the same bill was printed twice."""
    if page.number is None or page.number[0] != 1:
        return False
    return bill.has_page_one or bill.is_complete()


def _may_be_misread(page: PageFacts, bill: OpenBill) -> bool:
    """
    Say whether OCR may have misread a stranger's account as this one.

    Bills that stand side by side often have numbers that differ by one digit; their amounts tell.
    """
    if not (page.by_ocr or bill.has_ocr) or bill.amount_due is None:
        return False
    return bool(page.amounts) and page.amounts[0] != bill.amount_due
