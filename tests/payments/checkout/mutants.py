"""Mistakes of a checkout, each put into the product's own source on purpose."""

from __future__ import annotations

import inspect
import itertools
from dataclasses import dataclass
from types import ModuleType

import pytest

from payments.checkout import confirming
from payments.collecting import claiming, collecting, recording, unanswered
from rules.money import checkout as rules


@dataclass(frozen=True)
class Mutant:
    """A mistake, and what it does to somebody's money: a line of a function is another one."""

    name: str
    does: str
    changes: tuple[tuple[ModuleType, str, str, str], ...]

    def apply(self, patch: pytest.MonkeyPatch) -> None:
        for module, name, before, after in self.changes:
            function = getattr(module, name)
            source = inspect.getsource(function)
            assert 1 == source.count(before), f"{name} has changed: look at this mutant again"
            space = function.__globals__ | {"_count": itertools.count()}
            exec(compile(source.replace(before, after), f"<{self.name}>", "exec"), space)
            patch.setattr(module, name, space[name])


MUTANTS = (
    Mutant(
        "draws at every press",
        "drawn for no checkout",
        (
            (confirming, "_still_open", ", rows.state == CheckoutState.DRAFT, ", ", "),
            (
                confirming,
                "_submit",
                'f"checkout/{one.key}"',
                'f"checkout/{one.key}-{next(_count)}"',
            ),
        ),
    ),
    Mutant(
        "keeps the fee of before",
        "another fee than the office's",
        ((confirming, "_submit", "!= one.service_fee", "is None"),),
    ),
    Mutant(
        "takes what was owed when the page was made",
        "more than could be paid",
        ((confirming, "_submit", "if refusal is not None or place is None:", "if place is None:"),),
    ),
    Mutant(
        "forgets what is on its way",
        "more than could be paid",
        ((rules, "payable_now", "facts.owed - facts.on_its_way", "facts.owed"),),
    ),
    Mutant(
        "takes any way of paying",
        "a blocked way was taken",
        ((rules, "_refuse_method", "if one.is_blocked(method.kind)", "if False"),),
    ),
    Mutant(
        "takes what has expired",
        "taken after it had expired",
        ((confirming, "_still_open", ", rows.expires_at > now)", ")"),),
    ),
    Mutant(
        "lets a guest's card pay again",
        "a guest's method paid twice",
        ((confirming, "read_wallet", ", ~is_used)", ")"),),
    ),
    Mutant(
        "lets anybody press",
        "somebody else's press did something",
        (
            (
                confirming,
                "read_checkout",
                "if owner.user is not None:\n        row = books.execute(_OF_USER, {",
                "if True:\n        row = books.execute(_OF_KEY, {",
            ),
        ),
    ),
    Mutant(
        "books no fee",
        "kept and posted differ",
        ((recording, "_taken", "if one.service_fee > ZERO:", "if False:"),),
    ),
    Mutant(
        "leaves what died",
        "never ended",
        ((claiming, "_is_dead", "PaymentKind.CHECKOUT)", "PaymentKind.AUTOPAY)"),),
    ),
    Mutant(
        "awaits the customer for ever",
        "never ended",
        ((unanswered, "_request", "is_awaited(one.asked_at, now)", "True"),),
    ),
    Mutant(
        "takes a bank's question for its yes",
        "the gateway and the books differ",
        tuple(
            (module, "record_result", "if result.answer is DrawAnswer.AWAITS:", "if False:")
            for module in (collecting, unanswered)
        ),
    ),
)
