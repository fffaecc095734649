"""Steps: write a usage export and queue its mail, send the mails of exports."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from domain.deliveries import MessageKind
from domain.words import say_count
from mail.outbox.sending import say_tried
from office.equipment.office import current_office
from office.procedures.mailing.due_mail import send_what_is_due
from office.procedures.usage_export import export_usage


@task(name="write usage export", retries=0, cache_policy=NO_CACHE, persist_result=False)
def write_usage_export(account: str, to: str) -> dict[str, Any]:
    """Write the newest usage records of an account and record the mail with the link (183)."""
    office = current_office()
    made = export_usage(office, account, to)
    return {
        "sentence": f"{say_count(made.records, 'usage record')} of account {made.account}",
        "account": made.account,
        "records": made.records,
        "expires_at": made.expires_at.isoformat(timespec="seconds"),
    }


@task(name="send usage exports", retries=0, cache_policy=NO_CACHE, persist_result=False)
def send_usage_exports() -> dict[str, Any]:
    """Send the mails of exports that are due; those that do not leave now wait."""
    office = current_office()
    kinds = (MessageKind.USAGE_EXPORT,)
    tried = send_what_is_due(office, office.due_now, lambda _counts: None, kinds=kinds)
    return {"sent": tried.sent, "mail": say_tried(tried), "stopped_by": tried.stopped_by}
