"""Whatever the books can hold has its words: `why` never meets a kind that it cannot say."""

from __future__ import annotations

import pytest

from domain.deliveries import MessageKind, PaperReason, RecipientSource
from domain.feeds import ChoiceState
from domain.ledger import MONEY_KINDS, ContainedBy, EntryKind, EntrySource
from domain.payments import PostingKind, Unscheduled
from domain.reminders import Skipped
from office.lookup.why import autopay, balance, delivery, payments, problems, reminders


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        pytest.param(EntrySource, balance.BY, id="who moved the balance"),
        pytest.param(ContainedBy, balance.CONTAINED, id="how an export contains it"),
        pytest.param(MessageKind, delivery.KINDS, id="what a mail is"),
        pytest.param(PaperReason, delivery.PAPER, id="why on paper"),
        pytest.param(RecipientSource, delivery.SOURCES, id="why this mailbox"),
        pytest.param(Unscheduled, autopay.UNSCHEDULED, id="why no payment"),
        pytest.param(PostingKind, payments.POSTED, id="what was posted"),
        pytest.param(set(MONEY_KINDS) - {EntryKind.PAYMENT}, payments.BACK, id="what came back"),
        pytest.param(ChoiceState, problems.CHOICES, id="what became of a choice"),
        pytest.param(Skipped, reminders.SKIPPED, id="why no reminder"),
    ],
)
def test_every_kind_of_the_books_has_its_words(kinds, words):
    assert [] == sorted(set(kinds) - set(words))
