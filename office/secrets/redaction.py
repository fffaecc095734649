"""Taking addresses and secrets out of what is logged, raised and told."""

from __future__ import annotations

import base64
import logging
import re
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

ADDRESS, SECRET = "[address]", "[secret]"
SHORTEST = 4  # characters: shorter ones would blank out ordinary words

_IN_URL = re.compile(r"(\b[A-Za-z][\w+.-]*://)[^\s/'\"<>]*@")
_NAMED = re.compile(
    r"(?i)([\w.-]*(?:password|passwd|secret|token|api[_-]?key|auth[_-]?string|authorization)"
    r"[\"']?\s*[=:]\s*)"
    r"(?!//|\[secret\])(\"[^\"\n]*\"|'[^'\n]*'|(?:(?:bearer|basic)\s+)?[^\s,;&\"')\]}]+)"
)
_BEARER = re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]{8,}")
_KEY = re.compile(r"\b(?:[srp]k|whsec)_\w{8,}")
_MAIL = re.compile(
    r"(?:\"[^\"\n]{1,64}\"|[\w.!#$%&'*+/=?^`{|}~-]+)(?:@|%40)(?:\[[\w.:]+\]|[\w-]+(?:\.[\w-]+)*)"
)
_KEPT = re.compile(r"\[(?:secret|address)\]")  # told before: a secret may be in these words too
_remembered: set[str] = set()  # what is never shown
_patterns: list[re.Pattern[str]] = []  # one that finds all of it


def remember(values: Iterable[str]) -> None:
    """Never show these values again, nor their common spellings in URLs and headers."""
    for value in values:
        if len(value) >= SHORTEST:
            encoded = base64.b64encode(value.encode()).decode("ascii")
            spellings = (value, quote(value, safe=""), quote_plus(value), repr(value)[1:-1])
            _remembered.update((*spellings, encoded))
    ordered = sorted(_remembered, key=len, reverse=True)  # the whole before its parts
    _patterns[:] = [re.compile("|".join([_KEPT.pattern, *map(re.escape, ordered)]))]


def without_secrets(text: str) -> str:
    """Take out what is known to be secret, passwords in URLs, and what is named as a secret."""
    for known in _patterns:
        text = known.sub(lambda found: found[0] if _KEPT.fullmatch(found[0]) else SECRET, text)
    text = _IN_URL.sub(rf"\1{SECRET}@", text)
    text = _NAMED.sub(rf"\1{SECRET}", text)
    return _KEY.sub(SECRET, _BEARER.sub(rf"\1{SECRET}", text))


def redact(text: str) -> str:
    """Take out secrets and e-mail addresses; account numbers may stand."""
    return _MAIL.sub(ADDRESS, without_secrets(text))


def redact_all(value: Any) -> Any:
    """Do the same in a log line's further values, however deep."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact_all(key): redact_all(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_all(inner) for inner in value]
    return value


@contextmanager
def told_safely() -> Iterator[None]:
    """Let no failure out whose words hold an address or a secret: Prefect keeps and shows them."""
    try:
        yield
    except Exception as failure:
        redact_failure(failure)
        raise


def redact_failure(failure: BaseException) -> None:
    """Redact a failure where it stands, and all that led to it; its kind stays what it is."""
    waiting, seen = [failure], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        _redact_words(one)
        waiting += [led for led in (one.__cause__, one.__context__) if led is not None]
        waiting += getattr(one, "exceptions", ())


def _redact_words(failure: BaseException) -> None:
    failure.args = tuple(redact_all(part) for part in failure.args)
    if isinstance(failure, OSError) and isinstance(failure.strerror, str):
        failure.strerror = redact(failure.strerror)  # it keeps its words beside its parts
    for name, value in vars(failure).items():
        if type(value) in (str, list, tuple, dict):
            setattr(failure, name, type(value)(redact_all(value)))


def install() -> None:
    """Redact every log record of this process where it is made, whoever handles it then."""
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return

    def make_redacted(*arguments: Any, **options: Any) -> logging.LogRecord:
        record = make(*arguments, **options)
        _redact_record(record)
        return record

    make_redacted.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make_redacted)


def _redact_record(record: logging.LogRecord) -> None:
    """Redact the message part by part, so that who formats the parts finds them as usual."""
    if isinstance(record.args, tuple):
        record.args = tuple(redact(part) if isinstance(part, str) else part for part in record.args)
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):  # the parts do not fit: logging says so itself
        message = f"{record.msg} {record.args}"
    if (redacted := redact(message)) != message:
        record.msg, record.args = redacted, ()
    if record.exc_info and record.exc_info[1] is not None:
        trace = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        if (redacted := redact(trace)) != trace:
            record.exc_text, record.exc_info = redacted, None
