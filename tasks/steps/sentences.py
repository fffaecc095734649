"""Failures in a run's state, as people read them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from prefect.states import Failed

from domain.failures import Misuse, PermanentFailure, Refused, TemporaryFailure

F = TypeVar("F", bound=Callable[..., Any])
SAID = (Misuse, Refused, PermanentFailure, TemporaryFailure)


def in_sentences(work: F) -> F:
    """
    Let a flow that ends by one of our failures show its sentence, without the class's name.

    The state is Failed as before and holds the failure, so that whoever called the flow gets it;
    what is not ours flies on, and Prefect tells it.
    """

    @functools.wraps(work)
    def told(*arguments: Any, **options: Any) -> Any:
        try:
            return work(*arguments, **options)
        except SAID as failure:
            return Failed(message=str(failure), data=failure)

    return told  # type: ignore[return-value]
