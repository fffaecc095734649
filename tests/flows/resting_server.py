"""A Prefect server that stands still while no test needs it."""

from __future__ import annotations

import signal

import pytest

from office.prefect_server.server import PrefectServer


class RestingServer:
    """
    Stops the server's process after a test, unless the next one needs it, too.

    It looks for work by itself all the time, which takes a ninth of a processor.
    """

    def __init__(self, server: PrefectServer) -> None:
        self._server = server

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if needs_server(item):
            self.wake()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, nextitem: pytest.Item | None) -> None:
        if nextitem is not None and not needs_server(nextitem):
            self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._server.process is not None:
            self._server.process.send_signal(number)


def needs_server(item: pytest.Item) -> bool:
    return "server" in getattr(item, "fixturenames", ())
