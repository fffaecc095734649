"""The pages of the mails: readable for everybody, in every mail program, without anything else."""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import pytest

from mail.letters.bill import FORM_TITLES, Letter, a_sample
from mail.letters.notices import NOTICES
from mail.letters.samples import a_sample_notice
from mail.letters.templates import OfficeContact, Templates, inline, read_styles

TEMPLATES = Templates()
LINKED = replace(a_sample(), bill_link="https://portal.larkspur.example/b", password_hint="")
LETTERS: dict[str, Letter] = {
    **{form: a_sample(form) for form in (*FORM_TITLES, "backflow-test")},
    **{kind.value: a_sample_notice(kind) for kind in NOTICES},
    "a bill that is linked": LINKED,
}
every_letter = pytest.mark.parametrize("letter", LETTERS.values(), ids=LETTERS)
EMPTY = ("meta", "br")


@dataclass
class Written:
    """A piece of text with the color it has and the one it stands on."""

    text: str
    color: str
    ground: str


class Page(HTMLParser):
    """The tags of a page, which must be closed in order, and its texts with their colors."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str, str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[Written] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        self.tags.append((tag, facts))
        if tag in EMPTY:
            return
        style = dict(re.findall(r"(?:^|;)\s*([\w-]+):\s*([^;]+)", facts.get("style") or ""))
        _, color, ground = self.open[-1] if self.open else ("", "none", "none")
        if tag == "a":
            color = "none"  # mail programs have a color of their own for links
        self.open.append((tag, style.get("color", color), style.get("background-color", ground)))

    def handle_endtag(self, tag):
        assert tag == self.open.pop()[0]

    def handle_data(self, data):
        if data.strip() and self.open and self.open[-1][0] not in ("title", "html", "head"):
            self.texts.append(Written(data.strip(), *self.open[-1][1:]))


def page_of(letter: Letter) -> Page:
    return Page(TEMPLATES.word(letter).html)


def luminance(color: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def turned(color: str) -> str:
    """Turn light into dark and back, as mail programs do that have a dark mode of their own."""
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    back = colorsys.hls_to_rgb(hue, 1 - light, saturation)
    return "#" + "".join(f"{round(part * 255):02x}" for part in back)


def test_contrast_is_computed_as_wcag_has_it():
    assert 21.0 == pytest.approx(contrast("#000000", "#ffffff"))
    assert 4.54 == pytest.approx(contrast("#767676", "#ffffff"), abs=0.01)
    assert "#ffffff" == turned("#000000")


@every_letter
def test_a_page_is_sound_and_needs_nothing_from_elsewhere(letter):
    page = page_of(letter)

    tags = [tag for tag, _ in page.tags]
    facts = dict(page.tags)
    assert [] == page.open
    assert 1 == tags.count("h1")
    assert {"lang": "en"} == facts["html"]
    assert not {"img", "link", "script", "style", "iframe", "form", "svg"} & set(tags)
    assert not any("class" in attributes for _, attributes in page.tags)
    assert not re.search(r"url\(|@import|src=|background=", TEMPLATES.word(letter).html)


@every_letter
def test_text_can_be_read_in_light_and_in_dark(letter):
    for written in page_of(letter).texts:
        for ours in (
            (written.color, written.ground),
            (turned(written.color), turned(written.ground)),
        ):
            assert contrast(*ours) >= 4.5, written


@every_letter
def test_a_screen_reader_is_told_which_tables_are_none(letter):
    """A table either only arranges, or has a heading in each row."""
    page = page_of(letter)

    tables = [facts for tag, facts in page.tags if tag == "table"]
    arranging = [facts for facts in tables if facts.get("role") == "presentation"]
    headings = [facts for tag, facts in page.tags if tag == "th"]
    assert 2 == len(arranging)
    assert (len(tables) > 2) == bool(headings)
    assert all(facts["scope"] == "row" for facts in headings)


@every_letter
def test_a_page_fits_a_telephone(letter):
    widths = [facts.get("width") for tag, facts in page_of(letter).tags if "width" in facts]

    html = TEMPLATES.word(letter).html
    assert {"100%"} == set(widths)
    assert "max-width:600px" in html
    assert not re.search(r"(?<!max-)width:\s*\d+px", html)


@every_letter
def test_the_text_says_all_that_the_page_says(letter):
    """Word by word: every figure, date, name and link of the page stands in the text too."""
    wording = TEMPLATES.word(letter)
    page = Page(wording.html)

    said = set(re.findall(r"[$\w.,/:-]+", wording.text))
    facts = {
        word.rstrip(".,:")
        for written in page.texts
        for word in re.findall(r"[$\w.,/:-]+", written.text)
        if any(char.isdigit() for char in word)
    }
    links = {facts["href"] for tag, facts in page.tags if tag == "a"}
    assert set() == {fact for fact in facts if not any(fact in word for word in said)}
    assert all(link in wording.text for link in links)
    assert "\n\n\n" not in wording.text
    assert not re.search(r"[ \t]\n|<[a-z]", wording.text)


OFFICE = OfficeContact(
    "(303) 555-0100",
    "1 Main St, Larkspur CO 80118",
    "Monday to Friday, 8 to 5",
    "https://pay.example",
)
REACHED = ("(303) 555-0100", "1 Main St", "Monday to Friday")
TO_CUSTOMERS = {name: letter for name, letter in LETTERS.items() if name != "alert"}
ASKS_FOR_MONEY = re.compile("Please pay|Pague ")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("letter", TO_CUSTOMERS.values(), ids=TO_CUSTOMERS)
def test_a_letter_says_how_to_reach_the_office_and_where_to_pay_what_it_asks_for(letter, language):
    wording = Templates(contact=OFFICE).word(replace(letter, language=language))

    for part in (wording.text, wording.html):
        assert [] == [fact for fact in REACHED if fact not in part]
        asks = ASKS_FOR_MONEY.search(part) is not None
        assert ("https://pay.example" in part) or not asks
    hidden = re.search(r'<div style="[^"]*display:none[^"]*">([^<]+)</div>', wording.html)
    assert hidden and hidden[1].strip()


def test_a_bill_that_autopay_pays_asks_nobody_to_pay():
    wording = Templates(contact=OFFICE).word(a_sample())

    assert ("pay.example" in wording.text) == ("Please pay" in wording.text)


# -- styles ---------------------------------------------------------------------------------------


def test_an_office_changes_one_class_and_keeps_the_rest(tmp_path):
    sheet = '/* ours */ .title { color: #1f5132; font-family: "Gill Sans" }\n'
    (tmp_path / "_styles.css").write_text(sheet)

    html = Templates(tmp_path).word(a_sample()).html

    assert """<h1 style="color:#1f5132;font-family:'Gill Sans'">""" in html
    assert "max-width:600px" in html


def test_styles_are_written_where_their_classes_are_named(tmp_path):
    (tmp_path / "_styles.css").write_text(".a { color: red; }\n.b{margin:0}")
    styles = read_styles([tmp_path])

    found = inline('<p class="a"><b class="a b"><i class="c"><u class="a c">', styles)

    assert (
        '<p style="color:red"><b style="color:red;margin:0"><i class="c"><u class="a c">' == found
    )
