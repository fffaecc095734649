"""Questions to the clerk at the terminal."""

from __future__ import annotations

import sys

import click


def is_at_terminal() -> bool:
    """Tell whether somebody is there who reads what is said and can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> bool:
    """Ask for a yes; where nobody can answer, the answer is no."""
    return is_at_terminal() and click.confirm(question, default=False, err=True)
