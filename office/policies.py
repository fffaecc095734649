"""What the settings mean to rules and checks."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from domain.money import Money

if TYPE_CHECKING:  # loaded by the first command that needs it
    from data_checks.parameters import Thresholds
    from mail.communications.queueing import SendSchedule
    from office.settings.settings import Settings
    from rules.calendars import ClosedDays
    from rules.money.autopay import AutopayPolicy
    from splitter.copying.verifying import VerificationPolicy


class Choices:
    """What an office has chosen, in the words of whoever goes by it."""

    settings: Settings

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
    def verification_policy(self) -> VerificationPolicy:
        from splitter.copying.verifying import VerificationPolicy

        chosen = self.settings.splitter
        return VerificationPolicy(chosen.read_back_every, chosen.audit_every)

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
