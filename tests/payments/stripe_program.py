"""localstripe as a program beside the tests, where it is installed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("BILLCLOSE_TEST_CACHE") or Path.home() / ".cache/billclose-tests")
PYTHON = CACHE / "localstripe/bin/python"
RUNNER = Path(__file__).with_name("run_localstripe.py")


@contextmanager
def running() -> Iterator[str]:
    """Give the address of a fresh localstripe; skips where it is not installed, but not in CI."""
    if not PYTHON.exists():
        missing = f"localstripe is not installed in {PYTHON.parent.parent}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    program = subprocess.Popen([PYTHON, RUNNER], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        yield f"http://127.0.0.1:{int(program.stdout.readline())}"
    finally:
        program.kill()
        program.wait()
        program.stdout.close()
