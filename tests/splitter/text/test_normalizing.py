"""Whether a place in the text that is searched is found again in the engine's."""

from __future__ import annotations

import pytest

from splitter.text.normalizing import normalized, places_of_signs, without_dash_gaps


@pytest.mark.parametrize(
    "raw",
    [
        "Account Number: 12-3456",
        "Account\r\nNumber:\r\n12-3456",
        "Account\nNumber:\r\n12-3456",
        "A\u200bccount \ufb01ne\r12- 34\u2013 56",
        "Konto \u0661\u0662-\uff13\uff14 \u00b7 5\u00b2",
    ],
)
def test_each_sign_is_found_again(raw):
    searched = without_dash_gaps(normalized(raw))

    place_of = places_of_signs(raw, searched)

    told = [normalized(raw[place_of(at)]) for at in range(len(searched))]
    assert all(sign in shown for sign, shown in zip(searched, told, strict=True))
