"""Steps: bring payment arrangements to where the ledger has them, send the mails they owe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from domain.words import say_count
from office.equipment.office import current_office
from office.procedures.mailing.arranging import bring_up_to_date

Figures = dict[str, Any]


@task(name="settle arrangements", retries=0, cache_policy=NO_CACHE, persist_result=False)
def settle_payment_arrangements(left_out: Sequence[str] = ()) -> Figures:
    """Mark the plans that are paid or broken, and record the mails that plans owe; each once."""
    figures = bring_up_to_date(current_office(), left_out)
    get_run_logger().info(
        "settle arrangements: %s kept, %s broken, %s new",
        len(figures["kept"]),
        len(figures["broken"]),
        say_count(figures["queued"], "mail"),
    )
    return figures
