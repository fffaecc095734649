"""The checks of a period that is staged, without closing it."""

from __future__ import annotations

from prefect import flow

from tasks.checking import check_bills_and_balances
from tasks.splitting import read_bulk_bills
from tasks.steps.sentences import in_sentences
from tasks.steps.working import working_on


@flow(name="check-period", flow_run_name="check {period}", persist_result=False)
@in_sentences
def check_period(period: str, waivers: dict[str, str] | None = None) -> None:
    """Read the bills and run the data checks on what is staged."""
    with working_on(period):
        read_bulk_bills(period)
        check_bills_and_balances(period, waivers)
