"""The office's logo and photo are sent on a page, made anew, shown, and taken back (rule 201)."""

from __future__ import annotations

import html
import io
import stat
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from domain.identity import Role
from office.procedures.administering.changing import setting_changes
from office.settings.settings import open_settings
from web.theme import LARGEST_FILE, MOST_POINTS, PHOTO, remake

THEME, PICTURE = "/office/settings/theme", "/office/settings/theme/picture"
SCRIPT = b"<script>alert(1)</script>"


def picture(kind: str = "PNG", size: tuple[int, int] = (600, 300), color="#2a7", **more) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, color).save(content, kind, **more)
    return content.getvalue()


def located() -> Image.Exif:
    """Return what a phone writes beside a photo: its maker, and that it was held sideways."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x9286] = "Phone of Ann", 6, "37.77 N, 122.42 W"
    return exif


def commented() -> PngImagePlugin.PngInfo:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", SCRIPT.decode())
    return told


def bomb() -> bytes:
    """Return a PNG of few octets that says it is 60,000 points wide and high."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1_000_000)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(told)) + name + told + struct.pack(">I", zlib.crc32(name + told))
        for name, told in parts
    )


def send(browser, content: bytes, which: str = "logo", name: str = "town.png", **fields: str):
    page = browser.get(THEME).text
    was = page.partition('name="was" value="')[2].partition('"')[0]
    told = {"csrf": browser.token, "which": which, "was": was} | fields
    return browser.ask_with_files(PICTURE, told, {"file": (name, content, "image/png")})


def post(browser, path: str, **fields: str):
    page = browser.get(THEME).text
    was = page.partition('name="was" value="')[2].partition('"')[0]
    return browser.post(path, **{"was": was} | fields)


def kept(office) -> list[str]:
    folder = office.home / "pictures"
    return sorted(one.name for one in folder.iterdir()) if folder.exists() else []


def chosen(office) -> tuple[str, str]:
    theme = open_settings(office.home).theme
    return theme.logo, theme.photo


def test_a_logo_and_a_photo_show_at_once_and_it_is_known_who_sent_them(office, signed_in):
    admin = signed_in(Role.ADMIN)

    first = send(admin, picture(size=(800, 100)))
    second = send(admin, picture("JPEG", (3000, 2000)), "photo")
    page = admin.get(second.headers["location"]).text
    shown = [admin.get(path) for path in _pictures(page)]

    assert [303, 303] == [first.status_code, second.status_code]
    assert "The picture shows on the pages from now on." in page
    assert ["image/png", "image/png", "image/jpeg"] == [
        one.headers["content-type"] for one in shown
    ]
    assert {"sandbox; default-src 'none'"} == {
        one.headers["content-security-policy"] for one in shown
    }
    assert {"nosniff"} == {one.headers["x-content-type-options"] for one in shown}
    assert [("theme.photo", "admin 1"), ("theme.logo", "admin 1")] == [
        (one.name, one.changed_by) for one in setting_changes(office)
    ]
    assert chosen(office) == tuple(f"pictures/{name}" for name in kept(office))
    modes = {stat.S_IMODE((office.home / name).stat().st_mode) for name in chosen(office)}
    assert {0o600} == modes


def test_a_picture_is_taken_back_to_the_one_before_and_off(office, signed_in):
    admin = signed_in(Role.ADMIN)
    send(admin, picture(color="#135"))
    first = chosen(office)
    send(admin, picture(color="#531"))
    number = str(setting_changes(office)[0].number)

    back = post(admin, f"{PICTURE}/undo", number=number)
    again = chosen(office)
    post(admin, f"{PICTURE}/remove", which="logo")

    assert ("", 303) == (first[1], back.status_code)
    assert (first, ("", "")) == (again, chosen(office))
    assert 2 == len(kept(office))  # what can be taken back to stays
    assert 4 == len(setting_changes(office))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(picture() + SCRIPT, id="behind it"),
        pytest.param(picture(pnginfo=commented()), id="as text"),
        pytest.param(picture(icc_profile=SCRIPT * 9), id="as a color profile"),
        pytest.param(picture("JPEG", comment=SCRIPT), id="as a comment"),
        pytest.param(picture("JPEG", icc_profile=SCRIPT * 9), id="as a JPEG's color profile"),
        pytest.param(picture("JPEG", exif=located()) + SCRIPT, id="with its place"),
        pytest.param(picture("WEBP", exif=located(), xmp=SCRIPT), id="as XMP"),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_nothing_of_a_file_is_kept_but_its_points(content, kind):
    made = remake(content, "The file", PHOTO, kind).content

    with Image.open(io.BytesIO(made)) as found:
        told = set(found.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert ({}, set()) == (dict(found.getexif()), told)
    assert not any(one in made for one in (SCRIPT, b"Phone of Ann", b"122.42", b"Exif"))


def test_a_photo_that_was_held_sideways_stands_upright():
    made = remake(picture("JPEG", (400, 200), exif=located()), "The file", PHOTO, "JPEG")

    assert (100, 200) == (made.width, made.height)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "is no PNG, JPEG or WebP"),
        (b"GIF89a/*" + SCRIPT, "is no PNG, JPEG or WebP"),
        (picture("GIF"), "is no PNG, JPEG or WebP"),
        (picture()[:150], "is no PNG, JPEG or WebP"),
        (b"%PDF-1.7\n" + picture(), "is no PNG, JPEG or WebP"),
        (b"PK\3\4" + picture(), "is no PNG, JPEG or WebP"),
        (b"", "is no PNG, JPEG or WebP"),
        (bomb(), "has too many points; make it smaller."),
        (b"\x89PNG\r\n\x1a\n" + b"0" * (LARGEST_FILE + 1), "The file is larger than 10 MB."),
    ],
)
def test_what_is_no_picture_is_said_beside_the_field_and_not_kept(
    office, signed_in, content, sentence
):
    answer = send(signed_in(Role.ADMIN), content)

    said = html.unescape(answer.text)
    assert (422, True) == (answer.status_code, sentence in said), said[-900:]
    assert ([], ("", ""), []) == (kept(office), chosen(office), setting_changes(office))
    assert 60_000 * 60_000 > MOST_POINTS


def test_a_larger_request_is_not_read(signed_in):
    assert 413 == send(signed_in(Role.ADMIN), b"0" * 10_200_000).status_code


def test_no_file_an_unknown_place_and_an_older_page_change_nothing(office, signed_in):
    admin = signed_in(Role.ADMIN)

    told = [
        send(admin, b"", name="").text,
        send(admin, picture(), which="../../logo").text,
        send(admin, picture(), was="of yesterday").text,
    ]

    said = ["Choose a picture to send.", "the logo or the photo", "Somebody else has changed these"]
    assert [True] * 3 == [one in html.unescape(page) for one, page in zip(said, told, strict=True)]
    assert ("", "") == chosen(office)


@pytest.mark.parametrize("role", [Role.CLERK, Role.SUPERVISOR, Role.AUDITOR])
def test_who_may_not_change_the_portal_sees_its_look_alone(office, signed_in, role):  # rule 206
    browser = signed_in(role)

    page = browser.get(THEME).text
    sent = send(browser, picture())
    removed = browser.send(f"{PICTURE}/remove", which="logo")

    assert (False, False) == ("Use this logo" in page, "Change the color" in page)
    assert (403, 403, ("", "")) == (sent.status_code, removed.status_code, chosen(office))


def _pictures(page: str) -> list[str]:
    return [part.partition('"')[0] for part in page.split('src="')[1:] if part.startswith("/theme")]
