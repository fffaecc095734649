"""How amounts move with use: a fit that few wrong lines do not bend."""

from __future__ import annotations

from typing import Any

import numpy as np

MOST_KNOTS = 12  # where a class's price may bend
EACH_KNOT = 12  # lines, so that a bend is not one customer's
TINY = 1e-12  # beside the largest: a direction in which nothing differs
ROUNDS = 12  # of weighing, after which the weights stand still


def fitted_moves(now: Any, before: Any, moved: Any, was: Any, *, one_price: bool = False) -> Any:
    """
    Fit by how much amounts move with use: straight pieces for each month, by least absolute sums.

    A part of what it `was` is common too: where all rise by three parts in a hundred, who has
    twice the base rises by twice as much. `one_price`: both months have the same steps but for
    such a rise, which few lines at an end of the uses bend less.

    Few lines that are wrong do not bend such a fit, as they would one by least squares.
    """
    steps = _knots(np.r_[now, before])
    scale = max(float(np.median(np.r_[now, before])), 1.0)
    pieces = [np.maximum(use[:, None] - steps, 0) / scale for use in (now, before)]
    share = was / max(float(np.median(np.abs(was))), 1.0)
    moves = (pieces[0] - pieces[1],) if one_price else (pieces[0], -pieces[1])
    design = np.c_[np.ones(len(now)), share, *moves]
    # its columns are made alike and independent once: then a round is sums, and no decomposition
    basis = np.linalg.svd(design, full_matrices=False)
    design = basis[0][:, basis[1] > basis[1].max() * TINY]
    weights = np.ones(len(now))
    fitted = np.zeros(len(now))
    for _ in range(ROUNDS):
        weighted = (design * weights[:, None]).T
        fitted = design @ np.linalg.lstsq(weighted @ design, weighted @ moved, rcond=None)[0]
        weights = 1 / np.maximum(np.abs(moved - fitted), 1.0)  # a cent is exact
    return fitted


def _knots(uses: Any) -> Any:
    """Return where a price may bend: evenly by customers, and closer among the largest."""
    count = int(np.clip(len(uses) // EACH_KNOT // 4, 1, MOST_KNOTS))
    even = list(np.arange(count) / count)
    tail = 0.5 / count
    while tail * len(uses) >= EACH_KNOT:
        even.append(1 - tail)
        tail /= 2
    return np.unique(np.r_[0.0, np.quantile(uses, even)])
