"""Inserting what may be there already: said once to the database, and kept."""

from __future__ import annotations

from database.inserting import insert_new
from database.tables import print_batch, suppressed_address


def test_an_insert_of_what_may_be_there_is_made_into_text_once(database):
    """To make it anew takes longer than to insert the row, and a draw inserts two."""
    dialect = database.engine.dialect.name

    first = insert_new(dialect, suppressed_address)
    again = insert_new(dialect, suppressed_address)
    other = insert_new(dialect, print_batch)

    key = first._generate_cache_key()
    assert key is not None and key == again._generate_cache_key()
    assert key != suppressed_address.insert()._generate_cache_key()
    assert key != other._generate_cache_key()
