"""The usage export: an account's newest records as Excel, fetched by a link that expires."""

from __future__ import annotations

from typing import Any

from prefect import State, flow
from prefect.states import Completed

from tasks.exporting import send_usage_exports, write_usage_export
from tasks.steps.sentences import in_sentences


@flow(name="export-usage", flow_run_name="export usage {account}", persist_result=False)
@in_sentences
def export_usage(account: str, to: str) -> State[Any]:
    """Write the file, record the mail, send it."""
    made = write_usage_export(account, to)
    sent = send_usage_exports()
    return Completed(message=made["sentence"], data=made | sent)
