"""Six ways to get money wrong, each put into the product on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from cash_receipting.posting import PostingBatch
from domain.failures import OutcomeUnknown
from domain.payments import Advice, DrawState
from payments.collecting import collecting
from payments.collecting import unanswered as looking_up
from payments.collecting.collecting import GatewaySession
from payments.collecting.draws import Draw
from payments.collecting.recording import record_never_asked, record_result
from payments.port import DrawAnswer, DrawResult
from rules.money.retrying import may_ask_again


@dataclass(frozen=True)
class Mutant:
    """A mistake, and what it does to somebody's money."""

    name: str
    does: str
    apply: Callable[[pytest.MonkeyPatch], None]


def ask_again_under_a_fresh_key(patch: pytest.MonkeyPatch) -> None:
    def find_out(line: GatewaySession, one: Draw, *_rest: Any) -> DrawResult:
        result = line.gateway.lookup(one.request, one.reference)
        if result.answer is not DrawAnswer.NOT_FOUND or one.asked_at is None:
            return result
        if not may_ask_again(one.asked_at, line.now(), line.gateway.key_window):
            return result
        request = replace(one.request, key=f"{one.key}-{one.lookups}")
        return line.gateway.confirm(line.gateway.prepare(request), request)

    patch.setattr(looking_up, "_find_out", find_out)


def never_look_up(patch: pytest.MonkeyPatch) -> None:
    def find_out(line: GatewaySession, one: Draw, *_rest: Any) -> DrawResult:
        return line.gateway.confirm(one.reference or "", one.request)

    patch.setattr(looking_up, "_find_out", find_out)


def record_after_asking(patch: pytest.MonkeyPatch) -> None:
    """What was asked for is written down only together with the answer."""
    record_asked, record_answers = collecting._record_asked, collecting._record_answers
    withheld: list[tuple[Any, ...]] = []

    def withhold(database, draws, announced, now, terms, counts):
        withheld[:] = [(draws, announced, now)]
        return [
            replace(one, state=DrawState.ASKED, reference=reference, asked_at=now)
            for one, reference in zip(draws, announced, strict=True)
            if isinstance(reference, str)
        ]

    def record_both(database, _asked, answers, now, terms, counts):
        draws, announced, asked_at = withheld.pop()
        asked = record_asked(database, draws, announced, asked_at, terms, counts)
        record_answers(database, asked, answers, now, terms, counts)

    patch.setattr(collecting, "_record_asked", withhold)
    patch.setattr(collecting, "_record_answers", record_both)


def take_not_found_for_never(patch: pytest.MonkeyPatch) -> None:
    def record(books, one, result, now, terms):
        if result.answer is DrawAnswer.NOT_FOUND:
            return record_never_asked(books, one)
        return record_result(books, one, result, now, terms)

    def find_out(line: GatewaySession, one: Draw, *_rest: Any) -> DrawResult:
        return line.gateway.lookup(one.request, one.reference)

    patch.setattr(looking_up, "_find_out", find_out)
    patch.setattr(looking_up, "record_result", record)


def take_silence_for_a_decline(patch: pytest.MonkeyPatch) -> None:
    confirm = GatewaySession.confirm

    def declined(line: GatewaySession, draws: list[Draw]) -> list[Any]:
        no = DrawResult(DrawAnswer.DECLINED, code="try_again_later", advice=Advice.LATER)
        return [
            no if isinstance(answer, OutcomeUnknown) else answer for answer in confirm(line, draws)
        ]

    patch.setattr(GatewaySession, "confirm", declined)


def post_again_without_asking(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PostingBatch, "_find", lambda _batch, _one: None)


MUTANTS = (
    Mutant("asks again under a fresh key", "drawn twice", ask_again_under_a_fresh_key),
    Mutant("asks again and never looks up", "drawn twice", never_look_up),
    Mutant("writes down only after asking", "drawn twice", record_after_asking),
    Mutant("takes not found for never", "drawn twice", take_not_found_for_never),
    Mutant("takes silence for a decline", "drawn twice", take_silence_for_a_decline),
    Mutant("posts again without asking", "posted twice", post_again_without_asking),
)
