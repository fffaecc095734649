"""The words by which settings, books and lists know what the rules tell apart."""

from __future__ import annotations

import pytest

from rules.feed import NotCounted
from rules.mail.closed_days import MailOnClosedDay
from rules.mail.communications import LeftOut
from rules.mail.reminders import StepStanding
from rules.money.autopay import OnClosedDay, OverMaximum
from rules.money.checkout import FeeKind, NumberKind
from rules.money.returns import ReturnKind
from rules.portal_access import NameMatching


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (FeeKind, "bill other"),
        (LeftOut, "suppressed unsubscribed no-account"),
        (MailOnClosedDay, "same next previous"),
        (NameMatching, "folded exact"),
        (NotCounted, "receipt-voided booked-otherwise"),
        (NumberKind, "none customer permit"),
        (OnClosedDay, "previous next same"),
        (OverMaximum, "skip cap"),
        (ReturnKind, "unauthorized administrative all"),
        (StepStanding, "not-yet owed too-late"),
    ],
)
def test_what_is_written_down_keeps_its_words(kinds, words):
    assert words.split() == list(kinds)
