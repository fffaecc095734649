"""The section about who does the work of a close: one machine or several."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from office.settings_section import Section

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class WorkersSettings(Section):
    task_runner: Literal["threads", "claims", "dask"] = Field(
        "threads",
        description="threads: this machine splits alone; claims: with every machine on which "
        "`billclose work` runs; dask: with the workers of a Dask scheduler.",
    )
    address: str = Field(
        "",
        description="The Dask scheduler, such as tls://scheduler.internal:8786; "
        "empty: a cluster of this machine's own.",
    )
    batch_bills: int = Field(
        1000, ge=1, le=50_000, description="Bills that a machine takes at a time."
    )

    @field_validator("address")
    @classmethod
    def check_address(cls, value: str) -> str:
        """Whoever reaches a scheduler can run anything on its workers, so it must be tls."""
        if not value:
            return value
        address = urlsplit(value)
        if address.scheme not in ("tcp", "tls") or not address.hostname or address.port is None:
            raise ValueError("write tls://host:port, or tcp://127.0.0.1:port on one machine")
        if address.scheme == "tcp" and address.hostname not in LOOPBACK:
            raise ValueError(
                "a scheduler on another machine must be tls://: "
                "whoever reaches it otherwise can run anything on the workers"
            )
        return value
