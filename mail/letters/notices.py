"""The mails beside the bill: what each says, and the variables that its templates may use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from domain.deliveries import MessageKind
from domain.languages import ENGLISH, say_day
from domain.money import ZERO, Money
from domain.payments import MethodKind
from domain.since_bill import SinceBill
from domain.words import say_count
from mail.letters.bill import (
    AnnouncedDraw,
    autopay_line,
    in_languages,
    is_covered,
    method_of,
    remaining,
)
from mail.letters.phrases import (
    Values,
    greeted,
    made_safe,
    method_words,
    period_words,
    web_address,
)
from mail.letters.since_bill import say_since_bill
from mail.letters.spanish import in_language

NOTICES = tuple(kind for kind in MessageKind if kind is not MessageKind.BILL)
NOT_TAKEN = f"{MessageKind.RECEIPT}-not-taken"  # a payment by hand came to nothing after all
TAKEN_BACK = f"{MessageKind.RECEIPT}-taken-back"  # money of it went back, or came again
OF_EVENT = "#"  # between a payment's key and what stands for the event that a mail tells of
NOT_DRAWN = f"{MessageKind.AUTOPAY_FAILED}-not-drawn"
FOLDER = "notices"  # of the templates: a form of bills may be called `receipt` too


def kind_of(form: str) -> MessageKind | None:
    """Tell a notice's kind by its form: `past-due-2` is a past-due; None where there is none."""
    for kind in NOTICES:
        if form == kind or form.startswith(f"{kind}-"):
            return kind
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(ABC):
    """
    What all of them know; dates are local dates.

    `form` names the template: the kind, or the kind with more behind it (`past-due-2`), which
    falls back to the kind's.
    """

    kind: ClassVar[MessageKind]
    form: str
    utility: str
    period: str = ""
    account: str = ""
    customer: str = ""
    service_address: str = ""
    latest_communication: str = ""  # a web address; empty: there is none now (rule 108)
    language: str = ENGLISH  # of the reader, where its texts are ours

    @property
    def templates(self) -> tuple[str, ...]:
        return in_languages((f"{FOLDER}/{self.form}", f"{FOLDER}/{self.kind}"), self.language)

    def values(self) -> Values:
        return made_safe(
            {
                "utility": self.utility,
                "language": self.language,
                "period": self.period
                if self.kind is MessageKind.ALERT
                else period_words(self.period, self.language),
                "account_number": self.account,
                "customer_name": greeted(self.customer),
                "service_address": self.service_address,
                "LatestCommunicationLink": web_address(self.latest_communication),
            }
            | self._own_values()
        )

    def _day(self, day: date) -> str:
        return say_day(day, self.language)

    def _count(self, number: int, noun: str) -> str:
        one, more = (in_language(said, self.language) for said in (noun, f"{noun}s"))
        return say_count(number, one, more)

    @abstractmethod
    def _own_values(self) -> Values:
        """Return the variables that this kind alone has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDue(Notice):
    """A bill is due soon (rules 90-93); `draw` where autopay is going to pay it (rule 95)."""

    kind = MessageKind.PAYMENT_DUE
    open_balance: Money
    due_on: date
    since: SinceBill | None = None  # what moved after the bill was made
    draw: AnnouncedDraw | None = None

    def _own_values(self) -> Values:
        return {
            "open_balance": self.open_balance.dollars(),
            "since_bill": say_since_bill(self.since, self.language),
            "due_date": self._day(self.due_on),
            "remaining_due": remaining(self.open_balance, self.draw).dollars(),
            "autopay_line": autopay_line(self.draw, self.language),
            "is_paid_by_autopay": is_covered(self.open_balance, self.draw),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDue(Notice):
    """A bill was not paid in time; further steps are forms of their own, `past-due-2`."""

    kind = MessageKind.PAST_DUE
    open_balance: Money
    due_on: date
    days_overdue: int
    since: SinceBill | None = None  # what moved after the bill was made

    def _own_values(self) -> Values:
        return {
            "open_balance": self.open_balance.dollars(),
            "since_bill": say_since_bill(self.since, self.language),
            "due_date": self._day(self.due_on),
            "days_overdue": self._count(self.days_overdue, "day"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AutopayFailed(Notice):
    """A payment could not be drawn, or was taken back; why is the payer's business alone."""

    kind = MessageKind.AUTOPAY_FAILED
    amount: Money
    failed_on: date
    open_balance: Money
    due_on: date
    retry_on: date | None = None  # when it is drawn once more; None: it is not
    method: MethodKind | None = None
    last4: str = ""
    brand: str = ""
    reason: str = ""
    remedy: str = ""

    def _own_values(self) -> Values:
        return {
            "payment_amount": self.amount.dollars(),
            "payment_date": self._day(self.failed_on),
            "retry_date": self._day(self.retry_on) if self.retry_on else "",
            "payment_method": method_words(self.method, self.last4, self.brand, self.language),
            "failure_reason": self.reason,
            "what_to_do": self.remedy,
            "open_balance": max(self.open_balance, ZERO).dollars(),
            "due_date": self._day(self.due_on),
            "is_payment_due": self.open_balance > ZERO,
        }


class AutopayNotDrawn(AutopayFailed):
    """Autopay left a bill out: nothing was tried, and the customer pays it another way."""

    @property
    def templates(self) -> tuple[str, ...]:
        """Have words of their own for each reason, then those for all of them."""
        own = f"{FOLDER}/{self.form}"
        return in_languages((own, f"{FOLDER}/{NOT_DRAWN}", f"{FOLDER}/{self.kind}"), self.language)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReceipt(Notice):
    """A payment was taken, for whatever it was (rules 100, 196)."""

    kind = MessageKind.RECEIPT
    amount: Money
    paid_on: date
    confirmation: str
    open_balance: Money
    receipt_number: str = ""  # cash receipting's; empty until it is posted
    method: MethodKind | None = None
    last4: str = ""
    brand: str = ""
    service_fee: Money = ZERO  # within the amount (rule 194)
    lines: tuple[str, ...] = ()  # what it pays, where that is not the one account above
    what_happened: str = ""  # after it was taken: a sentence

    def _own_values(self) -> Values:
        return {
            "payment_amount": self.amount.dollars(),
            "service_fee": self.service_fee.dollars() if self.service_fee else "",
            "payment_date": self._day(self.paid_on),
            "payment_method": method_words(self.method, self.last4, self.brand, self.language),
            "confirmation": self.confirmation,
            "receipt_number": self.receipt_number,
            "lines": self.lines,
            "what_happened": self.what_happened,
            "open_balance": max(self.open_balance, ZERO).dollars(),
            "is_payment_due": self.open_balance > ZERO,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AutopayScheduled(Notice):
    """A payment will be drawn: told before it is, so that the customer can object."""

    kind = MessageKind.AUTOPAY_SCHEDULED
    draw: AnnouncedDraw
    amount_due: Money
    due_on: date

    def _own_values(self) -> Values:
        return {
            "payment_amount": self.draw.amount.dollars(),
            "payment_date": self._day(self.draw.pay_on),
            "payment_method": method_of(self.draw, self.language),
            "autopay_line": autopay_line(self.draw, self.language),
            "amount_due": self.amount_due.dollars(),
            "remaining_due": remaining(self.amount_due, self.draw).dollars(),
            "due_date": self._day(self.due_on),
            "is_paid_by_autopay": is_covered(self.amount_due, self.draw),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodExpiring(Notice):
    """A card that autopay draws from will soon be no good; only its owner is told."""

    kind = MessageKind.METHOD_EXPIRING
    method: MethodKind
    last4: str
    brand: str = ""
    expires_on: date  # the last day on which it is good
    draw: AnnouncedDraw | None = None  # the next payment, where one is scheduled
    lines: tuple[str, ...] = ()  # the numbers of what it pays, where that is more than one account
    link: str = ""  # to the page where another one is given

    def _own_values(self) -> Values:
        return {
            "payment_method": method_words(self.method, self.last4, self.brand, self.language),
            "expires": self._day(self.expires_on),
            "lines": self.lines,
            "link": web_address(self.link),
            "payment_amount": self.draw.amount.dollars() if self.draw else "",
            "payment_date": self._day(self.draw.pay_on) if self.draw else "",
        }
