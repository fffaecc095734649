"""An office whose settings are a file of its home, as staff change them."""

from __future__ import annotations

from tests.web.office.wording.conftest import office  # noqa: F401 - a fixture
