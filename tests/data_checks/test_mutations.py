"""Each check fires on its own defect, and on nothing else.

Rules 10, 29, 38, 44, 60, 62, 137: the checks that carry them out.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from data_checks.check import find, to_query
from data_checks.checks.catalog import CATALOG
from data_checks.parameters import Thresholds, parameters
from tests.data_checks.mutations import MUTATIONS
from tests.data_checks.rows import RUN, TODAY


def firing(connection) -> set[str]:
    """Return the names of the checks that find something, by our own queries alone."""
    values = parameters(connection, RUN, TODAY, Thresholds())
    return {check.name for check in CATALOG if find(connection, check, to_query(check.sql, values))}


def test_no_check_fires_on_a_clean_run(clean_books):
    with clean_books.reading() as connection:
        assert set() == firing(connection)


def test_every_check_has_a_seeded_defect():
    assert {check.name for check in CATALOG} == {mutation.check for mutation in MUTATIONS}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.check)
def test_a_defect_is_found_by_its_own_check(clean_books, mutation):
    with clean_books.engine.connect() as connection:
        transaction = connection.begin()
        for statement in mutation.statements:
            assert connection.execute(sa.text(statement)).rowcount > 0

        fired = firing(connection)

        transaction.rollback()
    assert {mutation.check} | mutation.along == fired
