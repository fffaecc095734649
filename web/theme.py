"""The office's own look: its color, its logo and its photo, made ready once (rule 201)."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from domain.colors import Color, Palette
from domain.failures import Misuse
from office.equipment.office import Office

OURS = Color.parse("#14506f")
KINDS = ("PNG", "JPEG", "WEBP")  # no SVG: it may hold scripts
LARGEST_FILE = 10_000_000  # octets
MOST_POINTS = 40_000_000
LOGO, PHOTO = (320, 96), (1_440, 560)  # at most so wide and high, twice what a page shows
FAULTS = (  # what a picture's reader may say of a file that is none
    *(OSError, ValueError, SyntaxError, EOFError, IndexError, OverflowError),
    *(struct.error, zlib.error),
)
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_OF_PICTURES = _FOREVER | {"Content-Security-Policy": "sandbox; default-src 'none'"}


@dataclass(frozen=True, slots=True)
class ThemePicture:
    """A picture made anew from what the office gave: nothing of the file is left but its points."""

    path: str
    width: int  # of the page, half of its own
    height: int
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Theme:
    """What the pages need of an office's look; `style_path` is empty where the color is ours."""

    brand: str
    style_path: str
    style: str
    logo: ThemePicture | None
    photo: ThemePicture | None


def theme_of(office: Office) -> Theme:
    """
    Return the office's look; what was read once is kept until the desk starts anew.

    Raises Misuse where a picture is not there or is none.
    """
    chosen = office.settings.theme
    return _read(str(office.home), chosen.color, chosen.logo, chosen.photo)


def send_themed(request: Request) -> Response:
    """Send the style or a picture of the theme by its hashed name; there is nothing else."""
    office: Office = request.app.state.office
    theme, asked = theme_of(office), request.url.path
    if theme.style_path == asked:
        return Response(theme.style, media_type="text/css", headers=_FOREVER)
    for picture in (theme.logo, theme.photo):
        if picture is not None and picture.path == asked:
            return Response(picture.content, media_type=picture.media_type, headers=_OF_PICTURES)
    return Response("Not found.\n", 404, media_type="text/plain")


@cache
def _read(home: str, color: str, logo: str, photo: str) -> Theme:
    palette = Palette(Color.parse(color)) if color else Palette(OURS)
    style = (
        f":root {{ --brand: {palette.brand}; --brand-dark: {palette.dark}; "
        f"--tint: {palette.tint}; }}\n"
    )
    return Theme(
        str(palette.brand),
        f"/theme/{_short(style.encode())}.css" if color else "",
        style,
        _picture(Path(home), "theme.logo", logo, LOGO, "PNG"),
        _picture(Path(home), "theme.photo", photo, PHOTO, "JPEG"),
    )


def remake(content: bytes, said: str, most: tuple[int, int], kind: str) -> ThemePicture:
    """
    Write a picture anew, of its points alone and at most so wide and high.

    Where it was taken, by what, its comments, its color profile and what hangs behind it are gone;
    it stands as its camera was held. Raises Misuse, beginning with `said`, for a file that is no
    picture, and for one with so many points that to read it would take the machine's memory.
    """
    from PIL import Image, ImageOps  # it takes long to load

    try:
        with Image.open(io.BytesIO(content), formats=KINDS) as found:
            if found.width * found.height > MOST_POINTS:
                raise Misuse(f"{said} has too many points; make it smaller.")
            upright = ImageOps.exif_transpose(found)
            points = (upright or found).convert("RGB" if kind == "JPEG" else "RGBA")
    except Image.DecompressionBombError as failure:
        raise Misuse(f"{said} has too many points; make it smaller.") from failure
    except FAULTS as failure:
        raise Misuse(f"{said} is no PNG, JPEG or WebP that can be read.") from failure
    points.thumbnail(most)
    made = Image.new(points.mode, points.size)  # `points` still knows what stood beside them
    made.paste(points)
    out = io.BytesIO()
    made.save(out, kind, optimize=True)
    path = f"/theme/{_short(out.getvalue())}.{kind.lower()}"
    size = (max(made.width // 2, 1), max(made.height // 2, 1))
    return ThemePicture(path, *size, f"image/{kind.lower()}", out.getvalue())


def _picture(
    home: Path, setting: str, name: str, most: tuple[int, int], kind: str
) -> ThemePicture | None:
    """Read a picture and write it anew, so that a page never sends what a file smuggles."""
    if not name:
        return None
    return remake(_content(home, setting, name), f"{setting}: {name}", most, kind)


def _content(home: Path, setting: str, name: str) -> bytes:
    try:
        content = (home / name).read_bytes()
    except OSError as failure:
        raise Misuse(f"{setting}: {name} is not in the home, or cannot be read.") from failure
    if len(content) > LARGEST_FILE:
        raise Misuse(f"{setting}: {name} is larger than 10 MB.")
    return content


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
