"""Colors of the pages: whether words can be read in them, and the nearest in which they can."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.colors import BLACK, LEAST, WHITE, Color, Palette, contrast, nearest_readable
from tests.builders import examples

colors = st.builds(Color, *(st.integers(0, 255),) * 3)


def test_contrast_is_that_of_wcag():
    known = [("#767676", 4.54), ("#777777", 4.48), ("#000000", 21.0), ("#ffffff", 1.0)]

    assert [value for _, value in known] == [
        round(contrast(Color.parse(color), WHITE), 2) for color, _ in known
    ]


@pytest.mark.parametrize("text", ["", "#12", "blue", "#gggggg", "#1234567", "#12345６"])
def test_what_is_no_color_is_refused_with_how_one_is_written(text):
    with pytest.raises(ValueError, match="write six digits, as in #14506f"):
        Color.parse(text)


def test_three_digits_are_six():
    assert Color(255, 204, 0) == Color.parse("fc0") == Color.parse(" #FFCC00 ")


@examples
@given(colors)
def test_words_can_be_read_in_the_nearest_color_on_every_paper(color):
    found = nearest_readable(color)

    assert Palette(found).lowest_contrast >= LEAST
    assert contrast(Palette(found).dark, WHITE) >= LEAST


@examples
@given(colors)
def test_a_color_that_passes_stays_as_it_is_and_one_that_fails_is_just_made_darker(color):
    found = nearest_readable(color)

    assert (found == color) == Palette(color).can_be_read
    assert found.luminance <= color.luminance
    if found not in (color, BLACK):
        assert Palette(found).lowest_contrast < LEAST + 0.4
