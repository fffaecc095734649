"""Pages told by their text, sorted as the splitter sorts them, without any PDF."""

from __future__ import annotations

from collections.abc import Sequence

from bench.association import sort_texts
from domain.bills import PageAssignment
from domain.periods import BulkFile
from splitter.association.knowledge import NOTHING_KNOWN, Knowledge

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
    return sort_texts(bulk, texts, knowledge, reports_only=reports_only)


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
