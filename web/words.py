"""The languages of the pages: English in the code, others in catalogs."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import cache
from pathlib import Path

from starlette.requests import Request

from domain.languages import NAMES

LOCALES = Path(__file__).parent / "locales"
# A language is offered where its catalog is there: a page half in another language helps nobody.
LANGUAGES = {
    code: name
    for code, name in NAMES.items()
    if code == "en" or (LOCALES / code / "LC_MESSAGES" / "portal.mo").is_file()
}
Say = Callable[..., str]


@cache
def speaker(language: str) -> Say:
    """
    Return what says a sentence in a language; `%(name)s` in it takes the value of that name.

    What a catalog does not have is said in English; a test says that there is nothing of it.
    """
    catalog = gettext.translation("portal", LOCALES, [language], fallback=True)

    def say(text: str, **values: object) -> str:
        said = catalog.gettext(text) if text else ""  # of nothing it would say its own header
        return said % values if values else said

    return say


def language_asked(request: Request) -> str:
    """Return the language of whoever has no session: the cookie's, else the browser's."""
    accepted = request.headers.get("accept-language", "")
    return language_of(request.cookies.get("language", ""), accepted)


def language_of(chosen: str, accepted: str) -> str:
    """Return the language of a visitor: what was chosen, else the browser's first that we speak."""
    if chosen in LANGUAGES:
        return chosen
    for part in accepted.split(","):
        name = part.split(";")[0].strip().lower()[:2]
        if name in LANGUAGES:
            return name
    return "en"
