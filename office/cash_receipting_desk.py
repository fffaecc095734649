"""Cash receipting as the settings choose it, where it is not the home's own ledger."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cash_receipting.port import CashReceipting
from domain.failures import Misuse
from office.settings_money import CashReceiptingSettings

TRAY = "cash-receipting-files.db"


def to_service(chosen: CashReceiptingSettings) -> CashReceipting:
    """Return the web service; raises Misuse where its address is missing."""
    from cash_receipting.rest import RestReceipting

    if not chosen.url:
        raise Misuse("cash_receipting.url is empty: nobody knows where the service is.", "no-url")
    return RestReceipting(
        chosen.url,
        chosen.token,
        keeps_keys=chosen.keeps_keys,
        longest_in_flight=timedelta(seconds=chosen.longest_in_flight_seconds),
    )


def to_file_drop(home: Path, chosen: CashReceiptingSettings) -> CashReceipting:
    """Return the folder of import files; raises Misuse where its layout cannot be used."""
    from cash_receipting.file_drop import FileDropReceipting
    from cash_receipting.layout import read_layout

    layout = read_layout(home / chosen.layout if chosen.layout else None)
    return FileDropReceipting(home / chosen.folder, home / TRAY, layout)
