"""The rows of a billing export that only staging needs; accounts and movements are domain's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.accounts import account_key
from domain.money import Money
from domain.payments import MethodKind


@dataclass(frozen=True, slots=True)
class PortalUser:
    """Somebody registered in the portal; `address` is as written."""

    address: str
    name: str

    @property
    def mailbox(self) -> str:
        """What makes two spellings one user: the case of letters does not count."""
        return self.address.casefold()


@dataclass(frozen=True, slots=True)
class PortalLink:
    """A portal user sees an account, and may have chosen paperless for it (rules 24-25)."""

    address: str
    account: str
    paperless: bool

    @property
    def mailbox(self) -> str:
        return self.address.casefold()

    @property
    def key(self) -> str:
        return account_key(self.account)


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A landlord or cosigner, and the portal user he is, if any (rule 29)."""

    cosigner_id: str
    name: str
    portal_user: str


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A saved payment method: the gateway's handle, never the number."""

    token: str
    portal_user: str
    kind: MethodKind
    last4: str


@dataclass(frozen=True, slots=True)
class Enrollment:
    """One row of autopay.csv; with its payment method it makes a mandate (rules 48-50)."""

    account: str
    portal_user: str
    method_token: str
    days_prior: int
    maximum: Money | None
    enrolled_on: date
    is_active: bool

    @property
    def key(self) -> str:
        return account_key(self.account)
