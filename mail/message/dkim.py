"""A message's signature by its sender's domain (DKIM, RFC 6376)."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from domain.failures import Misuse

SHORTEST_KEY = 2048  # bits (RFC 8301, 3.2)
SIGNED = (
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type",
    "content-transfer-encoding", "reply-to", "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_SPACE = re.compile(rb"[ \t]+")


class Signer:
    """
    Signs messages with RSA and SHA-256, canonicalized as relaxed/simple.

    The signature holds no time: the same message is signed the same each time, so that sending
    it again sends the same bytes.
    """

    def __init__(self, domain: str, selector: str, key: RSAPrivateKey) -> None:
        self._domain = domain
        self._selector = selector
        self._key = key

    def sign(self, content: bytes) -> bytes:
        """Return a message of CRLF lines with DKIM-Signature as its first header."""
        head, _, body = content.partition(b"\r\n\r\n")
        fields = _fields(head)
        names = [name for name in SIGNED if name in fields]
        signature = self._header(names, body)
        signed = b"".join(relaxed(name, fields[name]) for name in names)
        signed += relaxed("dkim-signature", signature.encode()).removesuffix(b"\r\n")
        seal = base64.b64encode(self._key.sign(signed, PKCS1v15(), SHA256())).decode()
        lines = "\r\n ".join(seal[start : start + 72] for start in range(0, len(seal), 72))
        return f"DKIM-Signature:{signature}{lines}\r\n".encode() + content

    def _header(self, names: list[str], body: bytes) -> str:
        """
        Return the header's value with an empty `b=`.

        `from` stands there once more than there are: nobody can add another (RFC 6376, 8.15).
        """
        digest = base64.b64encode(hashlib.sha256(simple(body)).digest()).decode()
        signed = ":\r\n ".join(["from", *names])
        return (
            f" v=1; a=rsa-sha256; c=relaxed/simple; d={self._domain};\r\n"
            f" s={self._selector}; bh={digest};\r\n"
            f" h={signed};\r\n"
            " b="
        )


def read_signer(domain: str, selector: str, key_file: Path) -> Signer:
    """Read the key; raises Misuse, and never repeats anything of it."""
    if not _NAME.fullmatch(domain) or not _NAME.fullmatch(selector):
        raise Misuse("smtp.dkim_domain and smtp.dkim_selector must be names as DNS has them")
    try:
        key = load_pem_private_key(key_file.read_bytes(), password=None)
    except OSError as failure:
        raise Misuse(f"smtp.dkim_key_file {key_file} cannot be read: {failure.strerror}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Misuse(f"smtp.dkim_key_file {key_file} is no PEM key without a password") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < SHORTEST_KEY:
        raise Misuse(f"smtp.dkim_key_file {key_file} must be RSA of {SHORTEST_KEY} bits or more")
    return Signer(domain, selector, key)


def relaxed(name: str, value: bytes) -> bytes:
    """Canonicalize a header: unfolded, runs of white space one space (RFC 6376, 3.4.2)."""
    unfolded = _SPACE.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.encode() + b":" + unfolded + b"\r\n"


def simple(body: bytes) -> bytes:
    """Canonicalize a body: all empty lines at its end are one line end (RFC 6376, 3.4.3)."""
    while body.endswith(b"\r\n\r\n"):
        body = body[:-2]
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _fields(head: bytes) -> dict[str, bytes]:
    """Return each header's value by its name in lower case; of several the last (5.4.2)."""
    fields: dict[str, bytes] = {}
    for line in re.split(rb"\r\n(?![ \t])", head):
        name, _, value = line.partition(b":")
        fields[name.rstrip(b" \t").lower().decode("ascii", "replace")] = value
    return fields
