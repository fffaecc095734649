"""Why an account got what it got in a period: every event, and what did not happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.accounts import account_key
from office.equipment.office import Office
from office.lookup.showing import known_key
from office.lookup.why.afterwards import why_afterwards
from office.lookup.why.arrangements import why_arrangements
from office.lookup.why.autopay import why_autopay
from office.lookup.why.balance import why_balance
from office.lookup.why.bill import why_bill
from office.lookup.why.by_hand import why_by_hand
from office.lookup.why.delivery import why_delivery
from office.lookup.why.payments import why_payments
from office.lookup.why.problems import why_problems
from office.lookup.why.reminders import why_reminders
from office.lookup.why.sentences import Sentence, has_account, newest_period_of, open_case
from office.lookup.why.texts import why_texts

PARTS = (
    why_bill,
    why_afterwards,
    why_delivery,
    why_texts,
    why_autopay,
    why_payments,
    why_by_hand,
    why_arrangements,
    why_reminders,
    why_balance,
    why_problems,
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """All sentences about an account in a period, in the order in which it happens."""

    account: str
    name: str
    period: str
    sentences: tuple[Sentence, ...]


def explain_account(office: Office, number: str, period: str | None = None) -> Explanation:
    """
    Say why an account got what it got, in its newest closed period if none is named.

    Read from the books where they keep the reason, else decided again by the same rule at this
    moment. Raises Misuse for an account or a period that the books do not know.
    """
    with office.database.reading() as books:
        key = account_key(number)
        if not has_account(books, key, period or newest_period_of(books, key) or ""):
            key = known_key(books, number)  # raises, and says what is meant
        case = open_case(office, books, key, period)
        found = tuple(sentence for part in PARTS for sentence in part(case))
    return Explanation(case.account.account, case.account.name, case.period, found)


def to_document(found: Explanation) -> dict[str, Any]:
    """Write it as programs read it."""
    return {
        "account": found.account,
        "name": found.name,
        "period": found.period,
        "sentences": [
            {
                "topic": one.topic.value,
                "text": f"{one.with_rules}.",
                "rules": list(one.rules),
                "about": one.about,
            }
            for one in found.sentences
        ],
    }
