"""What a failure is called: a code, a sentence, the exit status, and the document of `--json`."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from command_line.options import NEEDS_PERSON, REFUSED, UNEXPECTED, WRONG_USE
from command_line.standing import standing_of
from domain.causes import say_cause
from domain.failures import AwaitingApproval, Misuse, PermanentFailure, Refused, TemporaryFailure

MISTAKES = (ImportError, NameError, AttributeError, TypeError)
FULL = (errno.ENOSPC, errno.EDQUOT)
# Said before anything of a period that is closed already was touched.
BEFORE_ALL = (
    "period-closed",
    "already-running",
    "export-changed",
    "no-rehearsal",
    "unknown-period",
)
AGAIN = "run the same command again to go on"


@dataclass(frozen=True, slots=True)
class Told:
    """A failure as it is told."""

    code: str
    message: str
    status: int
    next: str


def is_published(failure: BaseException) -> bool:
    """
    Tell whether the period that failed is closed by now.

    What a person has to hear is then that the close stands, whatever said no: nothing is refused
    any more. A refusal before anything was touched of a close that was there before stays one.
    """
    standing = standing_of(failure)
    if standing is None or not standing.closed or not standing.is_of_close:
        return False
    is_before_all = getattr(failure, "code", "") in BEFORE_ALL
    return not (standing.closed_before and is_before_all)


def tell(failure: BaseException) -> Told:
    """Say what failed, with the exit status that the books allow."""
    code, message, status = describe(failure)
    standing = standing_of(failure)
    if status in (WRONG_USE, REFUSED) and is_published(failure):
        status = UNEXPECTED
        message = f"{message.rstrip('.')}. The close itself stands"
    if standing is not None and standing.next and status == UNEXPECTED:
        return Told(code, message, status, standing.next)
    return Told(code, message, status, AGAIN if code == "stopped" else _next(status))


def to_document(failure: BaseException, told: Told) -> dict[str, Any]:
    """
    Write a failure down for programs.

    `status` is "refused" only where a guard or a check said no and nothing was changed.
    """
    standing = standing_of(failure)
    document: dict[str, Any] = {
        "status": "refused" if told.status == REFUSED else "failed",
        "period": standing.period if standing else None,
        "closed": standing.closed if standing else None,
        "done": list(standing.done) if standing else [],
        "failure": {"code": told.code, "message": told.message, "next": told.next},
    }
    if told.status in (WRONG_USE, REFUSED):
        more = getattr(failure, "told", {})  # what a refusal lists beside its sentence
        document["refusal"] = {"code": told.code, "message": told.message, **more}
    return document


def describe(failure: BaseException) -> tuple[str, str, int]:
    """Return a code for programs, a sentence for people, and the exit status."""
    if isinstance(failure, Misuse):
        return failure.code, failure.message, WRONG_USE
    if isinstance(failure, Refused):
        return failure.code, failure.message, REFUSED
    if isinstance(failure, AwaitingApproval):
        return "waiting", str(failure), NEEDS_PERSON
    if isinstance(failure, KeyboardInterrupt):
        return "stopped", f"stopped; what was done stands, {AGAIN}", UNEXPECTED
    causes = list(_causes(failure))
    if full := next((cause for cause in causes if _is_disk_full(cause)), None):
        where = f" ({name})" if (name := getattr(full, "filename", None)) else ""
        return "system", f"the disk is full{where}; make room, then {AGAIN}", UNEXPECTED
    if isinstance(failure, TemporaryFailure | PermanentFailure):
        return "unavailable", str(failure), UNEXPECTED
    for cause in causes:
        if told := _of_database(cause):
            return told
    if isinstance(failure, OSError):
        return "system", _system_sentence(failure), UNEXPECTED
    return "unexpected", f"unexpected failure; {_keep_trace(failure)}", UNEXPECTED


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    """Yield a failure and what it came of: libraries wrap the one that says it."""
    seen: set[int] = set()
    while failure is not None and id(failure) not in seen:
        seen.add(id(failure))
        yield failure
        original = getattr(failure, "orig", None)
        if isinstance(original, BaseException):
            yield original
        failure = failure.__cause__ or failure.__context__


def _is_disk_full(failure: BaseException) -> bool:
    if isinstance(failure, OSError) and failure.errno in FULL:
        return True
    words = str(failure).casefold()
    return "no space left on device" in words or "database or disk is full" in words


def _of_database(failure: BaseException) -> tuple[str, str, int] | None:
    """Say what a database said, in its own words where it is clear; None for other failures."""
    if "sqlalchemy" not in sys.modules:
        return None
    from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

    if isinstance(failure, ArgumentError | NoSuchModuleError):
        sentence = "database.url is no URL of a database; write sqlite:///… or "
        return "database", sentence + "postgresql+psycopg://host/name.", WRONG_USE
    if not isinstance(failure, DatabaseError):
        return None
    original = getattr(failure, "orig", failure)
    words = str(original).strip().splitlines()
    cause = words[0][:200] if words else say_cause(failure)
    return _of_server(getattr(original, "sqlstate", None) or "", cause)


_MISSING = re.compile(  # what a server answers to a wrong database.url, whatever the driver adds
    r'(database|role) "[^"]*" does not exist|password authentication failed for user "[^"]*"'
    r"|no pg_hba\.conf entry for .*"
)


def _of_server(state: str, cause: str) -> tuple[str, str, int]:
    """Tell PostgreSQL's states apart (appendix A of its manual) that need different people."""
    said = f"the database said: {cause}"
    if state == "42501":
        grant = "grant the user of database.url its rights on that database (docs/running.md)"
        return "no-grant", f"{said}; {grant}, then run the command again", WRONG_USE
    if state == "25006":
        may = "the user of database.url may only read, and this command writes"
        return "read-only", f"{said}; {may}", WRONG_USE
    if missing := _MISSING.search(cause):
        asks = "make it, or correct database.url" if missing[1] else "correct database.url"
        return "database", f"the database said: {missing[0]}; {asks}", WRONG_USE
    if state == "53300" or "too many connections" in cause or "too many clients" in cause:
        room = "a close needs four connections: allow more, or lower database.pool_size"
        return "database", f"{said}; {room}, then {AGAIN}", UNEXPECTED
    hint = "make room on its disk" if "disk" in cause else "check database.url"
    return "database", f"{said}; {hint}, then run the command again", UNEXPECTED


def _system_sentence(failure: OSError) -> str:
    where = f" ({failure.filename})" if failure.filename else ""
    what = (failure.strerror or say_cause(failure)).lower()
    return f"the system said: {what}{where}; put that right, then run the same command again"


def _next(status: int) -> str:
    if status == WRONG_USE:
        return "correct what the message says and run the command again"
    if status == REFUSED:
        return "do what the message says; nothing was changed"
    return "put right what the message says and run the same command again"


def _keep_trace(failure: BaseException) -> str:
    """
    Keep the trace out of the clerk's sight but where support finds it.

    A service's own temporary folder is gone when it ends: what serves a home leaves it there.
    """
    import os
    import tempfile
    import traceback
    from pathlib import Path

    from office.secrets.redaction import redact

    logs = Path(os.environ.get("BILLCLOSE_HOME") or os.devnull) / "logs"
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="billclose-failure-",
            suffix=".txt",
            dir=logs if os.access(logs, os.W_OK) else None,
            delete=False,
            encoding="utf-8",
        ) as file:
            traceback.print_tb(failure.__traceback__, file=file)
            file.write(type(failure).__name__)
            if isinstance(failure, MISTAKES):  # ours; other messages may hold customers' data
                file.write(f": {redact(str(failure))}")
    except OSError:
        return "what was done stands; no trace could be written"
    return f"what was done stands; the trace for support is in {file.name}"
