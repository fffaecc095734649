"""Splitting cut into batches: what each machine needs to know to make its bills."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from domain.bills import BillRange, PageAssignment, Tagging
from domain.problems import Problem
from splitter.bulk_file.filing import FiledBill, Order, filed_as, make_orders
from splitter.bulk_file.splitting import Filed
from splitter.copying.labels import CopyLabels
from splitter.copying.verifying import VerificationPolicy
from splitter.runs.labels import USUAL_LABELS, LabelTerms
from splitter.runs.records import StagedFile
from splitter.workers.messages import bill_from_message, bill_to_message, bulk_to_message

PLAN_SIGNS = 16  # of the plan's hash, in the names of its bills


@dataclass(frozen=True, slots=True)
class BatchTerms:
    """How all batches of a run are made, whoever makes them."""

    release: str  # of this software: another one may make other bytes
    verification_policy: VerificationPolicy
    ocr: bool
    batch_bills: int
    labels: LabelTerms = USUAL_LABELS


@dataclass(frozen=True, slots=True)
class Batch:
    """Some bills of a run that one process makes; its fields are columns of `split_batch`."""

    period: str
    number: int
    bulk: int
    plan: str
    release: str
    bills: int
    pages: int
    orders: str  # JSON, as `read_work` reads it


@dataclass(frozen=True, slots=True)
class Work:
    """A batch as whoever makes it reads it."""

    orders: list[Order]
    by_ocr: tuple[int, ...]
    verification_policy: VerificationPolicy
    ocr: bool
    labels: CopyLabels


def plan_of(
    period: str, files: Sequence[StagedFile], found: Sequence[PageAssignment], terms: BatchTerms
) -> str:
    """
    Return a hash of all that decides what the batches make.

    It stands in the name of each bill: a machine that wakes up over an earlier plan never
    overwrites what belongs to this one, and the same name always means the same bytes.
    """
    told = [
        period,
        terms.release,
        [
            terms.verification_policy.read_back_every,
            terms.verification_policy.audit_every,
            terms.ocr,
            terms.batch_bills,
            terms.labels.language,
            terms.labels.keeps_tags,
        ],
        [[file.bulk, str(file.path.parent.name), bulk_to_message(file.patterns)] for file in files],
        [[bill_to_message(bill) for bill in assignment.bills] for assignment in found],
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def cut_into_batches(
    period: str,
    plan: str,
    files: Sequence[StagedFile],
    found: Sequence[PageAssignment],
    prefixes: Sequence[str],
    terms: BatchTerms,
    labels: Sequence[CopyLabels],
) -> list[Batch]:
    """Return the batches of all bulk files, in the order of their pages."""
    batches: list[Batch] = []
    for file, assignment, prefix, title in zip(files, found, prefixes, labels, strict=True):
        by_ocr = frozenset(assignment.by_ocr)
        for orders in _chunks(make_orders(assignment, prefix), terms.batch_bills):
            pages = [page for order in orders for page in order.bill.pages]
            work = {
                "orders": [
                    [order.index, order.ordinal, order.path, bill_to_message(order.bill)]
                    for order in orders
                ],
                "by_ocr": sorted(by_ocr.intersection(pages)),
                "read_back_every": terms.verification_policy.read_back_every,
                "audit_every": terms.verification_policy.audit_every,
                "ocr": terms.ocr,
                "labels": [title.title, title.language, title.keeps_tags],
            }
            text = json.dumps(work, separators=(",", ":"))
            batches.append(
                Batch(
                    period,
                    len(batches) + 1,
                    file.bulk,
                    plan,
                    terms.release,
                    len(orders),
                    len(pages),
                    text,
                )
            )
    return batches


def read_work(text: str) -> Work:
    told = json.loads(text)
    return Work(
        [
            Order(index, ordinal, path, bill_from_message(bill))
            for index, ordinal, path, bill in told["orders"]
        ],
        tuple(told["by_ocr"]),
        VerificationPolicy(told["read_back_every"], told["audit_every"]),
        told["ocr"],
        CopyLabels(*told["labels"]),
    )


def bills_in(texts: Sequence[str]) -> list[BillRange]:
    """Return the bills of several batches: those of a whole file are each other's neighbours."""
    return [order.bill for text in texts for order in read_work(text).orders]


def outcome_to_text(filed: Filed) -> str:
    """Write down what became of each order of a batch, in their order."""
    outcomes: list[list[Any]] = [
        [outcome.message]
        if isinstance(outcome, Problem)
        else [outcome.sha256, outcome.bytes, outcome.tagging.value]
        for outcome in filed.outcomes
    ]
    told = {"outcomes": outcomes, "read_back": filed.read_back, "audited": filed.audited}
    return json.dumps(told, separators=(",", ":"))


def outcome_from_text(orders: str, outcome: str, file: StagedFile) -> Filed:
    told = json.loads(outcome)
    outcomes: list[FiledBill | Problem] = [
        _outcome(order, answer, file)
        for order, answer in zip(read_work(orders).orders, told["outcomes"], strict=True)
    ]
    return Filed(tuple(outcomes), told["read_back"], told["audited"])


def _outcome(order: Order, answer: list[Any], file: StagedFile) -> FiledBill | Problem:
    if len(answer) == 1:
        message = answer[0]
        return Problem("bill-copy", message, account=order.bill.account, file=file.patterns.file)
    sha256, size, tagging = answer
    return filed_as(order, file.patterns.form, sha256, size, Tagging(tagging))


def _chunks(orders: list[Order], most: int) -> Iterator[list[Order]]:
    waiting = iter(orders)
    while chunk := list(islice(waiting, most)):
        yield chunk
