"""The close of a billing period."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed

from domain.failures import Refused
from tasks.approval import ask_a_person, await_approval, take_answer_given
from tasks.bouncing import write_print_batch
from tasks.checking import check_bills_and_balances
from tasks.importing import guard_calendar, import_billing_export
from tasks.mailing import nobody_mailed, send_paperless_bills
from tasks.posting import guard_postings
from tasks.publishing import publish_bills, report_run, schedule_autopay
from tasks.splitting import split_bulk_bills
from tasks.steps.naming import name_of_close, say_closed
from tasks.steps.sentences import in_sentences
from tasks.steps.working import working_on


@flow(name="close-period", flow_run_name=name_of_close, persist_result=False)
@in_sentences
def close_period(
    period: str,
    bundle: str | None = None,
    waivers: dict[str, str] | None = None,
    replace: bool = False,
    despite_stuck_postings: str | None = None,
    overlaps: str | None = None,
) -> State[Any]:
    """Close a billing period, in the order in which the office does it."""
    with working_on(period):
        import_billing_export(period, bundle, replace=replace, overlaps=overlaps)
        guard_calendar(period)
        guard_postings(period, despite_stuck_postings)
        take_answer_given(period)  # a run that was suspended starts again from the top
        _split_and_check(period, waivers)
        while not (approval := await_approval(period))["approved"]:
            if not ask_a_person(period):
                return Completed(name="Waiting", message=_say_waiting(period, approval))

        publish_bills(period)  # the close itself: rules 2-4
        schedule_autopay(period)
        mail = send_paperless_bills(period)
        write_print_batch(period)
        report_run(period)
    if mail["mailed_nobody"]:
        return nobody_mailed(mail, say_closed(period))
    return Completed(message=say_closed(period))


def _split_and_check(period: str, waivers: dict[str, str] | None) -> None:
    """Split and check until nothing blocks, or nobody is there to waive what does."""
    while True:
        split_bulk_bills(period)
        try:
            check_bills_and_balances(period, waivers)
        except Refused:
            if not ask_a_person(period):
                raise
        else:
            return


def _say_waiting(period: str, approval: dict[str, Any]) -> str:
    said = ", ".join(approval["approved_by"])
    if said:
        return f"{period} is approved by {said} and waits for another person's yes"
    return f"{period} waits for a person's yes: billclose approve {period}"
