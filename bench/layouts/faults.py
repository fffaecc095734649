"""What happens to bills on their way: faults that make a page name nobody, or lose it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bench.layouts.customers import MadeUpBillPages, MadeUpPage

Fault = Callable[[MadeUpPage, str], MadeUpPage | None]  # a first page and its label; None: lost


def _relabeled(page: MadeUpPage, label: str, other: str) -> MadeUpPage:
    lines = [
        line.replace(label, other) if label in line and page.owner in line else line
        for line in page.lines
    ]
    return replace(page, lines=tuple(lines))


def _revalued(page: MadeUpPage, label: str, written: str) -> MadeUpPage:
    told: list[str] = []
    for line in page.lines:
        if label in line and page.owner in line:
            line = line.replace(page.owner, written).rstrip()
        told += line.split("\n")
    return replace(page, lines=tuple(told))


def _capitals(page: MadeUpPage, label: str) -> MadeUpPage:
    return _relabeled(page, label, label.upper() if label.upper() != label else label.lower())


def _other_label(page: MadeUpPage, label: str) -> MadeUpPage:
    return _relabeled(page, label, "Service agreement")


def _no_value(page: MadeUpPage, label: str) -> MadeUpPage:
    return _revalued(page, label, "")


def _block_gone(page: MadeUpPage, label: str) -> MadeUpPage:
    return replace(page, lines=tuple(line for line in page.lines if label not in line))


def _garbled(page: MadeUpPage, _: str) -> MadeUpPage:
    moved = [
        "".join(chr(ord(sign) + 1) if sign > " " else sign for sign in one) for one in page.lines
    ]
    return replace(page, lines=tuple(moved))


def _spaced(page: MadeUpPage, label: str) -> MadeUpPage:
    return _revalued(page, label, " ".join(page.owner))


def _over_two_lines(page: MadeUpPage, label: str) -> MadeUpPage:
    half = len(page.owner) // 2
    return _revalued(page, label, f"\n{page.owner[:half]}\n{page.owner[half:]}")


def _other_separators(page: MadeUpPage, label: str) -> MadeUpPage:
    other = page.owner.replace("-", "/").replace(".", "/")
    return _relabeled(_revalued(page, label, other), label, "Service agreement")


def _lost(page: MadeUpPage, label: str) -> None:
    return None


def _only_name(page: MadeUpPage, label: str) -> MadeUpPage:
    """Leave what a page says of its customer, without amount, date and account."""
    kept = [line for line in page.lines if label not in line and "Due" not in line]
    return replace(page, lines=tuple(kept))


FAULTS: dict[str, Fault] = {
    "label in other letters": _capitals,
    "another label": _other_label,
    "a label without a value": _no_value,
    "the block is gone": _block_gone,
    "garbled text": _garbled,
    "digits set apart": _spaced,
    "account over two lines": _over_two_lines,
    "other separators": _other_separators,
    "the first page is lost": _lost,
    "neither account nor amount": _only_name,
}


def with_faults(
    bills: Sequence[MadeUpBillPages], faults: Sequence[Fault], label: str, every: int
) -> tuple[list[MadeUpPage], frozenset[str]]:
    """
    Return all pages, with these faults in turn in the first page of each so-many-th bill.

    Returned, too, is whose these are. The very first bill is spared: nothing is before it that its
    pages could be joined to.
    """
    pages: list[MadeUpPage] = []
    faulty: list[str] = []
    for place, printed in enumerate(bills):
        bill = [replace(page, bill=printed[0].owner) for page in printed]
        if place % every != every - 1:
            pages += bill
            continue
        first = faults[len(faulty) % len(faults)](bill[0], label)
        faulty.append(bill[0].owner)
        pages += [*([first] if first is not None else ()), *bill[1:]]
    return pages, frozenset(faulty)
