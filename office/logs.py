"""How log lines are written: as text or as JSON, redacted either way."""

from __future__ import annotations

import logging
import time
from typing import Any, Literal

from pythonjsonlogger.json import JsonFormatter

from office.secrets.redaction import install, redact, redact_all

LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"


class RedactedText(logging.Formatter):
    """One line, and below it the trace where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class RedactedJson(JsonFormatter):
    """One object a line: moment in UTC, level, name, message, trace, what Prefect adds."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(
            LINE,
            datefmt="%Y-%m-%dT%H:%M:%SZ",
            rename_fields={"asctime": "at", "levelname": "level", "exc_info": "trace"},
            json_ensure_ascii=False,
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        fields = super().process_log_record(log_data)
        return {name: redact_all(value) for name, value in fields.items()}


def formatter(chosen: Literal["text", "json"]) -> logging.Formatter:
    """Return what writes lines as the setting logging.format says."""
    return RedactedJson() if chosen == "json" else RedactedText(LINE)


def write_lines(chosen: Literal["text", "json"]) -> None:
    """Redact all that this process logs and write it to standard error, for one without Prefect."""
    install()
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(chosen))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line a request


def set_up(chosen: Literal["text", "json"]) -> None:
    """
    Redact all that this process logs, and write JSON to its console where that is set.

    For a process that Prefect started: its loggers are set up by then.
    """
    install()
    if chosen != "json":
        return
    from prefect.logging.handlers import PrefectConsoleHandler

    names = ("", *logging.root.manager.loggerDict)
    for logger in (logging.getLogger(name) for name in names):
        for handler in [one for one in logger.handlers if type(one) is PrefectConsoleHandler]:
            plain = logging.StreamHandler()
            plain.setFormatter(RedactedJson())
            logger.removeHandler(handler)
            logger.addHandler(plain)
