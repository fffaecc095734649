"""Customer service at the console, and the customers whom they help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from database.definitions.identity import activity
from database.tables import audit, payment_method
from domain.identity import Role
from office.secrets.files import make_secret
from payments.scheduling.scheduling import schedule_autopay
from tests.builders import NOW, OFFICE_DEFAULTS, a_household, a_mandate, close_run, stage_run
from tests.done_before import as_done_before
from tests.office.health_builders import an_office_at
from tests.web.customers.conftest import ANN, Browser, register
from tests.web.office.conftest import TRIAL, desk, member, signed_in  # noqa: F401 - fixtures

OAK, ELM = "01.1037.1", "02.2000.2"
OAK_KEY, ELM_KEY = "0110371", "0220002"
ANNS_TOKEN = "tok_ann_1"


@dataclass
class Town:
    """An office with two households and one customer at its portal."""

    office: Any
    ann: int

    @property
    def page(self) -> str:
        return f"/csr/customers/{self.ann}"

    def acts(self) -> list[str]:
        with self.office.database.reading() as books:
            return list(books.scalars(sa.select(audit.c.action).order_by(audit.c.id)))

    def log(self) -> list[tuple[str, str, str]]:
        row = activity.c
        with self.office.database.reading() as books:
            rows = books.execute(sa.select(row.kind, row.by, row.detail).order_by(row.number))
            return [tuple(one) for one in rows]


@pytest.fixture
def office(tmp_path, books):
    """October is closed and autopay scheduled: Ann's card pays for Oak Street on the 15th."""
    make_secret(tmp_path)
    as_done_before(books, "the console's town", partial(_fill, books))
    return an_office_at(tmp_path, books, "2026-11-03T09:00", web=TRIAL)


def _fill(books) -> None:
    stage_run(
        books,
        a_household(
            OAK,
            a_mandate(OAK, method_token=ANNS_TOKEN),
            name="ABBOTT, ANN",
            last_name="ABBOTT",
            service_address="2172 Main St Apt 1",
            mailing_address="PO Box 77",
            email="ann.abbott@example.com",
            district="North",
        ),
        a_household(
            ELM,
            mandates=(),
            name="García-López, Bo",
            last_name="García-López",
            service_address="2172 Main St Apt 2",
            mailing_address="9 Elm Ave",
            email="bo@example.com;bea@example.com",
            district="South",
        ),
    )
    with books.writing() as rows:
        rows.execute(payment_method.update().values(portal_user=ANN))
    close_run(books)
    schedule_autopay(
        books,
        "2026-10",
        now=NOW,
        today=date(2026, 11, 2),
        closed=frozenset(),
        policy=OFFICE_DEFAULTS,
    )


@pytest.fixture
def town(office) -> Town:
    return Town(office, register(office, accounts=(OAK_KEY,)))


@pytest.fixture
def csr(signed_in, town) -> Browser:  # noqa: F811
    return signed_in(Role.CSR)


@pytest.fixture
def supervisor(signed_in, town) -> Browser:  # noqa: F811
    return signed_in(Role.SUPERVISOR)


@pytest.fixture
def customer(desk, town) -> Callable[[], Browser]:  # noqa: F811
    """Sign Ann in to the portal: `customer()`."""

    def sign_in() -> Browser:
        browser = Browser(desk)
        assert 303 == browser.sign_in().status_code
        return browser

    return sign_in
