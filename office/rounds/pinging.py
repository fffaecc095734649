"""The dead man's ping: a server outside is told after each round, and tells when nobody does."""

from __future__ import annotations

import logging

from office.equipment.office import Office

LOGGER = logging.getLogger("prefect.billclose")
SECONDS = 10


def ping(office: Office, *, failed: bool) -> bool:
    """Ask alerts.ping_url, or its /fail; tell whether it answered well. Raises nothing."""
    import httpx  # loads long, and most offices have no such address

    url = office.settings.alerts.ping_url.get_secret_value()
    if not url:
        return True
    try:
        answer = httpx.get(f"{url.rstrip('/')}/fail" if failed else url, timeout=SECONDS)
    except httpx.HTTPError as failure:
        LOGGER.warning("alerts.ping_url does not answer: %s", type(failure).__name__)
        return False
    if not answer.is_success:
        LOGGER.warning("alerts.ping_url answers %d", answer.status_code)
    return answer.is_success
