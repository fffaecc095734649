"""The town in which the documents are walked: customer service, its customers, the office."""

from __future__ import annotations

from tests.web.conftest import books
from tests.web.csr.conftest import csr, customer, office, supervisor, town
from tests.web.office.conftest import desk, member, signed_in

__all__ = [
    "books",
    "csr",
    "customer",
    "desk",
    "member",
    "office",
    "signed_in",
    "supervisor",
    "town",
]
