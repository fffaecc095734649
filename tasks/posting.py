"""Steps: post what was taken; tell the office when cash receipting falls silent."""

from __future__ import annotations

from typing import Any

from prefect import State, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed

from database.runs import get_run
from office.equipment.office import current_office
from office.procedures.posting import post_what_is_due, require_fresh_balances, tell_office


@task(name="post payments", retries=0, cache_policy=NO_CACHE, persist_result=False)
def post_payments(now: bool = False) -> dict[str, Any]:
    """
    Enter in cash receipting what was taken and is due; nobody is charged (rules 85, 87).

    `now`: what rests is due at once, and a service that is down is probed. Gives the counts, what
    is still unposted and a sentence.
    """
    office = current_office()
    figures = post_what_is_due(office, forced=now)
    get_run_logger().info("post payments: %s", figures["sentence"])
    return figures


@task(name="tell of cash receipting", retries=0, cache_policy=NO_CACHE, persist_result=False)
def tell_of_cash_receipting() -> int:
    """
    Record the mails that say that cash receipting is down, or back (rules 186-188).

    Once an outage and address; returns how many are new.
    """
    return tell_office(current_office())


@task(
    name="guard postings",
    task_run_name="guard postings {period}",
    retries=0,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def guard_postings(period: str, despite: str | None = None) -> State[Any]:
    """
    Refuse to close while payments were taken and are not posted (Refused, `postings-stuck`).

    The billing system does not know of them, so its bills would ask for them again. `despite` is
    a person's reason to go on, which is audited. A period that is closed stays so.
    """
    office = current_office()
    known = get_run(office.database, period)
    if not known.is_closed:
        require_fresh_balances(office, office.clock.due(known.timezone), "close", period, despite)
    return Completed(message="closed before" if known.is_closed else _say_fresh(despite))


def _say_fresh(despite: str | None) -> str:
    return f"goes on despite stuck postings: {despite}" if despite else "no posting is stuck"


@task(name="guard draws", retries=0, cache_policy=NO_CACHE, persist_result=False)
def guard_draws(despite: str | None = None) -> None:
    """
    Refuse to draw while payments were taken and are not posted (Refused, `postings-stuck`).

    Who paid at the office meanwhile is not known here, and might be drawn from for it again.
    """
    office = current_office()
    require_fresh_balances(office, office.due_now(), "collect", "autopay", despite)
