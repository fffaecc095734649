"""What is known besides the bulk file: whose accounts, names and addresses there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.accounts import account_key
from splitter.association.names import Sieve, marks_of_address, marks_of_name

MOST_BEARERS = 2  # accounts: a name that more bear is a landlord's or the utility's own
MOST_AT_ONE_ADDRESS = 64


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """
    One account of the export, with what its pages may print.

    `families` are its cosigner and its portal users: accounts that share one may stand on each
    other's pages.
    """

    account: str
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    families: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All accounts by their keys, their families, and the marks of their names and addresses."""

    accounts: Mapping[str, str] = field(default_factory=dict)  # key -> as the export writes it
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of those that have one
    names: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # mark -> accounts' keys

    @classmethod
    def of(cls, customers: Iterable[KnownCustomer]) -> Knowledge:
        """Take in the customers of an export."""
        accounts: dict[str, str] = {}
        families: dict[str, tuple[str, ...]] = {}
        bearers: defaultdict[int, set[str]] = defaultdict(set)
        addresses: set[int] = set()
        for customer in customers:
            key = account_key(customer.account)
            if not key:
                continue
            accounts[key] = customer.account
            if customer.families:
                families[key] = customer.families
            for name in customer.names:
                for mark in marks_of_name(name):
                    bearers[mark].add(key)
            for address in customer.addresses:
                for mark in marks_of_address(address):
                    addresses.add(mark)
                    bearers[mark].add(key)
        return cls(accounts, _worth_while(families), _telling(bearers, addresses))

    def sieve(self) -> Sieve:
        """Return what lets the marks of the known names through."""
        return Sieve.of(self.names) if self.names else Sieve()

    def are_kin(self, one: str, other: str) -> bool:
        """Say whether two accounts, given as keys, may stand on each other's pages."""
        if one == other:
            return True
        families = self.families.get(one, ())
        return any(family in families for family in self.families.get(other, ()))


NOTHING_KNOWN = Knowledge()


def _worth_while(families: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Leave out the families of one account: they excuse nothing."""
    sizes = Counter(family for several in families.values() for family in several)
    return {
        key: kept
        for key, several in families.items()
        if (kept := tuple(family for family in several if sizes[family] > 1))
    }


def _telling(bearers: Mapping[int, set[str]], addresses: set[int]) -> dict[int, tuple[str, ...]]:
    return {
        mark: tuple(keys)
        for mark, keys in bearers.items()
        if len(keys) <= (MOST_AT_ONE_ADDRESS if mark in addresses else MOST_BEARERS)
    }
