"""The town in which the documents are walked: customer service, its customers, the office."""

from __future__ import annotations

import shutil

import pytest

from database.books import Database
from office.secrets.files import make_secret
from tests.scenarios.documents.city import City, build_city
from tests.web.conftest import books
from tests.web.csr.conftest import csr, customer, office, supervisor, town
from tests.web.office.conftest import desk, member, signed_in

__all__ = [
    "books",
    "city",
    "csr",
    "customer",
    "desk",
    "member",
    "office",
    "signed_in",
    "supervisor",
    "town",
]


@pytest.fixture(scope="module")
def city(empty_sqlite, tmp_path_factory) -> City:
    """The city of the slides, made once for a file of tests."""
    home = tmp_path_factory.mktemp("city")
    shutil.copy(empty_sqlite, home / "billclose.db")
    made = Database(f"sqlite:///{home / 'billclose.db'}")
    make_secret(home)
    yield build_city(home, made)
    made.close()
