"""The medians that a line's usual use is found by."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from data_checks.register.usual import row_medians
from tests.release import so_many

USES = st.one_of(st.just(np.nan), st.floats(-1e6, 1e6, width=32))


@settings(max_examples=so_many(10, release=100))
@given(arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2), elements=USES))
def test_the_median_of_each_row_is_as_numpy_has_it(values):
    expected = [
        np.median(row[~np.isnan(row)]) if not np.isnan(row).all() else np.nan for row in values
    ]

    np.testing.assert_array_equal(row_medians(values), np.array(expected, np.float32))


def test_a_row_without_a_number_has_no_median():
    assert np.isnan(row_medians(np.full((1, 12), np.nan, "f4"))).all()
