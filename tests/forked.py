"""Processes that are forked from one that has loaded what they need."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext

_needed: list[str] = []


def load_before_forks(module: str) -> None:
    """
    Have a module loaded before any process is forked; to be said while tests are collected.

    Python forks all of them from one process, which loads what it was told before the first of
    them and nothing later: what only one folder's tests name, the others' first fork would miss.
    """
    if module not in _needed:
        _needed.append(module)


def forks() -> ForkServerContext:
    """Return the context whose processes have everything loaded that the collected tests need."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_needed)
    return context
