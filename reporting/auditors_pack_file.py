"""Writing an auditor's pack: one zip, for its owner alone, the same bytes for the same books."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from reporting.private_files import PRIVATE, replacing

EARLIEST = (1980, 1, 1, 0, 0, 0)  # what a zip can say at all: no moment of ours is in it
UNIX = 3


def write_pack(file: Path, members: Mapping[str, bytes]) -> None:
    """
    Write the files into a zip, whole or not at all; an older one is replaced.

    Stored and not compressed: releases of zlib differ in the bytes they make.
    """
    with replacing(file) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(_entry(name), content)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EARLIEST)
    entry.create_system = UNIX
    entry.external_attr = PRIVATE << 16
    return entry
