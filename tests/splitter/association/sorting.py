"""Pages told by their text, sorted as the splitter sorts them, without any PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.bills import PageAssignment
from domain.periods import BulkFile
from splitter.association.clues import ClueTaker
from splitter.association.exemptions import exemptions_of
from splitter.association.knowledge import NOTHING_KNOWN, Knowledge
from splitter.bulk_file.assignment import assign_pages
from splitter.text.normalizing import text_checksum
from splitter.text.page_facts import NearMissSearch, Reading, to_facts
from splitter.text.patterns import compile_patterns

ACCOUNT = r"Account Number:\s*([\d-]+)"
AMOUNT = r"Amount Due:\s*(\$[\d,]+\.\d\d)"
DUE = r"Due Date:\s*(\d{1,2}/\d{1,2}/\d{4})"


def sort_pages(
    texts: Sequence[str],
    *,
    knowledge: Knowledge = NOTHING_KNOWN,
    reports_only: bool = False,
    **keys: object,
) -> PageAssignment:
    """Sort pages by what they say; `keys` are those of a bulk file."""
    told = {"account": ACCOUNT, "amount_due": AMOUNT, "due_on": DUE} | keys
    bulk = BulkFile(form="utility-bill", file="bills.pdf", **told)  # type: ignore[arg-type]
    patterns = compile_patterns(bulk)
    taker = ClueTaker(NearMissSearch.of(patterns).label, knowledge.sieve())
    facts, clues = [], []
    for number, text in enumerate(texts):
        fact = to_facts(number, [Reading(text, text)], patterns, is_blank=not text)
        facts.append(replace(fact, text_checksum=text_checksum(text)))
        clues.append(taker.take(text, number, len(texts), is_named=bool(fact.accounts)))
    return assign_pages(
        facts,
        clues=clues,
        knowledge=knowledge,
        exemptions=exemptions_of(bulk),
        known_accounts=knowledge.accounts or None,
        reports_only=reports_only,
    )


def number_of(customer: int) -> str:
    return f"{10 + customer % 80}-{100000 + 7919 * customer % 900000}-{customer % 90 + 10}"


def first_page(customer: int, *more: str, number: str = "", account: str | None = None) -> str:
    """The first page of a customer's bill: form lines, the account, an amount of its own."""
    own = number_of(customer)
    lines = [
        "City of Larkspur Utilities",
        f"Account Number: {own}" if account is None else account,
        f"{100 + customer} Oak Street",
        f"Amount Due: ${20 + customer}.50",
        "Due Date: 11/20/2026",
        "Water service for the month of October",
        "Please detach and return this stub with your payment",
        *more,
        number,
    ]
    return "\n".join(line for line in lines if line)


def usage_page(customer: int, *more: str, number: str = "") -> str:
    """A second page, which names nobody."""
    lines = ["Usage of the last months", "Read date and gallons used", *more]
    lines += [f"{month:02}/28/2026 {3000 + 37 * customer + month}" for month in range(1, 6)]
    return "\n".join([*lines, number] if number else lines)


def held(assignment: PageAssignment) -> dict[int, tuple[str, ...]]:
    """Return the pages that go to a person, with what spoke against them."""
    return {page.page: page.signals for page in assignment.unassigned}
