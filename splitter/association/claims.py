"""Whose pages are by a file's bookmarks: what these claim, and where the pages say otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.accounts import account_key
from domain.bills import PageClaim, PageFacts
from domain.failures import Refused
from domain.periods import BY_ATTACHMENTS, BulkFile
from domain.words import say_count

BEFORE_FIRST = "It stands before the first bookmark of a bill."
NAMES_NONE = "Its bookmark, or one before it, names no account as the pattern title says."
SEVERAL_HERE = "Several bookmarks lead to it, and they name different accounts."
SEVERAL_IN_ONE = "Its bookmark names several accounts."
OTHERWISE = "It names another account than its bookmark."
GOES_ON_OTHERWISE = "It names another account than the bookmark before it."
BELOW_OTHERWISE = "A bookmark within the bill leads to it and names another customer's account."
ON_COVER = "It belongs to the cover of the attached files, and names an account."


@dataclass(frozen=True, slots=True)
class AccountMark:
    """
    A bookmark as the pattern sees it: the accounts that its title names.

    `page` counts from 0 and is None where it leads to none. `is_cover` marks the pages of a file
    that the bills were attached to.
    """

    level: int
    page: int | None
    accounts: tuple[str, ...]
    is_cover: bool = False


@dataclass(frozen=True, slots=True)
class _Start:
    """What begins on a page: an account's bill, or pages that are nobody's, and why."""

    account: str
    why: str = ""
    is_cover: bool = False


@dataclass(slots=True)
class Claims:
    """What the bookmarks of a file say of its pages."""

    starts: Mapping[int, _Start]
    within: Mapping[int, frozenset[str]]  # accounts' keys by page, of bookmarks further down
    begin_anew: bool = False  # each start is a bill, whoever's the one before it is
    _current: _Start = field(default_factory=lambda: _Start("", BEFORE_FIRST))
    _waits: bool = False  # a start whose own page is a separator

    def applied(self, facts: Iterable[PageFacts]) -> list[PageFacts]:
        """Return what pages say together with what is claimed of them, the pages in order."""
        return [self._of(page) for page in facts]

    def _of(self, page: PageFacts) -> PageFacts:
        start = self.starts.get(page.page)
        if start is not None:
            self._current, self._waits = start, True
        if page.is_separator:
            return page
        begins, self._waits = self._waits, False
        keys = {account_key(account) for account in page.accounts} - {""}
        current = self._current
        if current.is_cover and page.has_text:
            return _held(page, ON_COVER) if keys else replace(page, is_separator=True)
        if not current.account:
            return _held(page, current.why)
        own = account_key(current.account)
        if not keys <= {own}:
            return _held(page, OTHERWISE if begins else GOES_ON_OTHERWISE)
        if not self.within.get(page.page, frozenset()) <= {own}:
            return _held(page, BELOW_OTHERWISE)
        if not begins:
            return page
        claim = PageClaim(begins=self.begin_anew, is_alone=not keys)
        return replace(page, accounts=page.accounts or (current.account,), claim=claim)


def _held(page: PageFacts, why: str) -> PageFacts:
    return replace(page, claim=PageClaim(contradiction=why))


def claims_of(marks: Sequence[AccountMark], bulk: BulkFile, known: Collection[str] = ()) -> Claims:
    """
    Return what bookmarks claim; `known` are the keys of the export's accounts.

    A bookmark of the level, or above it, that names no account begins pages that are nobody's: what
    follows it must not fall to the bill before. Raises Refused (pdf-unreadable) where no bookmark
    of the level names an account, and where one leads to no page: the bill that it names would be
    joined to another.
    """
    named: defaultdict[int, list[AccountMark]] = defaultdict(list)
    within: defaultdict[int, set[str]] = defaultdict(set)
    for number, mark in enumerate(marks, start=1):
        if mark.level > bulk.level:
            if mark.page is not None:
                within[mark.page] |= {account_key(one) for one in mark.accounts} & set(known)
        elif mark.page is not None:
            named[mark.page].append(mark)
        elif mark.level == bulk.level:
            raise Refused("pdf-unreadable", _leads_nowhere(bulk, number, mark))
    if not any(mark.accounts for mark in marks if mark.level == bulk.level):
        raise Refused("pdf-unreadable", _names_nobody(marks, bulk))
    starts = {page: _start(several, bulk.level) for page, several in named.items()}
    return Claims(
        starts,
        {page: frozenset(keys) for page, keys in within.items() if keys},
        begin_anew=bulk.by == BY_ATTACHMENTS,
    )


def _start(marks: Sequence[AccountMark], level: int) -> _Start:
    own = [mark for mark in marks if mark.level == level]
    if any(len({account_key(one) for one in mark.accounts}) > 1 for mark in own):
        return _Start("", SEVERAL_IN_ONE)
    accounts = {account_key(one): one for mark in own for one in mark.accounts[:1]}
    if len(accounts) > 1:
        return _Start("", SEVERAL_HERE)
    if accounts:
        return _Start(next(iter(accounts.values())))
    return _Start("", NAMES_NONE, is_cover=any(mark.is_cover for mark in own))


def _leads_nowhere(bulk: BulkFile, number: int, mark: AccountMark) -> str:
    whose = f" of {mark.accounts[0]}" if mark.accounts else ""
    return (
        f"Bookmark {number:,} of {bulk.file}{whose} leads to no page of it: where its bill"
        " begins is not known; please export the file again."
    )


def _names_nobody(marks: Sequence[AccountMark], bulk: BulkFile) -> str:
    if not marks:
        return (
            f"{bulk.file} has no bookmarks; please export it with them, or remove by = {bulk.by!r}."
        )
    levels = sorted({mark.level for mark in marks})
    naming = sorted({mark.level for mark in marks if mark.accounts})
    remedy = f"say level = {naming[0]}" if naming else "please correct the pattern"
    said = ", ".join(map(str, levels[:8]))
    return (
        f"None of the {say_count(len(marks), 'bookmark')} of {bulk.file} names an account at level"
        f" {bulk.level} as the pattern title says (they have the levels {said}); {remedy}."
    )
