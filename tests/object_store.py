"""An S3 of our own on the loopback, for tests of what lies in the bill store."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

BUCKET = "larkspur"
SECRET = "a-secret-that-must-show-nowhere"


@dataclass(frozen=True)
class ObjectStore:
    """A running store, and what the environment of its users holds."""

    url: str
    environment: dict[str, str]


@contextmanager
def object_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """Run an S3 in this process and point this process to it."""
    from moto.server import ThreadedMotoServer
    from s3fs import S3FileSystem

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "larkspur",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",  # without keys nothing else is asked for some
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made = urllib.request.Request(f"{environment['AWS_ENDPOINT_URL']}/{BUCKET}", method="PUT")
    urllib.request.urlopen(made).close()
    S3FileSystem.clear_instance_cache()
    try:
        yield ObjectStore(f"s3://{BUCKET}/bills", environment)
    finally:
        S3FileSystem.clear_instance_cache()
        server.stop()
