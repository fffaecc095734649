"""On what terms the office collects: its settings, and who acts."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from domain.money import ZERO, Money
from rules.money.autopay import AutopayPolicy
from rules.money.retrying import RetryPolicy
from rules.money.returns import FEE_CODES, AgainPolicy

Clock = Callable[[], datetime]  # the moment in UTC


@dataclass(frozen=True, slots=True)
class CollectionTerms:
    """
    What does not change while payments are collected.

    `closed` are the days on which no bank works. `threads` is how many requests the gateway has
    at a time, `batch` how many payments are recorded in one transaction.
    """

    closed: Container[date] = ()
    autopay: AutopayPolicy = field(default_factory=AutopayPolicy)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    again: AgainPolicy = field(default_factory=AgainPolicy)
    left_out: frozenset[str] = frozenset()  # periods whose balances are too old to draw by
    feed_max_age: timedelta | None = None  # looked at anew for each period; None: no feed
    return_fee: Money = ZERO  # what a returned payment costs the customer, once a bill
    return_fee_codes: tuple[str, ...] = FEE_CODES
    who: str = "billclose"
    batch: int = 200
    threads: int = 4
