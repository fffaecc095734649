"""The picture of one page, drawn by a process of its own: a hostile page ends nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from domain.failures import Refused

DOTS = 2.0  # a point
SECONDS = 60
_PROGRAM = """
import sys, pypdfium2
page = pypdfium2.PdfDocument(sys.argv[1])[int(sys.argv[2])]
scale = min(float(sys.argv[3]), 4000 / max(page.get_size()))
page.render(scale=scale).to_pil().save(sys.argv[4], "PNG")
"""


def write_picture(path: Path, page: int, place: Path) -> None:
    """Write the picture of a page (from 0) as PNG; raises Refused where it cannot be drawn."""
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.close(descriptor)
    arguments = [str(path.absolute()), str(page), str(DOTS), str(place.absolute())]
    try:
        subprocess.run(
            [sys.executable, "-P", "-c", _PROGRAM, *arguments],
            check=True,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        place.unlink(missing_ok=True)
        raise Refused("no-picture", f"Page {page + 1} of {path.name} cannot be drawn.") from None
