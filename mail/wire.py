"""A message as it goes over the wire."""

from __future__ import annotations

import re

_STRAY_LINE_END = re.compile(rb"\r\n|\r|\n")


def to_wire(content: bytes) -> bytes:
    """
    Double dots at line starts and end with the final dot (RFC 5321, 4.5.2).

    A lone CR or LF is made CRLF: some servers read it as a line end, and `LF . LF` would end the
    message early and begin another (SMTP smuggling).
    """
    if not content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n"):
        content = _STRAY_LINE_END.sub(b"\r\n", content)
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    if content.startswith(b".") or b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n..")
        content = b"." + content if content.startswith(b".") else content
    return content + b".\r\n"
