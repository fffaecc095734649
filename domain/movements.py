"""Movements on accounts: what was billed, paid, adjusted or added as a penalty."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from domain.money import Money


class MovementKind(StrEnum):
    BILLING = "billing"
    PAYMENT = "payment"
    ADJUSTMENT = "adjustment"
    PENALTY = "penalty"


class Movements(NamedTuple):
    """
    Some lines of the accounts' histories (rule 44), column by column; payments are negative.

    A city has a hundred thousand of them: an object of each takes longer than writing them down.
    """

    account: Sequence[str]
    posted_on: Sequence[date]
    service: Sequence[str]
    description: Sequence[str]
    kind: Sequence[MovementKind]
    amount: Sequence[Money]
    usage: Sequence[float | None]  # in the meter's unit; not money
    reference: Sequence[str]  # of a payment: its receipt or confirmation number
    unit: Sequence[str]  # of the usage
    days: Sequence[int | None]  # that the line bills; None: the period
    meter: Sequence[str]  # its number
    read_type: Sequence[str]  # actual, estimated, or not told
    previous_read: Sequence[float | None]  # what the meter showed; not money
    current_read: Sequence[float | None]
    rate_code: Sequence[str]
