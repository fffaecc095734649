"""Who signs in to the web pages, and the states of what they sign in with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class UserState(StrEnum):
    """How a portal user stands (rules 140-149, 154-163)."""

    INVITED = "invited"  # made by staff; has no password yet
    UNVERIFIED = "unverified"  # registered; the address has not been proved
    ACTIVE = "active"
    LOCKED = "locked"  # cannot sign in; what was scheduled goes on (ruling 11)
    DELETED = "deleted"  # nothing of theirs is in force any more


class LinkKind(StrEnum):
    """What a one-time link does when its button is pressed."""

    VERIFY = "verify"
    CREATE_CREDENTIALS = "create-credentials"
    RESET_PASSWORD = "reset-password"  # noqa: S105 - the name of a link
    UNLOCK = "unlock"
    NEW_ADDRESS = "new-address"  # proves the address that somebody wants to sign in with
    STOP_ADDRESS = "stop-address"  # "was that you?": the address so far stays, or is put back
    PERSON = "person"  # takes a browser for a person's, in the place of the bot check
    CONNECT_IDENTITY = "connect-identity"  # an account at Google or Apple, in one browser
    UNLINK_ACCOUNT = "unlink-account"  # "was that you?": takes a new link away again
    STAFF_PASSWORD = "staff-password"  # noqa: S105 - the name of a link
    PHONE = "phone"  # no link: a code that a text brings proves a phone
    RECOVERY_CODE = "recovery-code"  # no link: read out by customer service (rule 155)
    ADD_METHOD = "add-method"  # leads to the gateway's page, on which a customer adds a method


# How long each is good (rules 142, 153, 155).
LINK_HOURS = {
    LinkKind.VERIFY: timedelta(hours=72),
    LinkKind.CREATE_CREDENTIALS: timedelta(hours=72),
    LinkKind.RESET_PASSWORD: timedelta(hours=24),
    LinkKind.UNLOCK: timedelta(hours=24),
    LinkKind.NEW_ADDRESS: timedelta(hours=24),
    LinkKind.STOP_ADDRESS: timedelta(days=7),
    LinkKind.PERSON: timedelta(hours=2),
    LinkKind.CONNECT_IDENTITY: timedelta(hours=1),
    LinkKind.UNLINK_ACCOUNT: timedelta(days=14),
    LinkKind.STAFF_PASSWORD: timedelta(hours=72),
    LinkKind.PHONE: timedelta(minutes=15),
    LinkKind.RECOVERY_CODE: timedelta(hours=24),
    LinkKind.ADD_METHOD: timedelta(hours=24),
}


class CredentialKind(StrEnum):
    PASSWORD = "password"  # noqa: S105 - the name of a kind
    TOTP = "totp"


class Role(StrEnum):
    """What a member of staff may do; the table of permissions says what that is."""

    CLERK = "clerk"
    CSR = "csr"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"


class LinkProof(StrEnum):
    """How a portal user showed that an account is theirs (rules 123, 129)."""

    NAME = "name"
    AMOUNT = "amount"
    STAFF = "staff"
    EXPORT = "export"  # the billing system's own rows


@dataclass(frozen=True, slots=True)
class PortalUser:
    """A registered person; `address` is as typed, `mailbox` what makes two spellings one."""

    number: int
    mailbox: str
    address: str
    username: str
    phone: str
    language: str
    state: UserState
    seen_at: datetime | None

    @property
    def who(self) -> str:
        """What the audit list calls them: never an address."""
        return f"customer {self.number}"


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who signs in to the office's pages."""

    number: int
    address: str
    role: Role
    state: UserState

    @property
    def who(self) -> str:
        """What the audit list calls them: never an address."""
        return f"{self.role} {self.number}"


def mailbox_of(address: str) -> str:
    """Return what makes two spellings of an address the same mailbox."""
    return address.strip().casefold()


@dataclass(frozen=True, slots=True)
class PortalMail:
    """A mail about somebody's access: which one, to whom, with which link behind it."""

    form: str
    address: str
    user: int
    link: str = ""  # the key of its one-time link
    account: str = ""  # the account number that it is about
    about: str = ""  # what else it is about, where that is no link
