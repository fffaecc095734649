"""Step: the close itself."""

from __future__ import annotations

from dataclasses import asdict

from billing_system.closing import publish
from database.runs import get_run
from domain.steps import Step
from office.wiring import office
from tasks.step import Done, step


@step(Step.PUBLISH, once=True)
def publish_bills(run: str) -> Done:
    """Make the bills visible and move the balances, in one transaction (rules 2-4)."""
    here = office()
    known = get_run(here.database, run)
    published = publish(here.database, run, now=here.now(known), who=here.who)
    sentence = f"{published.accounts:,} balances moved, {published.amount.dollars()}"
    return Done(sentence, asdict(published) | {"amount": str(published.amount)})
