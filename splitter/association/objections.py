"""Can this page follow the bill before it? What speaks against it, and how strongly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from domain.accounts import account_key
from domain.bills import PageFacts
from domain.words import say_count
from splitter.association.clues import Clues, checksums
from splitter.association.exemptions import Exemptions
from splitter.association.habits import (
    Habits,
    is_distinctive,
    is_other_field,
    numbers_of_form,
    shape_of,
)
from splitter.association.knowledge import Knowledge
from splitter.association.line_clues import ACCOUNT_WORD, BROKEN, PLAIN, SPACED
from splitter.association.looks import FEW, NO_LOOK, Look, Looks
from splitter.association.numbering import file_number
from splitter.association.open_bill import OpenBill

SELDOM = 1e-5  # how often a number that is no account may be like one that is
FEWEST_COMMON, FEWEST_KNOWN = 0.08, 0.1  # shares of a page's words
_DASHES = str.maketrans("._/", "---")
_NEVER_OUTVOTED = frozenset({"words"})
_OF_COMMON_MATTER = frozenset({"looks", "label", "twice"})


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a page cannot follow a bill; `account` is whose it seems to be, as a key, if known."""

    signal: str
    sentence: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that speaks against a page, and what was left out because the office ignores it."""

    objections: tuple[Objection, ...] = ()
    ignored: tuple[Objection, ...] = ()
    is_anchored: bool = False  # something says that it is this bill's


NO_EVIDENCE = Evidence()


class PageGuard:
    """
    Compares pages with the bill before them, by the habits of their file.

    Strong signals are another customer's marks (a number, an account, an amount, a name) and are
    never outvoted. Weak ones are oddness (how a page looks), and are where the bill's own account
    stands on the page, a page number goes on, or the next page that names one names the same.
    """

    def __init__(
        self,
        habits: Habits,
        knowledge: Knowledge,
        exemptions: Exemptions,
        file_accounts: Collection[str],
    ) -> None:
        self.habits = habits
        self._knowledge = knowledge
        self._exemptions = exemptions
        self._known = frozenset(file_accounts) | knowledge.accounts.keys()
        self._crowds = Counter((len(key), key[:2]) for key in self._known)
        self._dashed = {shape.replace(".", "-") for shape in habits.plain_shapes}
        self._telling = {shape.replace(".", "-") for shape in habits.shapes}
        self._telling_lengths = frozenset(map(_signs_of, self._telling))
        self._lead: Look = NO_LOOK  # of a nameless page that the file begins with
        self._lead_looks = habits.looks
        self._form_numbers: frozenset[str] = frozenset()
        self._file_number: tuple[int, int] | None = None  # the last one, and its page
        self._jumped_at = -1

    def evidence(
        self, page: PageFacts, clues: Clues, bill: OpenBill, *, is_between_own: bool
    ) -> Evidence:
        """Return what speaks against a nameless page as one of a bill, and note what it may be."""
        if clues.is_blank:
            return NO_EVIDENCE
        look = self.look_of(clues)
        is_first_look = (like := self.habits.looks.first_pages_like(look)) > 0
        is_common = self.is_common(page) and not is_first_look

        strong, weak = [], []
        goes_on = names_own = False
        for objection in self._of_numbers(clues, bill) if not is_common else ():
            strong += [objection] if objection.sentence else []
            goes_on = goes_on or not objection.sentence
        accounts, shapes, names_own = self._of_accounts(page, clues, bill)
        if unseen := self.unseen(page, bill.key):
            strong.append(unseen)
        if is_common:
            bill.kin.update((objection.account, None) for objection in accounts)
        else:
            strong += [*accounts, *self._of_names(clues, bill)]
            strong += self._of_values(page, bill, look, goes_on=goes_on)
            weak += shapes
        if self._jumped_at == page.page:
            gap = "The file counts its pages through, and one before this page is missing."
            strong.append(Objection("file-numbers", gap))
        if self._is_like_lead(clues):
            before = "The file begins with a page like this one: such pages come before their bill."
            strong.append(Objection("order", before))
        if is_first_look:
            sentence = (
                f"It looks like the first pages of {say_count(like, 'bill')}, and names no account."
            )
            weak.append(Objection("looks", sentence))
        elif begins := self._begins_like_named(clues):
            pages = say_count(begins, "page")
            sentence = f"It begins as {pages} do that name an account, and names none."
            weak.append(Objection("looks", sentence))
        weak += self._of_oddness(page, clues, bill, look, is_first_look=is_first_look)

        outvoted = names_own or goes_on or is_between_own
        counts_on = goes_on and bill.number is not None
        is_anchored = (
            names_own
            or is_between_own
            or counts_on
            or self._repeats_id(clues, bill)
            or self._counts_through(page, clues)
        )
        if outvoted:
            weak = [objection for objection in weak if objection.signal in _NEVER_OUTVOTED]
        elif is_common:
            weak = [objection for objection in weak if objection.signal in _OF_COMMON_MATTER]
        return self._sorted(strong + weak, is_anchored=is_anchored)

    def _begins_like_named(self, clues: Clues) -> int:
        """Count the pages with an account that begin with the line that this one begins with."""
        lines = checksums(clues.folded[:4])
        return self.habits.mastheads.get(lines[0], 0) if lines else 0

    def _repeats_id(self, clues: Clues, bill: OpenBill) -> bool:
        """Say whether a page repeats a longer number of its bill, which few others print."""
        common, ids = self.habits.common_ids, bill.ids
        return ids is not None and any(
            one in ids and one not in common for one in checksums(clues.exact)
        )

    def _counts_through(self, page: PageFacts, clues: Clues) -> bool:
        """Say whether the file counts its pages, and none is missing before this one."""
        if not self.habits.numbering.runs_on or file_number(clues.numbers) is None:
            return False
        return self._jumped_at != page.page

    def look_of(self, clues: Clues) -> Look:
        return self.habits.looks.look_of(checksums(clues.folded))

    def kind_of(self, clues: Clues) -> Look:
        """Return what stands for the kind of page that this is."""
        return self.habits.looks.kind_of(self.look_of(clues))

    def note_form_numbers(self, pages: Sequence[PageFacts]) -> None:
        """Note numbers that nobody sees on the pages of half of all customers."""
        self._form_numbers = numbers_of_form(pages)

    def begin_with(self, clues: Clues, looks: Looks) -> None:
        """
        Note the look of a nameless page that the file begins with.

        By the looks of the first round: where all such pages are held, no bill has one any more.
        """
        self._lead_looks = looks
        self._lead = looks.look_of(checksums(clues.folded))

    def _is_like_lead(self, clues: Clues) -> bool:
        if not self._lead:
            return False
        look = self._lead_looks.look_of(checksums(clues.folded))
        return 3 * len(look & self._lead) >= len(look | self._lead)

    def is_common(self, page: PageFacts) -> bool:
        """Say whether a page of just the same text stands behind several customers' bills."""
        return self.habits.copies.get(page.text_checksum, 0) >= FEW

    def goes_on(self, clues: Clues, bill: OpenBill) -> bool:
        """Say whether a page's number is the next one of a bill."""
        numbers = self.habits.numbering.numbers(clues.numbers)
        return any(not self._number_says(number, bill) for number in numbers)

    def odd_account(self, page: PageFacts) -> Objection | None:
        """Say what is odd about the account that a page names: it may be a piece, or no account."""
        account = page.accounts[0]
        key, habits = account_key(account), self.habits
        is_known = key in self._knowledge.accounts
        share = habits.doubts.get(page.doubt, 0.0) if page.doubt else 1.0
        if page.doubt == "over-line" and share < 0.5:
            shape = shape_of(account)
            is_like_others = is_distinctive(shape) and shape in habits.shapes
            is_told = is_known or not self._knowledge.accounts
            if share < 0.2 or not is_like_others or not is_told:
                return _odd(
                    f"The account {account} stands on another line than its label, where other"
                    " pages have it on the same one: the value may be missing."
                )
        if page.doubt == "cut" and share < 0.5:
            return _odd(
                f"The account {account} goes on with other signs: it may be a piece of one."
            )
        if page.doubt == "other-label" and share < 0.5:
            return _odd(f"The account {account} is called a former one, or somebody else's.")
        is_piece = 2 * len(key) <= habits.usual_length
        if (is_piece or (habits.lengths and len(key) not in habits.lengths)) and not is_known:
            return _odd(f"The account {account} is shorter or longer than all others.")
        return None

    def elsewhere(self, page: PageFacts, key: str) -> Objection | None:
        """Return another customer's account that stands outside the region of a page."""
        if self._exemptions.may_name_others:
            return None
        for account in page.elsewhere:
            other = account_key(account)
            if other != key and other in self._known and not self._knowledge.are_kin(key, other):
                return Objection("accounts", _prints(account), other)
        return None

    def other_customer(self, page: PageFacts, clues: Clues, key: str) -> Objection | None:
        """Return the mark of another customer on a page that only a bookmark gives to this one."""
        bill = OpenBill(page.accounts[0], key)
        accounts, _, _ = self._of_accounts(page, clues, bill)
        return next(iter([*accounts, *self._of_names(clues, bill)]), None)

    def unseen(self, page: PageFacts, key: str) -> Objection | None:
        """Return the account in text of a page that nobody sees, unless it is the bill's own."""
        for account in page.unseen:
            other = account_key(account)
            if other in self._form_numbers and other not in self._known:
                continue
            if other != key and not self._knowledge.are_kin(key, other):
                sentence = f"The account {account} stands on it in text that nobody sees."
                return Objection("unseen", sentence, other if other in self._known else "")
        return None

    def seems(self, clues: Clues, page: PageFacts, not_key: str) -> str:
        """Return the key of the account that a page seems to be of: a number, else a name on it."""
        for account in (*page.accounts, *page.elsewhere, *page.unseen):
            if (key := account_key(account)) != not_key and key in self._known:
                return key
        for key, number, how, before in clues.tokens_by_key:
            if key != not_key and key in self._known and self._tells(key, number, how, before):
                return key
        owners = [self._owners(mark) for mark in clues.names]
        told = Counter(keys[0] for keys in owners if len(keys) == 1 and keys[0] != not_key)
        return told.most_common(1)[0][0] if told else ""

    def count(self, page: PageFacts, clues: Clues) -> str:
        """Note where a file that counts its pages through stands; say what is missing before."""
        number = file_number(clues.numbers) if self.habits.numbering.runs_on else None
        if number is None:
            return ""
        before, self._file_number = self._file_number, (number[0], page.page)
        if before is None or number[0] - before[0] <= page.page - before[1]:
            return ""
        self._jumped_at = page.page
        return f"The file counts its pages through, and page {before[0] + 1} is missing behind it."

    def _sorted(self, objections: list[Objection], *, is_anchored: bool) -> Evidence:
        ignored = self._exemptions.ignored
        return Evidence(
            tuple(one for one in objections if one.signal not in ignored),
            tuple(one for one in objections if one.signal in ignored),
            is_anchored,
        )

    def _of_numbers(self, clues: Clues, bill: OpenBill) -> list[Objection]:
        """Return an objection, or one without a sentence where the number goes on."""
        numbers = self.habits.numbering.numbers(clues.numbers)
        if not numbers:
            return []
        told = [self._number_says(number, bill) for number in numbers]
        if "" in told:
            return [Objection("numbers", "")] if len(told) == 1 else []
        return [Objection("numbers", told[0])]

    def _number_says(self, number: tuple[int, int], bill: OpenBill) -> str:
        x, y = number
        said = f"page {x} of {y}" if y else f"page {x}"
        numbering = self.habits.numbering
        if x == 1:
            return f"It is printed as {said}, and the bill of {bill.account} has begun before it."
        if bill.number is None:
            if numbering.counts_from_first and y:
                return f"It is printed as {said}, and the bill of {bill.account} has no page 1."
            if x > len(bill.pages) + 1:
                pages = say_count(len(bill.pages), "page")
                return f"It is printed as {said}, and the bill of {bill.account} has {pages}."
            return ""
        last, total = bill.number
        if y != total:
            pages = say_count(total, "page")
            return f"It is printed as {said}, and the bill of {bill.account} counts {pages}."
        backs = bill.pages_since_number if numbering.counts_backs else 0
        if x not in (last + 1, last + 1 + backs):
            return f"It is printed as {said} and follows page {last} of the bill of {bill.account}."
        return ""

    def _of_accounts(
        self, page: PageFacts, clues: Clues, bill: OpenBill
    ) -> tuple[list[Objection], list[Objection], bool]:
        strong, weak = [], []
        names_own = any(account_key(account) == bill.key for account in page.elsewhere)
        if other := self.elsewhere(page, bill.key):
            strong.append(other)
        names_others = self._exemptions.may_name_others
        known, lengths = self._known, self._telling_lengths
        for key, number, how, before in clues.tokens_by_key:
            if key == bill.key:
                names_own = True
            elif not (
                key in known
                or (how != SPACED and len(number) in lengths)
                or (how == SPACED and before and _has_account_word(before))
                or names_others
            ):
                continue  # most numbers of a page: neither an account nor like one
            elif self._exemptions.is_no_account(before, number):
                continue
            elif names_others or self._knowledge.are_kin(bill.key, key):
                bill.kin.setdefault(key)
            elif key in self._known and self._tells(key, number, how, before):
                strong.append(Objection("accounts", _prints(number), key))
            elif self._is_written_like_one(number, how, before):
                sentence = f"It prints {number}, a number written as the accounts of this file are."
                weak.append(Objection("shapes", sentence))
        return strong, weak, names_own

    def _of_values(
        self, page: PageFacts, bill: OpenBill, look: Look, *, goes_on: bool
    ) -> Iterator[Objection]:
        if goes_on and look in self.habits.counts_on:
            return
        for values, kept, first, what in (
            (page.amounts, bill.amounts, bill.amount_due, "amount due"),
            (page.due_dates, bill.due_dates, bill.due_on, "due date"),
        ):
            if values and kept and kept.isdisjoint(values):
                sentence = f"Its {what} is {values[0]}, that of the bill of {bill.account} {first}."
                yield Objection("values", sentence)

    def _of_names(self, clues: Clues, bill: OpenBill) -> list[Objection]:
        for mark in clues.names:
            owners = self._owners(mark)
            if not owners or any(self._knowledge.are_kin(bill.key, owner) for owner in owners):
                continue
            whose = owners[0] if len(owners) == 1 else ""
            sentence = "It bears the name or the address of another customer."
            return [Objection("names", sentence, whose)]
        return []

    def _owners(self, mark: int) -> tuple[str, ...]:
        if mark in self.habits.printed_names:
            return ()
        return self._knowledge.names.get(mark, ())

    def _of_oddness(
        self, page: PageFacts, clues: Clues, bill: OpenBill, look: Look, *, is_first_look: bool
    ) -> Iterator[Objection]:
        habits = self.habits
        form = habits.looks.form
        kind = habits.looks.kind_of(look)
        if any(form.get(line, 0) < FEW or is_first_look for line in checksums(clues.labels)):
            yield Objection("label", "It has the label of the account, and no account behind it.")
        if self._is_garbled(clues):
            yield Objection("words", "Its words are of no language that the file is written in.")
        if kind in habits.single and kind in bill.seen:
            yield Objection(
                "twice",
                f"The bill of {bill.account} has a page of this kind, and no bill has two.",
            )
        ids = checksums(clues.exact)
        echoed = bill.ids is None or not bill.ids.isdisjoint(ids)
        has_own = kind in habits.echoes_own and any(one not in habits.common_ids for one in ids)
        if (kind in habits.echoes or has_own) and not echoed:
            yield Objection(
                "echo", "Pages like this one repeat a number of their bill; this one repeats none."
            )
        if self._should_have_number(page, clues, bill, kind):
            yield Objection(
                "numbers",
                f"It has no page number, and the bill of {bill.account} still waits for pages.",
            )

    def _is_garbled(self, clues: Clues) -> bool:
        if clues.words >= 8:
            is_odd = clues.common < FEWEST_COMMON * clues.words
        else:
            is_odd = clues.letters >= 20 and not clues.common
        words = checksums(clues.vocabulary)
        known = sum(word in self.habits.vocabulary for word in words)
        return is_odd and known < FEWEST_KNOWN * len(words)

    def _should_have_number(
        self, page: PageFacts, clues: Clues, bill: OpenBill, kind: Look
    ) -> bool:
        numbering = self.habits.numbering
        if not numbering.begins_with_number or numbering.counts_backs or clues.numbers:
            return False
        if self.is_common(page) or kind in self.habits.single:
            return False
        return bill.number is not None and bill.number[0] < bill.number[1]

    def _tells(self, key: str, number: str, how: str, before: str) -> bool:
        """Say whether a number is surely that account and no meter or reading that is like it."""
        shape = shape_of(number)
        if how == BROKEN or (how == PLAIN and is_distinctive(shape)):
            return True
        if is_other_field(before):
            return False
        if how == SPACED and len(key) >= 6 and self._is_spaced_account(number):
            return True
        if ACCOUNT_WORD.search(before):
            return True
        crowd = self._crowds[len(key), key[:2]]
        return len(key) >= 7 and crowd < SELDOM * 10 ** (len(key) - 2)

    def _is_spaced_account(self, number: str) -> bool:
        return re.sub("[ ._-]+", "-", shape_of(number)) in self._dashed

    def _is_written_like_one(self, number: str, how: str, before: str) -> bool:
        if is_other_field(before):
            return False
        if how == SPACED:
            return _has_account_word(before) and self._is_spaced_account(number)
        if shape_of(number).translate(_DASHES) not in self._telling:
            return False
        first = number.translate(_DASHES).partition("-")[0]
        return not self.habits.first_groups or first in self.habits.first_groups


@lru_cache(maxsize=1024)
def _has_account_word(before: str) -> bool:
    return ACCOUNT_WORD.search(before) is not None


def _signs_of(shape: str) -> int:
    """Count the signs of a number from its shape: `92-94-91` is of 9."""
    return len(re.sub("9[0-9]+", lambda nines: "9" * int(nines[0][1:]), shape))


def _odd(sentence: str) -> Objection:
    return Objection("odd-account", sentence)


def _prints(account: str) -> str:
    return f"It prints {account}, the account of another customer."
