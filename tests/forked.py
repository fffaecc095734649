"""Processes that are forked from one that has loaded what they need."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.context import ForkServerContext

_needed: list[str] = []
_for_closes: list[str] = []


def load_before_forks(module: str, *, closes: bool = False) -> None:
    """
    Have a module loaded before any process is forked; to be said while tests are collected.

    Python forks all of them from one process, which loads what it was told before the first of
    them and nothing later: what only one folder's tests name, the others' first fork would miss.
    What `closes` need takes seconds to load. Where several workers share the tests, the one whose
    first fork is no close does without it: few closes come its way, and they load it themselves.
    """
    modules = _for_closes if closes else _needed
    if module not in modules:
        modules.append(module)


def forks(*, closes: bool = False) -> ForkServerContext:
    """Return the context whose processes have everything loaded that the collected tests need."""
    context = multiprocessing.get_context("forkserver")
    loads_all = closes or "PYTEST_XDIST_WORKER" not in os.environ
    context.set_forkserver_preload([*_needed, *(_for_closes if loads_all else ())])
    return context
