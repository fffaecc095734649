"""The test tokens that the sandbox's page offers, and what each of them does."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.payments import MethodKind

CARD, ACH = MethodKind.CARD, MethodKind.ACH
# Each customer who takes one down gets a token of their own: the wallet's are nobody else's.
_OWN = re.compile(r"(?P<behaves_as>tok_\w+)\.[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class TestMethod:
    """One test token: what it looks like in a wallet, and what drawing from it does."""

    token: str
    kind: MethodKind
    last4: str
    brand: str  # empty for a bank account, which has the name of no bank
    does: str
    account: str = "Checking account"  # of a bank: checking or savings (rule 68)

    @property
    def title(self) -> str:
        return f"{self.brand or self.account} ending {self.last4}"


TEST_METHODS = (
    TestMethod("tok_ok", CARD, "4242", "Visa", "Every payment is approved."),
    TestMethod("tok_ach_ok", ACH, "6789", "", "Every payment is approved."),
    TestMethod(
        "tok_ach_savings_ok", ACH, "4321", "", "Every payment is approved.", "Savings account"
    ),
    TestMethod(
        "tok_insufficient_funds", CARD, "9995", "Visa", "Declined: there is no money today."
    ),
    TestMethod("tok_ok_after_2", CARD, "0341", "Visa", "Declined twice, then approved."),
    TestMethod("tok_do_not_honor", CARD, "0002", "Visa", "Declined: the bank gives no reason."),
    TestMethod(
        "tok_authentication_required", CARD, "3184", "Visa", "Declined: the customer must confirm."
    ),
    TestMethod(
        "tok_bank_asks",
        CARD,
        "3220",
        "Visa",
        "The bank asks you on a page of its own first. Drawn without you: declined.",
    ),
    TestMethod("tok_expired_card", CARD, "0069", "Visa", "Declined: the card has expired."),
    TestMethod("tok_lost_card", CARD, "9987", "Visa", "Declined for good: the card was lost."),
    TestMethod(
        "tok_lost_response", CARD, "1117", "Visa", "Approved, and the answer is lost on its way."
    ),
    TestMethod(
        "tok_arrives_late_30s", CARD, "1125", "Visa", "Approved 30 seconds after we gave up."
    ),
    TestMethod("tok_never_arrives", CARD, "1133", "Visa", "The request is lost on its way."),
    TestMethod(
        "tok_500_replayed", CARD, "1141", "Visa", "Approved, and every answer is a server error."
    ),
    TestMethod("tok_chargeback", CARD, "0259", "Visa", "Approved, and disputed two days later."),
    TestMethod("tok_ach_R01", ACH, "1116", "", "Approved, and returned for want of money."),
    TestMethod("tok_ach_R10", ACH, "3335", "", "Approved, and returned: not authorized."),
    TestMethod("tok_ach_noc_C01", ACH, "2227", "", "Approved; the bank corrects the account."),
)
BY_TOKEN = {method.token: method for method in TEST_METHODS}


def behaving(token: str) -> str:
    """Return the test token as which a wallet's own token behaves."""
    own = _OWN.fullmatch(token)
    return own["behaves_as"] if own else token
