"""The bundle.toml of an export, without anything else of it."""

from __future__ import annotations

from pathlib import Path

from billing_system.export_files import Folder, ZipFolder, open_place
from billing_system.manifest import LARGEST_MANIFEST, Manifest, parse_manifest
from billing_system.manifest_fields import MANIFEST
from domain.failures import Misuse


def read_manifest(source: Path) -> Manifest:
    """Say what an export is of; raises Misuse where there is no usable export at the path."""
    return read_manifest_in(open_place(source))


def read_manifest_in(place: Folder | ZipFolder) -> Manifest:
    """Read the bundle.toml of an opened export; raises Misuse."""
    with place.open(MANIFEST) as stream:
        content = stream.read(LARGEST_MANIFEST + 1)
    if len(content) > LARGEST_MANIFEST:
        raise Misuse(f"{MANIFEST} is larger than {LARGEST_MANIFEST} bytes; correct it", "bundle")
    return parse_manifest(content)
