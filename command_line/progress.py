"""The steps of a run on the screen, as they go on."""

from __future__ import annotations

import sys
import time

import click


class StepLines:
    """
    One line a step on standard error: its name, how far it is, what came of it.

    On a terminal the line is rewritten as the step moves on; in a log only its end is written.
    """

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._started = time.monotonic()
        self._shown = 0.0

    def begin(self, step: str) -> None:
        self._started = time.monotonic()
        self._rewrite(f"  … {step}")

    def move(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if not self._live or now - self._shown < 0.1 or not total:
            return
        self._shown = now
        bar = "█" * (20 * done // total)
        self._rewrite(f"  … {step:26} {bar:20} {100 * done // total:3} %")

    def end(self, step: str, sentence: str) -> None:
        seconds = time.monotonic() - self._started
        self._rewrite("")
        click.echo(f"  ✓ {step:26} {sentence}  [{seconds:.1f} s]", err=True)

    def _rewrite(self, line: str) -> None:
        if self._live:
            click.echo(f"\r\x1b[2K{line}", nl=False, err=True)
