"""The health watch: every few minutes, told once when a trouble begins and once when it is over."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed

from tasks.posting import tell_of_cash_receipting
from tasks.steps.sentences import in_sentences
from tasks.watching import look_after_health, post_alerts, remove_expired_exports, send_alerts


@flow(name="health-watch", flow_run_name="health watch", persist_result=False)
@in_sentences
def health_watch() -> State[Any]:
    """Look at everything that may need a person; a trouble is no failure of the watch."""
    found = look_after_health()
    found["mails"] += tell_of_cash_receipting()
    found["exports_removed"] = remove_expired_exports()
    found["posted"] = post_alerts()
    found["sent"] = send_alerts()
    return Completed(message=found["sentence"], data=found)
