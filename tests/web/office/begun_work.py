"""What pages have begun, done in this process: one of its own loads as long as three closes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.flows.desk import at_server
from web.office.begun import close_work


def held_back(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let pages begin no process from now on; return what they have begun, to be done."""
    begun: list[Any] = []

    def noted(words: list[str], **_: Any) -> None:
        begun.append(arguments_of(words))

    programs = SimpleNamespace(Popen=noted, DEVNULL=None)
    monkeypatch.setattr(close_work, "subprocess", programs)
    return begun


def arguments_of(words: list[str]) -> list[str]:
    """Return what a process that a page begins would give to `work`."""
    return words[words.index(close_work.WORK) + 1 :]


def carry_out(begun: list[Any], server: Any) -> None:
    """Do all of it, beside a Prefect server."""
    with at_server(server.running.api_url):
        while begun:
            close_work.work(*begun.pop(0))
