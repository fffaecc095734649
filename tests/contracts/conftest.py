"""The desks that the contracts are held at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.capture_desks import CaptureDesk, SandboxCaptureDesk, StripeCaptureDesk
from tests.contracts.gateway_desks import Desk, SandboxDesk
from tests.contracts.stripe_desk import StripeDesk
from tests.payments import stripe_program


@pytest.fixture(scope="session")
def localstripe_url() -> Iterator[str]:
    """Where localstripe answers; one for all tests of a process."""
    with stripe_program.running() as url:
        yield url


@pytest.fixture
def stripe_desk(localstripe_url) -> Iterator[StripeDesk]:
    chosen = StripeDesk(localstripe_url)
    yield chosen
    chosen.close()


@pytest.fixture(params=["sandbox", "stripe"])
def desk(request: pytest.FixtureRequest, tmp_path) -> Iterator[Desk]:
    if request.param == "stripe":
        yield request.getfixturevalue("stripe_desk")
        return
    chosen = SandboxDesk(tmp_path)
    yield chosen
    chosen.gateway.close()


@pytest.fixture(params=["sandbox", "stripe"])
def capture_desk(request: pytest.FixtureRequest, tmp_path) -> Iterator[CaptureDesk]:
    if request.param == "stripe":
        yield request.getfixturevalue("stripe_capture")
        return
    chosen = SandboxCaptureDesk(tmp_path)
    yield chosen
    chosen.close()


@pytest.fixture
def stripe_capture(stripe_desk) -> Iterator[StripeCaptureDesk]:
    chosen = StripeCaptureDesk(stripe_desk)
    yield chosen
    chosen.close()
