"""
Pictures for the documentation, taken while the tests run; this makes them anew:

    export BILLCLOSE_PICTURES=docs/pictures
    .venv/bin/python -m pytest tests/browser/test_closing_in_prefect.py

The portal's tests write what they look at into the same folder: give them another one.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

FOLDER = "BILLCLOSE_PICTURES"
WINDOW = {"width": 1240, "height": 960}
FORM_HEIGHT = 1800
DRAWN_BYTES = 12_000  # an empty graph is much smaller as a PNG
DRAWN_SECONDS = 30


class Camera:
    """Writes pictures into the folder that the environment names; without one it writes none."""

    def __init__(self, page: Any) -> None:
        named = os.environ.get(FOLDER)
        self._folder = Path(named) if named else None
        self._page = page

    def take_page(self, name: str) -> None:
        """Take what the window shows."""
        self._take(self._page, name)

    def take_form(self, form: Any, name: str) -> None:
        """Take an open form alone, in a window that is high enough for all of it."""
        if self._folder is not None:
            self._page.set_viewport_size(WINDOW | {"height": FORM_HEIGHT})
            self._take(form, name)
            self._page.set_viewport_size(WINDOW)

    def wait_for_graph(self) -> None:
        """Let the graph of the run that is open be drawn anew: in one that grows all is small."""
        if self._folder is not None:
            self._page.reload()
            graph = self._page.locator("canvas").first
            end = time.monotonic() + DRAWN_SECONDS
            while len(graph.screenshot()) < DRAWN_BYTES and time.monotonic() < end:
                time.sleep(0.2)

    def _take(self, shown: Any, name: str) -> None:
        if self._folder is not None:
            shown.screenshot(path=self._folder / f"{name}.png", animations="disabled")
