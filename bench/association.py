"""Where pages go that name no account: made-up bulk files of many layouts, clean and faulty."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from bench.layouts.customers import customers
from bench.layouts.faults import FAULTS, Fault, with_faults
from bench.layouts.judging import Judgement, judge, knowledge_of
from bench.layouts.later_layouts import ALL_LAYOUTS
from bench.layouts.layouts import (
    AMOUNT_PATTERN,
    DUE_PATTERN,
    Layout,
    make_bills,
    with_families,
)
from bench.writing import machine, write_down
from domain.accounts import account_key
from domain.bills import PageAssignment
from domain.periods import BulkFile
from splitter.association.clues import ClueTaker
from splitter.association.exemptions import exemptions_of
from splitter.association.knowledge import NOTHING_KNOWN, Knowledge
from splitter.bulk_file.assignment import assign_pages
from splitter.runs.missing_bills import hold_beside_missing
from splitter.text.normalizing import text_checksum
from splitter.text.page_facts import NearMissSearch, Reading, to_facts
from splitter.text.patterns import compile_patterns

CLEAN = "no fault"
EVERY = (15, 7)  # bills: one of so many has a fault


@dataclass(frozen=True, slots=True)
class Row:
    """What became of the files of one layout or with one fault, in one way of working."""

    what: str
    way: str  # close: with the export's customers; split: the file alone
    judgement: Judgement


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench association", description=__doc__)
    parser.add_argument("--bills", type=int, default=150, help="in each file")
    parser.add_argument("--seeds", type=int, default=1, help="files of each layout and fault")
    told = parser.parse_args(arguments)

    by_what: dict[tuple[str, str], Judgement] = {}
    for layout in ALL_LAYOUTS:
        for seed in range(told.seeds):
            found = judged(layout, told.bills, seed)
            for (what, way), judgement in found.items():
                for key in ((what, way), (layout.name, way)):
                    by_what.setdefault(key, Judgement()).add(judgement)
        print(layout.name, flush=True)
    write_results([Row(what, way, judgement) for (what, way), judgement in by_what.items()])


def judged(layout: Layout, bills: int, seed: int) -> dict[tuple[str, str], Judgement]:
    """Split a layout's files, clean and with each fault, with an export and without."""
    several = with_families(layout, customers(bills, seed, layout.shape))
    printed = make_bills(layout, several, seed)
    bulk = BulkFile(
        "utility-bill", "bills.pdf", layout.account_pattern, AMOUNT_PATTERN, DUE_PATTERN
    )
    judgements = {}
    rates: list[tuple[str, list[Fault], int]] = [(CLEAN, [], bills + 1)]
    rates += [(say_fault(name, n), [fault], n) for n in EVERY for name, fault in FAULTS.items()]
    for name, faults, every in rates:
        pages, faulty = with_faults(printed, faults, layout.label, every)
        texts = [page.text for page in pages]
        for way, knowledge in (("close", knowledge_of(several)), ("split", NOTHING_KNOWN)):
            sorted_pages = sort_texts(bulk, texts, knowledge)
            if knowledge is not NOTHING_KNOWN:
                sorted_pages = held_as_in_a_close(sorted_pages, knowledge)
            judgements[name, way] = judge(pages, faulty, sorted_pages)
    return judgements


def held_as_in_a_close(assignment: PageAssignment, knowledge: Knowledge) -> PageAssignment:
    """Hold what may be pages of lost bills; the file is in the order of the export."""
    have_bill = {account_key(bill.account) for bill in assignment.bills}
    missing = {key: account for key, account in knowledge.accounts.items() if key not in have_bill}
    order = {key: place for place, key in enumerate(knowledge.accounts)}
    return hold_beside_missing(assignment, missing, [order])


def say_fault(name: str, every: int) -> str:
    return f"{name}, each {every}th"


def sort_texts(
    bulk: BulkFile, texts: Sequence[str], knowledge: Knowledge, *, reports_only: bool = False
) -> PageAssignment:
    """Sort pages by their text, with the product's own facts, clues and rules."""
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


def write_results(rows: Sequence[Row]) -> None:
    """Write the figures as JSON and as a table."""
    figures = {"machine": machine(), "rows": [asdict(row) for row in rows]}
    write_down("association", figures, table(rows))


def table(rows: Sequence[Row]) -> str:
    told = [
        "# Where pages go that name no account",
        "",
        "Made-up files whose pages are known, sorted by the product's own rules from their text:"
        f" {len(ALL_LAYOUTS)} layouts, clean and with {len(FAULTS)} kinds of fault on the first"
        f" page of each {EVERY[0]}th and each {EVERY[1]}th bill. A close knows the export's"
        " customers, a split the file alone.",
        "*Wrong* is a page with a customer's content in another's bill; *held falsely* a page of a"
        " bill without a fault that goes to a person all the same.",
        "",
        "| files | way | pages | wrong | held | held falsely |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    order = [*_kinds(), *(layout.name for layout in ALL_LAYOUTS)]
    for row in sorted(rows, key=lambda row: (order.index(row.what), row.way)):
        found = row.judgement
        told.append(
            f"| {row.what} | {row.way} | {found.pages:,} | {found.wrong:,} | {found.held:,}"
            f" | {found.false_holds:,} |"
        )
    return "\n".join([*told, "", *conclusions(rows), ""])


def conclusions(rows: Sequence[Row]) -> list[str]:
    told = ["## What this says", ""]
    faults = _kinds()
    for way in ("close", "split"):
        total = Judgement()
        for row in rows:
            if row.way == way and row.what in faults:
                total.add(row.judgement)
        told.append(
            f"- {way}: {total.wrong:,} of {total.pages:,} pages joined wrongly;"
            f" {10_000 * total.false_holds / max(1, total.pages):.1f} of 10,000 held falsely."
        )
        for sentence in dict.fromkeys(_kind_of_wrong(one) for one in total.of_first_wrong):
            told.append(f"  - joined wrongly: pages that begin with {sentence}")
    return told


def _kinds() -> list[str]:
    return [CLEAN, *(say_fault(name, every) for every in EVERY for name in FAULTS)]


def _kind_of_wrong(told: str) -> str:
    words = "".join("0" if sign.isdigit() else sign for sign in told.partition(": ")[2]).split()
    return f"`{' '.join(words[:3])} …`"
