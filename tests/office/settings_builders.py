"""What is said of settings that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.failures import Misuse
from office.settings.settings import open_settings


def refusal(place: Path) -> str:
    with pytest.raises(Misuse) as refused:
        open_settings(place)
    return refused.value.message
