"""On what terms this office works: its settings as rules, checks and payments take them."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from domain.money import Money

if TYPE_CHECKING:  # loaded by the first command that needs it
    from data_checks.parameters import Thresholds
    from mail.communications.queueing import SendSchedule
    from mail.notices.payments import Notifying
    from mail.reminders.due_dates import Reminding
    from office.settings.settings import Settings
    from payments.bank.keeping import BankTerms
    from payments.terms import CollectionTerms
    from rules.calendars import ClosedDays
    from rules.mail.reminders import Exemption, ReminderPlan
    from rules.money.autopay import AutopayPolicy
    from rules.money.checkout import CheckoutPolicy
    from splitter.copying.verifying import VerificationPolicy
    from splitter.printing.terms import PrintTerms
    from splitter.runs.labels import LabelTerms


class Choices:
    """What an office has chosen, in the words of whoever goes by it."""

    settings: Settings
    who: str

    @property
    def message_domain(self) -> str:
        """The domain in the office's Message-IDs: that of its sender."""
        return self.settings.smtp.sender.rpartition("@")[2]

    @property
    def thresholds(self) -> Thresholds:
        from data_checks.parameters import Thresholds

        chosen = self.settings.checks
        return Thresholds(
            usage_factor=chosen.usage_factor,
            amount_factor=chosen.amount_factor,
            large_bill=Money.parse(chosen.large_bill),
            adjustment_limit=Money.parse(chosen.adjustment_limit),
            notice_days=chosen.notice_days,
            vanished_share=chosen.vanished_share,
            vanished_blocking_share=chosen.vanished_blocking_share,
        )

    @property
    def bank_terms(self) -> BankTerms:
        """How the bank's files are read, and what of them is near a payout."""
        from payments.bank.keeping import BankTerms
        from payments.bank.table import CsvLayout
        from rules.money.bank_matching import Nearness

        chosen = self.settings.bank
        layout = CsvLayout(
            date=chosen.csv_date,
            days=chosen.csv_days,
            amount=chosen.csv_amount,
            credit=chosen.csv_credit,
            debit=chosen.csv_debit,
            text=chosen.csv_text,
            reference=chosen.csv_reference,
        )
        nearness = Nearness(chosen.days, Money.parse(chosen.near_amount))
        return BankTerms(chosen.texts, layout, nearness)

    @property
    def verification_policy(self) -> VerificationPolicy:
        from splitter.copying.verifying import VerificationPolicy

        chosen = self.settings.splitter
        return VerificationPolicy(chosen.read_back_every, chosen.audit_every)

    @property
    def label_terms(self) -> LabelTerms:
        """What bills say of themselves to whoever has them read aloud (ruling 23)."""
        from splitter.runs.labels import LabelTerms

        chosen = self.settings
        return LabelTerms(chosen.utility.language, chosen.documents.tags == "keep")

    @property
    def print_terms(self) -> PrintTerms:
        """How paper bills are printed and put into envelopes."""
        from splitter.printing.terms import EnvelopeSharing, PrintTerms

        chosen = self.settings.paper
        return PrintTerms(
            duplex=chosen.duplex,
            sheet_ounces=Decimal(chosen.sheet_ounces),
            envelope_ounces=Decimal(chosen.envelope_ounces),
            flats_beyond=chosen.flats_beyond,
            household=EnvelopeSharing(chosen.household),
            mark_at=(chosen.mark_at[0], chosen.mark_at[1]) if chosen.mark_at else None,
            proof=chosen.proof,
            stocks=chosen.stocks,
        )

    @cached_property
    def office_days(self) -> ClosedDays:
        from rules.calendars import office_closed_days

        chosen = self.settings.utility
        if isinstance(chosen.holidays, str):
            return office_closed_days(chosen.holidays, chosen.closed_days)
        return office_closed_days("none", (*chosen.holidays, *chosen.closed_days))

    @cached_property
    def bank_days(self) -> ClosedDays:
        from rules.calendars import bank_closed_days

        return bank_closed_days()

    @property
    def autopay_policy(self) -> AutopayPolicy:
        from rules.money.autopay import AutopayPolicy

        chosen = self.settings.autopay
        return AutopayPolicy(chosen.on_closed_day, chosen.over_maximum)

    @property
    def send_schedule(self) -> SendSchedule:
        """When each mail of a communication may leave."""
        from mail.communications.queueing import SendSchedule

        return SendSchedule(self.settings.communications.messages_per_minute)

    def notices_terms(self, now: datetime, *, records: bool = True) -> Notifying:
        """Return on what terms notices are sent at a moment; a look records nothing."""
        from mail.notices.payments import Notifying

        chosen = self.settings.notices
        return Notifying(
            now,
            self.who,
            self.message_domain,
            to_landlords=self.settings.ebill.landlords,
            receipts=chosen.receipts,
            autopay_scheduled=chosen.autopay_scheduled,
            method_expiring_days=chosen.method_expiring_days,
            records=records,
        )

    @property
    def reminders_plan(self) -> ReminderPlan:
        """Which reminders are owed on which days."""
        from rules.mail.reminders import LadderStep, plan_reminders

        chosen = self.settings.reminders
        return plan_reminders(
            days_before_due=chosen.days_before_due,
            days_after_due=chosen.days_after_due,
            at=time.fromisoformat(chosen.time),
            cut_off_days=chosen.cut_off_days,
            spare_autopay=chosen.spare_autopay,
            closed=self.office_days,
            moves=self.settings.utility.mail_on_closed_day,
            ladder=[
                LadderStep(one.name, one.days_after_due, Money.parse(one.smallest_balance))
                for one in chosen.ladder
            ],
        )

    def reminders_terms(self, now: datetime, *, records: bool = True) -> Reminding:
        """Return on what terms reminders are sent at a moment; a look records nothing."""
        from mail.reminders.due_dates import Reminding

        return Reminding(
            self.reminders_plan,
            now,
            self.who,
            self.message_domain,
            records,
            exemption=self.reminders_shield,
        )

    @property
    def reminders_shield(self) -> Exemption | None:
        """What the office holds to be its own fault; None where that keeps nobody back."""
        from rules.mail.reminders import Exemption

        chosen = self.settings.reminders
        return Exemption(chosen.shield_days, self.office_days) if chosen.shield else None

    @property
    def autopay_terms(self) -> CollectionTerms:
        """On what terms payments are drawn, tried again and taken back."""
        from payments.terms import CollectionTerms
        from rules.money.retrying import RetryPolicy
        from rules.money.returns import AgainPolicy

        chosen = self.settings.autopay
        return CollectionTerms(
            closed=self.bank_days,
            autopay=self.autopay_policy,
            retry=RetryPolicy(
                attempts=chosen.attempts, days_after_due=chosen.last_retry_days_after_due
            ),
            again=AgainPolicy(chosen.return_attempts, chosen.return_wait_banking_days),
            return_fee=Money.parse(chosen.return_fee),
            return_fee_codes=chosen.return_fee_codes,
            who=self.who,
        )

    @property
    def checkout_terms(self) -> CheckoutPolicy:
        """What customers may pay by hand, and what that costs them."""
        from rules.money.checkout import CheckoutPolicy

        chosen = self.settings.checkout
        others = self.settings.other_payments.offered
        return CheckoutPolicy(
            chosen.fee_tables(),
            pays_ahead=chosen.pay_ahead,
            has_cart=chosen.cart,
            offered={one.code: one.for_guests and chosen.guests for one in others},
            prices={one.code: one.amount for one in others if one.amount},
            most=Money.parse(chosen.most),
        )
