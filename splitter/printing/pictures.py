"""What pages look like, seen by a process of its own: a hostile page ends nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from domain.failures import Refused
from splitter.printing.page_pictures import write_picture
from splitter.text.patterns import Region

SECONDS, PAGE_SECONDS = 60, 0.5
_DOTS = 1.5  # a point
_WHITE = 250  # of 255
_PROGRAM = """
import json, sys, pypdfium2
asked = json.load(sys.stdin)
document = pypdfium2.PdfDocument(asked["path"])
document.init_forms()
found = []
for number, unit in zip(asked["pages"], asked["units"]):
    left, top, right, bottom = [side / unit for side in asked["region"]]
    page = document[number]
    width, height = page.get_size()
    crop = max(0, left), max(0, height - bottom), max(0, width - right), max(0, top)
    is_there = left >= 0 and top >= 0 and right <= width and bottom <= height
    if is_there:
        picture = page.render(scale=asked["dots"] * unit, crop=crop, grayscale=True).to_pil()
        is_there = picture.getextrema()[0] >= asked["white"]
    if not is_there:
        found.append(number)
    page.close()
json.dump(found, sys.stdout)
"""


def pages_in_the_way(
    path: Path, pages: Sequence[int], units: Sequence[float], region: Region
) -> frozenset[int]:
    """
    Return the pages (from 0) that show anything in a region, or that do not have it whole.

    `units` are how many points a unit of each is, which pdfium does not know. Raises Refused where
    they cannot be drawn.
    """
    if not pages:
        return frozenset()
    asked = {
        "path": str(path.absolute()), "pages": list(pages), "units": list(units),
        "region": region, "dots": _DOTS, "white": _WHITE,
    }  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _PROGRAM],
            input=json.dumps(asked).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=SECONDS + PAGE_SECONDS * len(pages),
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise Refused("no-picture", f"The pages of {path.name} cannot be drawn.") from None
    return frozenset(json.loads(done.stdout))


def write_pictures(path: Path, pages: Sequence[int]) -> list[bytes]:
    """Return pictures of pages (from 0) as PNG; raises Refused where one cannot be drawn."""
    with tempfile.TemporaryDirectory(prefix="billclose-") as folder:  # private to its owner
        pictures = []
        for page in pages:
            place = Path(folder) / f"{page}.png"
            write_picture(path, page, place)
            pictures.append(place.read_bytes())
        return pictures
