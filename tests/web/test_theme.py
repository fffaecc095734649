"""The office's own color, logo and photo on the pages (rule 201)."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from pydantic import ValidationError

from domain.failures import Misuse
from office.settings.theme import ThemeSettings
from tests.office.health_builders import an_office_at
from tests.web.conftest import asking
from web.theme import theme_of


def picture(kind: str = "PNG", size: tuple[int, int] = (600, 300), **more) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, "#2a7").save(content, kind, **more)
    return content.getvalue()


def themed(home, books, **chosen):
    return an_office_at(home, books, "2026-11-03T09:00", theme=ThemeSettings(**chosen))


def test_a_color_that_cannot_be_read_is_refused_with_the_nearest_that_can():
    with pytest.raises(ValidationError) as refused:
        ThemeSettings(color="#ffcc00")

    sentence = refused.value.errors()[0]["msg"]
    assert "words could not be read in #ffcc00: their contrast would be 1.4" in sentence
    nearest = sentence.rpartition(" ")[2]
    assert nearest == ThemeSettings(color=nearest).color


def test_color_logo_and_photo_stand_on_the_sign_in_page(tmp_path, books, office):
    (tmp_path / "logo.png").write_bytes(picture(size=(800, 100)))
    (tmp_path / "river.jpg").write_bytes(picture("JPEG", (2000, 900)))
    ask = asking(themed(tmp_path, books, color="#0b5d3b", logo="logo.png", photo="river.jpg"))

    page = ask("GET", "/sign-in").text
    look = theme_of(themed(tmp_path, books, color="#0b5d3b", logo="logo.png", photo="river.jpg"))
    style = ask("GET", look.style_path)

    assert look.style_path in page and look.logo.path in page and look.photo.path in page
    assert "--brand: #0b5d3b" in style.text
    for shown, kind in ((look.logo, "image/png"), (look.photo, "image/jpeg")):
        answer = ask("GET", shown.path)
        assert (kind, 200) == (answer.headers["content-type"], answer.status_code)
        assert "immutable" in answer.headers["cache-control"]
    assert (160, 20) == (look.logo.width, look.logo.height)


def test_without_a_theme_nothing_more_is_fetched(ask):
    page = ask("GET", "/sign-in").text

    assert "/theme/" not in page and "<img" not in page


def test_what_a_picture_smuggles_is_not_sent_on(tmp_path, books, office):
    secret = b"<script>alert(1)</script>"
    (tmp_path / "logo.png").write_bytes(picture() + secret)

    assert secret not in theme_of(themed(tmp_path, books, logo="logo.png")).logo.content


UNREADABLE = "theme.logo: logo.png is no PNG, JPEG or WebP that can"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(lambda: b"<svg onload='alert(1)'/>", UNREADABLE, id="a drawing"),
        pytest.param(lambda: b"", UNREADABLE, id="nothing"),
        pytest.param(lambda: b"\x89PNG\r\n\x1a\n" + b"0" * 40, UNREADABLE, id="a beginning"),
        pytest.param(lambda: picture("GIF"), UNREADABLE, id="another kind"),
        pytest.param(lambda: picture()[:200], UNREADABLE, id="cut off"),
        pytest.param(
            lambda: picture("PNG", (9000, 5000)),
            "logo.png has too many points",
            id="too many points",
        ),
        pytest.param(lambda: b"0" * 10_000_001, "logo.png is larger than 10 MB.", id="too large"),
    ],
)
def test_a_file_that_is_no_picture_is_said_when_the_desk_starts(tmp_path, books, make, sentence):
    (tmp_path / "logo.png").write_bytes(make())

    with pytest.raises(Misuse, match=sentence):
        theme_of(themed(tmp_path, books, logo="logo.png"))


def test_a_file_that_is_not_there_is_said_when_the_desk_starts(tmp_path, books):
    with pytest.raises(Misuse, match="is not in the home, or cannot be read"):
        theme_of(themed(tmp_path, books, logo="logo.png"))


@pytest.mark.parametrize("name", ["x.css", "0.png", "..%2f..%2fbillclose.toml"])
def test_nothing_else_is_sent_by_name(ask, name):
    assert 404 == ask("GET", f"/theme/{name}").status_code
