"""How log lines are written: as text or as JSON, redacted either way."""

from __future__ import annotations

import logging
import logging.handlers
import os
import shutil
import time
from pathlib import Path
from typing import Any, Literal

from pythonjsonlogger.json import JsonFormatter

from office.secrets.redaction import install, redact, redact_all

LOG_BYTES = 10_000_000

OFFICE_LOG = "office.log"
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


def set_up(chosen: Literal["text", "json"], folder: Path) -> None:
    """
    Redact all that this process logs, keep it in a file, and write JSON to its console if set.

    For a process that Prefect started: its loggers are set up by then. The file is private, and
    all processes of `billclose up` or of a worker append to the same one.
    """
    install()
    _keep_in(folder / OFFICE_LOG, chosen)
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


def _keep_in(file: Path, chosen: Literal["text", "json"]) -> None:
    """Append what this process logs to a file, once, beginning it anew where it has grown large."""
    root = logging.getLogger()
    if any(isinstance(one, logging.handlers.WatchedFileHandler) for one in root.handlers):
        return
    file.parent.mkdir(mode=0o700, exist_ok=True)
    turn_over(file)
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    handler = logging.handlers.WatchedFileHandler(file, encoding="utf-8")
    handler.setFormatter(formatter(chosen))
    handler.setLevel(logging.INFO)
    root.addHandler(handler)


def turn_over(log: Path) -> None:
    """
    Begin a log anew that has grown large, and keep the one before.

    Copied and emptied rather than renamed: the process that writes it has it open.
    """
    if log.is_file() and log.stat().st_size > LOG_BYTES:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)
