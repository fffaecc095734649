"""Secrets that a Prefect server keeps: looked up when they are needed, and not before."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import SecretStr

from domain.failures import Misuse, TemporaryFailure
from office.prefect_access import authorization, current_address, current_auth
from office.redaction import remember

PREFIX = "prefect-secret:"
SECONDS = 10


class PrefectSecret(SecretStr):
    """A secret in a Secret block; it shows itself like any other: not at all."""

    def get_secret_value(self) -> str:
        """
        Ask the server for the block, each time: what was changed there holds from the next use.

        Raises Misuse where no server or no such block is known, TemporaryFailure where the
        server does not answer.
        """
        name = super().get_secret_value().removeprefix(PREFIX)
        value = _ask(name)
        remember([value])
        return value


def _ask(name: str) -> str:
    import httpx

    api_url = current_address()
    if not api_url:
        raise Misuse(
            f"The secret {name} is kept by Prefect, and no Prefect server is known; start "
            "`billclose up`, or set prefect.api_url.",
            "no-secret",
        )
    place = f"block_types/slug/secret/block_documents/name/{quote(name, safe='')}"
    try:
        answer = httpx.get(
            f"{api_url}/{place}",
            params={"include_secrets": "true"},
            headers=authorization(current_auth()),
            timeout=SECONDS,
        )
    except httpx.HTTPError as failure:
        raise TemporaryFailure(
            f"The secret {name} is kept by Prefect, whose server does not answer "
            f"({type(failure).__name__})."
        ) from None
    value = answer.json().get("data", {}).get("value") if answer.is_success else None
    if value is None:
        raise Misuse(
            f"The Prefect server has no Secret block {name} for us (status "
            f"{answer.status_code}); make it in its UI under Blocks.",
            "no-secret",
        )
    return str(value)
