"""Step: read the mails that came back."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, replace
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from database.auditing import record_audit
from domain.words import say_count
from mail.bouncing import BounceBook, BounceCounts
from mail.refusals import settle_refusals
from office.wiring import office


@task(name="read bounces", cache_policy=NO_CACHE, persist_result=False)
def read_bounces() -> dict[str, Any]:
    """
    Deal with every mail that came back: deliveries fail, mailboxes rest, bills go on paper.

    What was refused at sending and never settled, because of a kill, is settled too. Gives the
    counts and a sentence.
    """
    here = office()
    now = here.moment()
    unsubscribing = here.unsubscribing if here.settings.communications.unsubscribe_mailto else None
    book = BounceBook(here.database, here.verp, now, here.who, unsubscribing)
    with closing(here.inbox) as inbox:
        refused = settle_refusals(here.database, now=now, who=here.who)
        found = refused + book.process(inbox)
    sentence = say_bounces(found)
    if found.hard or found.soft or found.unknown:
        with here.database.writing() as books:
            record_audit(books, now, here.who, "process bounces", "mail", sentence)
    get_run_logger().info("read bounces: %s", sentence)
    return {"sentence": sentence, "counts": asdict(found)}


def say_bounces(counts: BounceCounts) -> str:
    """Say what came back, for people; account numbers and addresses are not in it."""
    words = {
        "for good": counts.hard,
        "for now": counts.soft,
        "only late": counts.delayed,
        "for a person to judge": counts.unknown,
    }
    came = sum(words.values())
    if counts.unsubscribed:
        asked = f"{say_count(counts.unsubscribed, 'mailbox', 'mailboxes')} unsubscribed"
        return f"{asked}; {say_bounces(replace(counts, unsubscribed=0))}"
    if not came:
        return "nothing came back"
    sentence = f"{say_count(came, 'mail')} came back: "
    sentence += ", ".join(f"{number:,} {word}" for word, number in words.items() if number)
    if counts.suppressed:
        sentence += f"; {say_count(counts.suppressed, 'address', 'addresses')} suppressed"
    if counts.paper:
        sentence += f"; {say_count(counts.paper, 'bill')} put on paper"
    return sentence
