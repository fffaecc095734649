"""What became of the pages of a made-up bulk file, beside what should have."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bench.layouts.customers import Customer, MadeUpPage
from domain.accounts import account_key
from domain.bills import PageAssignment
from splitter.association.knowledge import Knowledge, KnownCustomer


@dataclass(slots=True)
class Judgement:
    """Counts of pages: joined wrongly, held without need, held rightly; and which were wrong."""

    pages: int = 0
    wrong: int = 0
    false_holds: int = 0
    held: int = 0
    of_first_wrong: list[str] = field(default_factory=list)

    def add(self, other: Judgement) -> None:
        self.pages += other.pages
        self.wrong += other.wrong
        self.false_holds += other.false_holds
        self.held += other.held
        self.of_first_wrong += other.of_first_wrong


def judge(
    pages: Sequence[MadeUpPage], faulty: Collection[str], assignment: PageAssignment
) -> Judgement:
    """
    Count wrong joins and false holds.

    Wrong is a page in a bill of an account that is not its owner's; blank pages and those that
    anybody may have are never wrong. A hold is false where the page's bill has no fault.
    """
    judgement = Judgement(pages=len(pages))
    accounts = {account_key(page.owner) for page in pages if page.owner}
    for bill in assignment.bills:
        for number in bill.pages:
            page = pages[number]
            if not page.owner or page.is_blank or account_key(bill.account) not in accounts:
                continue
            if account_key(page.owner) != account_key(bill.account):
                judgement.wrong += 1
                judgement.of_first_wrong.append(f"page {number + 1}: {page.lines[0]}")
    for held in assignment.unassigned:
        judgement.held += 1
        judgement.false_holds += pages[held.page].bill not in faulty
    return judgement


def knowledge_of(several: Sequence[Customer]) -> Knowledge:
    """Return what a close knows of customers from its export."""
    return Knowledge.of(
        KnownCustomer(
            customer.account,
            (customer.name,),
            (customer.address,),
            (customer.family,) if customer.family else (),
        )
        for customer in several
    )
