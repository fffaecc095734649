"""How large a mail may be, and what takes the place of a bill that is too large for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from domain.causes import say_cause
from domain.failures import PermanentFailure, TemporaryFailure

MEGABYTE = 1_000_000  # octets, as mail servers announce their SIZE (RFC 1870)
REST = 24_000  # octets of headers, text and page, and of what encrypting adds
LARGEST = 20  # megabytes that nearly every mail server takes


@dataclass(frozen=True, slots=True)
class SizeLimit:
    """
    The largest mail that leaves, in octets, and where a bill that is larger is to be read.

    `link` is a web address of the city's own portal with {account} and {period} in it; empty:
    there is none, and such a bill goes on paper.
    """

    octets: int = LARGEST * MEGABYTE
    link: str = ""

    def is_over(self, attachment: int) -> bool:
        """Tell whether an attachment of so many octets makes the mail too large."""
        return message_size(attachment) > self.octets

    def link_to(self, account: str, period: str) -> str:
        written = self.link.replace("{account}", quote(account, safe=""))
        return written.replace("{period}", quote(period, safe=""))

    @property
    def largest_attachment(self) -> int:
        """Return how many octets an attachment may have, so that a plan can tell beforehand."""
        lines = (self.octets - REST) // 78
        return max(lines * 57, 0)


USUAL_LIMIT = SizeLimit()


def message_size(attachment: int) -> int:
    """Return the octets of a mail with that attachment, in base64 of 76 columns (RFC 2045)."""
    return REST + -(-attachment // 57) * 78


def read_stored(read: Callable[[str], bytes], path: str, missing: str) -> bytes:
    """Read a file; raises PermanentFailure with `missing`, and TemporaryFailure for the store."""
    try:
        return read(path)
    except FileNotFoundError:
        raise PermanentFailure(f"{missing} is not in the bill store") from None
    except OSError as failure:
        raise TemporaryFailure(f"the bill store failed: {say_cause(failure)}") from None
