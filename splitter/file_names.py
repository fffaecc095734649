"""The file names of bills: the account number, made safe."""

from __future__ import annotations

import hashlib
import re

from domain.accounts import account_key

_PLAIN_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def file_name(account: str, ordinal: int = 1) -> str:
    """
    Return the file name of an account's bill: `01.1037.1.pdf`, its second one `01.1037.1~2.pdf`.

    A number that is no safe name on every system gets a hash of the account instead of the
    unsafe signs, so two accounts never share a name.
    """
    name = account
    if not _PLAIN_NAME.fullmatch(account) or _RESERVED.fullmatch(account):
        meant = account_key(account) or account
        digest = hashlib.sha256(meant.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        name = f"{_UNSAFE.sub('_', account).strip('_-')[:40] or 'account'}~{digest}"
        name = f"bill-{name}" if _RESERVED.match(name) else name
    return f"{name}.pdf" if ordinal == 1 else f"{name}~{ordinal}.pdf"
