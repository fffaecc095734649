"""The mails about signing in to the portal: one-time links, and what was done in one's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.deliveries import MessageKind
from domain.languages import say_moment
from mail.letters.notices import Notice
from mail.letters.phrases import Values, web_address

FORMS = (
    "access-verify", "access-known", "access-invitation", "access-reset", "access-locked",
    "access-connect", "access-new-address", "access-address-asked", "access-address-changed",
    "access-address-taken", "access-person",
    "access-linked", "access-new-sign-in", "access-new-browser", "access-way-changed",
    "access-staff", "access-add-method", "access-autopay", "access-autopay-ended",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLetter(Notice):
    """
    What somebody needs to sign in, or should know about it (rules 140-145, 152-153).

    `link` is good once and until `expires`; `code` does the same where a link cannot be opened.
    `agreed` are the paragraphs of what was agreed to with the office.
    """

    kind = MessageKind.ACCESS
    link: str
    code: str = ""
    expires: str = ""  # in the utility's local time
    agreed: tuple[str, ...] = ()

    def _own_values(self) -> Values:
        return {
            "link": web_address(self.link),
            "code": self.code,
            "expires": self.expires,
            "agreed": self.agreed,
        }


def _none(_key: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class PortalLinks:
    """
    Makes the addresses of portal pages; `url` is the portal's own, without a slash at its end.

    `token` and `code` make those of a one-time link out of its key.
    """

    url: str = ""
    token: Callable[[str], str] = field(default=_none, repr=False)
    code: Callable[[str], str] = field(default=_none, repr=False)

    def to(self, path: str) -> str:
        return f"{self.url}{path}" if self.url else ""

    def one_time(self, kind: str, key: str) -> str:
        return self.to(f"/{_PATHS[kind]}/{self.token(key)}")


_PATHS = {
    "verify": "verify",
    "create-credentials": "invite",
    "reset-password": "reset",
    "unlock": "unlock",
    "connect-identity": "oidc/mailed",
    "person": "person",
    "new-address": "new-address",
    "stop-address": "stop-address",
    "unlink-account": "not-me",
    "staff-password": "office/password",
    "add-method": "add-method",
}
NO_PORTAL = PortalLinks()


def local_moment(moment: datetime, timezone: str, language: str) -> str:
    """Write a moment as a customer reads it, in the utility's local time."""
    return say_moment(moment.astimezone(ZoneInfo(timezone)), language)
