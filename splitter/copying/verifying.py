"""Reading back: no bill leaves before a second program has found in it what must be there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.accounts import account_key
from domain.bills import BillRange, PageFacts
from domain.failures import Misuse
from domain.words import say_count
from splitter.text.normalizing import normalized, text_checksum
from splitter.text.patterns import Patterns

if TYPE_CHECKING:  # what reads is loaded where it is done: in a child
    from splitter.reading.copies import CopyReader

# An account number that is searched for everywhere must be like no amount, date or reading: those
# shorter than this count only if they have two separators, as in 01.1037.1.
FEWEST_SIGNS = 10
FEWEST_SIGNS_WITH_SEPARATORS = 6


@dataclass(frozen=True, slots=True)
class ForeignAccounts:
    """
    The accounts of the whole bulk file and of the export: none but the bill's own, and those that
    rightly stand on its pages, may stand on a page that names no account and belongs to the bill
    only because it follows it.
    """

    accounts: frozenset[str]

    @classmethod
    def of(cls, printed: Collection[str]) -> ForeignAccounts:
        return cls(frozenset(name for name in printed if _is_distinctive(name)))


def _is_distinctive(account: str) -> bool:
    signs = len(account_key(account))
    if signs >= FEWEST_SIGNS:
        return True
    return signs >= FEWEST_SIGNS_WITH_SEPARATORS and len(account) - signs >= 2


@dataclass(frozen=True, slots=True)
class VerificationPolicy:
    """
    Which copies are read back, and which have the full audit: 1 is every copy, 10 each tenth.

    Whatever has the full audit is drawn, too, and compared with its pages in the bulk file.
    A bill's place in its bulk file decides, so the same copies are chosen each time, the first one
    always. A copy that is read back has the quick audit at least, and the full one where the quick
    one cannot tell. Raises Misuse for less than 1.
    """

    read_back_every: int = 1
    audit_every: int = 64

    def __post_init__(self) -> None:
        if self.read_back_every < 1 or self.audit_every < 1:
            raise Misuse("Copies are read back and audited every 1, 2, 3, ...; 1 is every copy.")

    def reads_back(self, index: int) -> bool:
        return index % self.read_back_every == 0

    @property
    def reads_back_all(self) -> bool:
        return self.read_back_every == 1

    def audits(self, index: int) -> bool:
        return index % self.audit_every == 0


def say_verification(read_back: int, audited: int) -> str:
    """Say what was done: `400 copies read back, 7 audited`."""
    return f"{say_count(read_back, 'copy', 'copies')} read back, {audited:,} audited"


# What may be an account number as printed: letters and digits with a digit among them.
NUMBER_LIKE = re.compile(r"(?<![0-9A-Za-z])(?=[0-9A-Za-z.\-]*[0-9])[0-9A-Za-z][0-9A-Za-z.\-]{4,}")

UNREADABLE = "cannot be opened"


@dataclass(frozen=True, slots=True)
class Examination:
    """What was done to know a copy, and what is wrong with it; without findings it may leave."""

    findings: tuple[str, ...] = ()
    is_read_back: bool = False
    is_audited: bool = False  # in full


def examine(
    copy: bytes,
    expected: BillRange,
    patterns: Patterns,
    foreign_accounts: ForeignAccounts,
    *,
    reads_back: bool = True,
    audits: bool = True,
    reader: CopyReader | None = None,
) -> Examination:
    """
    Read a bill's copy back, give it the full audit, or both.

    Read back, it must show the same account, amount due, due date and number of pages, say on each
    page what that page says in the bulk file, hold no page that may be a neighbour's, and pass the
    quick audit on its raw bytes; where that one cannot tell the full one must. To be called in a
    child: pdfium may hang.

    With a `reader`, where pdfium read the bulk file, a copy that is plainly written and good is
    not read by pdfium once more, unless it has the full audit.
    """
    from splitter.copying.audit import is_clean_layout
    from splitter.copying.layout import read_layout

    layout = read_layout(copy) if reads_back else None
    is_clean = layout is not None and is_clean_layout(layout, len(expected.pages))
    if reader is not None and layout is not None and is_clean and not audits:
        read = reader.read(layout)
        is_known = read is not None and bool(expected.text_checksums)
        if read is not None and is_known and not _differences(read, expected, foreign_accounts):
            return Examination(is_read_back=True)
    findings = _read_back(copy, expected, patterns, foreign_accounts) if reads_back else []
    if findings == [UNREADABLE]:
        return Examination((UNREADABLE,), is_read_back=True)
    pages = len(expected.pages)
    is_audited = audits or (reads_back and not is_clean)
    if is_audited:
        from splitter.copying.audit import audit

        findings = audit(copy, pages) + findings
    return Examination(tuple(findings), reads_back, is_audited)


def _read_back(
    copy: bytes, expected: BillRange, patterns: Patterns, foreign_accounts: ForeignAccounts
) -> list[str]:
    from splitter.pdf.pages import units_of_copy
    from splitter.reading.page import DocumentText
    from splitter.text.pdfium import CannotOpen

    try:
        document = DocumentText(copy, patterns, units_of_copy(copy))
    except CannotOpen:
        return [UNREADABLE]
    try:
        read = [document.facts(page) for page in range(document.pages)]
    finally:
        document.close()
    return _differences(read, expected, foreign_accounts)


def _differences(
    read: list[tuple[PageFacts, str]], expected: BillRange, foreign_accounts: ForeignAccounts
) -> list[str]:
    pages = [facts for facts, _ in read]
    own = account_key(expected.account)
    found = []
    if len(pages) != len(expected.pages):
        found.append(f"has {len(pages)} pages instead of {len(expected.pages)}")
    elif expected.text_checksums and any(
        text_checksum(text) != mark
        for (_, text), mark in zip(read, expected.text_checksums, strict=True)
    ):
        found.append("does not say what its pages say in the bulk file")
    named = {account_key(account) for page in pages for account in page.accounts}
    if named != {own} and not (expected.is_ruled and not named):
        found.append("does not show its account, or shows another one")
    rightly_there = {own, *expected.kin}
    strangers = _strangers(read, foreign_accounts)
    if any(account_key(stranger) not in rightly_there for stranger in strangers):
        found.append("has a page that prints the number of another account alone")
    if _first_amount(pages) != expected.amount_due:
        found.append("does not show its amount due")
    if _first_due_date(pages) != expected.due_on:
        found.append("does not show its due date")
    return found


def _strangers(read: list[tuple[PageFacts, str]], foreign_accounts: ForeignAccounts) -> set[str]:
    """Return accounts of the bulk file on pages that name none themselves."""
    if not foreign_accounts.accounts:
        return set()
    return {
        number
        for facts, text in read
        if not facts.accounts
        for number in numbers_in(text)
        if number in foreign_accounts.accounts
    }


def find_stranger_in_tags(
    texts: Iterable[tuple[str, str]], expected: BillRange, foreign_accounts: ForeignAccounts
) -> str:
    """
    Return what is wrong where tags bear another customer's number; nothing where none does.

    What tags say is shown on no page, so that nobody sees it but who has the page read aloud.
    """
    rightly_there = {account_key(expected.account), *expected.kin}
    for kind, text in texts:
        for number in numbers_in(normalized(text)) & foreign_accounts.accounts:
            if account_key(number) not in rightly_there:
                return f"has a tag ({kind}) that says the number of another account"
    return ""


def numbers_in(text: str) -> set[str]:
    return {match.rstrip(".-") for match in NUMBER_LIKE.findall(text)}


def _first_amount(pages: list[PageFacts]) -> object:
    return next((page.amounts[0] for page in pages if page.amounts), None)


def _first_due_date(pages: list[PageFacts]) -> object:
    return next((page.due_dates[0] for page in pages if page.due_dates), None)
