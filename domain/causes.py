"""What a failed connection, file or program came of, in words that a clerk can pass on."""

from __future__ import annotations

import errno
from collections.abc import Iterator

_BY_NUMBER = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "the connection was broken off",
    errno.ECONNABORTED: "the connection was broken off",
    errno.EPIPE: "the connection was broken off",
    errno.ENOTCONN: "the connection was broken off",
    errno.EHOSTUNREACH: "there is no way to that machine",
    errno.EHOSTDOWN: "there is no way to that machine",
    errno.ENETUNREACH: "there is no way to that network",
    errno.ENETDOWN: "the network is down",
    errno.EADDRNOTAVAIL: "there is no way to that machine",
    errno.EADDRINUSE: "the port is in use",
    errno.ETIMEDOUT: "timed out",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full",
    errno.EROFS: "the disk may only be read",
    errno.EIO: "the disk cannot be read",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOENT: "there is no such file",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "it is in no folder",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
    errno.ENOMEM: "not enough memory",
}
# By what the failure or one of its kinds is called; the first that fits. Libraries have kinds of
# their own for what the system has, and mostly call them alike.
_BY_NAME = (
    ("gaierror", "name not known"),
    ("CertVerification", "the certificate is not valid"),
    ("CertificateError", "the certificate is not valid"),
    ("Timeout", "timed out"),
    ("ConnectionRefused", "connection refused"),
    ("SSL", "no encrypted connection came about"),
    ("UnicodeDecodeError", "it is no text in UTF-8"),
    ("JSONDecodeError", "the answer is no JSON"),
    ("HTTPStatusError", "it answered with an error"),
    ("Credentials", "there are no credentials for it"),
    ("ClientError", "it refused the request"),
    ("YAMLError", "it is not written as YAML is"),
    ("csv.Error", "it is not written as CSV is"),
    ("Disconnected", "the connection was broken off"),
    ("ConnectionReset", "the connection was broken off"),
    ("ConnectionAborted", "the connection was broken off"),
    ("BrokenPipe", "the connection was broken off"),
    ("IncompleteRead", "the connection was broken off"),
    ("ProtocolError", "the answer is not as the protocol wants it"),
    ("EOFError", "the connection was broken off"),
    ("ReadError", "the connection was broken off"),
    ("WriteError", "the connection was broken off"),
    ("abort", "the connection was broken off"),
    ("OperationalError", "the database does not answer"),
    ("Connect", "no connection came about"),
    ("MemoryError", "not enough memory"),
)
UNTOLD = "without saying why"


def say_cause(failure: BaseException) -> str:
    """
    Say what a failure came of; never the name of a class, and no words of a library's own.

    What the system said goes before what a library made of it, however deep it lies.
    """
    causes = list(_causes(failure))
    for cause in causes:
        if (number := _system_number(cause)) in _BY_NUMBER:
            return _BY_NUMBER[number]
    kinds = [_kinds(cause) for cause in causes]
    for part, words in _BY_NAME:
        if any(part in kind for names in kinds for kind in names):
            return words
    return UNTOLD


def _system_number(failure: BaseException) -> int:
    """Return the number that the system gave; TLS counts its faults by numbers of its own."""
    if not isinstance(failure, OSError) or any("SSL" in kind for kind in _kinds(failure)):
        return 0
    return failure.errno or 0


def _kinds(failure: BaseException) -> list[str]:
    """Name a failure's kind and those that it is one of, but for the most general."""
    general = (OSError, Exception, BaseException, object)
    return [f"{kind.__module__}.{kind.__name__}" for kind in type(failure).__mro__
            if kind not in general]  # fmt: skip


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """Yield a failure and all that it came of, also what a library keeps in a place of its own."""
    seen: set[int] = set()
    waiting: list[object] = [failure]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None))
        waiting += [*inner, *getattr(one, "exceptions", ()), *one.args]
