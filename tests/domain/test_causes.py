"""What failures came of is said in words that a clerk can pass on: never by a class's name."""

from __future__ import annotations

import builtins
import csv
import errno
import imaplib
import json
import re
import socket
import ssl
import subprocess
from asyncio import IncompleteReadError

import aiosmtplib
import botocore.exceptions as s3
import httpx
import pytest
import requests
import sqlalchemy as sa
import yaml
from urllib3.exceptions import MaxRetryError, NewConnectionError

from domain.causes import UNTOLD, say_cause

CLASS_NAME = re.compile(r"[a-z][A-Z]|Error|Errno|Exception|\b[A-Z]{6,}")


def from_(inner: BaseException, outer: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('10.0.0.1', 25)")


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (REFUSED, "connection refused"),
        (ConnectionRefusedError(), "connection refused"),
        (OSError(errno.ECONNRESET, "x"), "the connection was broken off"),
        (ConnectionResetError(), "the connection was broken off"),
        (BrokenPipeError(errno.EPIPE, "x"), "the connection was broken off"),
        (IncompleteReadError(b"", 3), "the connection was broken off"),
        (EOFError(), "the connection was broken off"),
        (OSError(errno.EHOSTUNREACH, "No route"), "there is no way to that machine"),
        (OSError(errno.ENETUNREACH, "x"), "there is no way to that network"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "name not known"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "name not known"),
        (TimeoutError(), "timed out"),
        (TimeoutError(errno.ETIMEDOUT, "x"), "timed out"),
        (subprocess.TimeoutExpired("tesseract", 3), "timed out"),
        (ssl.SSLCertVerificationError(1, "x"), "the certificate is not valid"),
        (ssl.SSLError(1, "wrong version number"), "no encrypted connection came about"),
        (OSError(errno.ENOSPC, "x"), "the disk is full"),
        (OSError(errno.EDQUOT, "x"), "the disk is full"),
        (PermissionError(errno.EACCES, "x"), "permission denied"),
        (FileNotFoundError(errno.ENOENT, "x"), "there is no such file"),
        (OSError(errno.EROFS, "x"), "the disk may only be read"),
        (MemoryError(), "not enough memory"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), "it is no text in UTF-8"),
        (json.JSONDecodeError("x", "", 0), "the answer is no JSON"),
        (csv.Error("x"), "it is not written as CSV is"),
        (yaml.YAMLError("x"), "it is not written as YAML is"),
        (imaplib.IMAP4.abort("socket error"), "the connection was broken off"),
        (from_(REFUSED, aiosmtplib.SMTPConnectError("x")), "connection refused"),
        (aiosmtplib.SMTPConnectTimeoutError("x"), "timed out"),
        (aiosmtplib.SMTPReadTimeoutError("x"), "timed out"),
        (aiosmtplib.SMTPServerDisconnected("x"), "the connection was broken off"),
        (from_(REFUSED, httpx.ConnectError("All attempts failed")), "connection refused"),
        (httpx.ConnectTimeout("x"), "timed out"),
        (httpx.ReadTimeout("x"), "timed out"),
        (httpx.RemoteProtocolError("x"), "the answer is not as the protocol wants it"),
        (httpx.ReadError("x"), "the connection was broken off"),
        (
            requests.ConnectionError(
                MaxRetryError(None, "/", from_(REFUSED, NewConnectionError(None, "x")))  # type: ignore[arg-type]
            ),
            "connection refused",
        ),
        (requests.ReadTimeout("x"), "timed out"),
        (s3.ConnectTimeoutError(endpoint_url="x"), "timed out"),
        (s3.EndpointConnectionError(endpoint_url="x"), "no connection came about"),
        (s3.NoCredentialsError(), "there are no credentials for it"),
        (s3.ClientError({"Error": {"Code": "403"}}, "PutObject"), "it refused the request"),
        (sa.exc.OperationalError("SELECT", {}, Exception("x")), "the database does not answer"),
        (ExceptionGroup("many", [OSError(errno.ECONNREFUSED, "x")]), "connection refused"),
        (OSError("Multiple exceptions"), UNTOLD),
        (KeyError("x"), UNTOLD),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_a_failure_came_of(failure, said):
    assert said == say_cause(failure)


def test_whatever_python_raises_no_class_is_named():
    kinds = [
        kind
        for kind in vars(builtins).values()
        if isinstance(kind, type) and issubclass(kind, OSError | EOFError | MemoryError)
    ]
    numbers = [OSError(number, "x") for number in errno.errorcode]

    said = {say_cause(failure) for failure in (*(kind() for kind in kinds), *numbers)}

    assert set() == {words for words in said if CLASS_NAME.search(words)}
