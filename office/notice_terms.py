"""Of what this office tells its customers by itself: its settings as mail takes them."""

from __future__ import annotations

from datetime import datetime

from mail.announcing import Notifying
from office.wiring import Office


def notifying_of(here: Office, now: datetime, *, records: bool = True) -> Notifying:
    """Return on what terms an office sends notices at a moment; a look records nothing."""
    chosen = here.settings.notices
    return Notifying(
        now,
        here.who,
        here.message_domain,
        to_landlords=here.settings.ebill.landlords,
        receipts=chosen.receipts,
        autopay_scheduled=chosen.autopay_scheduled,
        records=records,
    )
