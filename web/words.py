"""The languages of the pages, and the office's own sentences on them."""

from __future__ import annotations

import gettext
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path

from markupsafe import Markup, escape
from starlette.requests import Request

from domain.languages import NAMES, SPANISH
from domain.messages import Mark, Piece, read_message
from office.settings.checkout import MessagesSettings, SpanishMessagesSettings
from office.settings.settings import Settings

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


_TAGS = {Mark.BOLD: "strong", Mark.ITALIC: "em"}
PLAIN = ("navigation",)  # a link's name


def messages_in(settings: Settings, language: str) -> Mapping[str, str]:
    """
    Return the office's own sentences on the pages (rules 71, 200, 205), by their place.

    Empty where it says nothing; where it says nothing in Spanish, in English.
    """
    return _to_messages(settings.messages, settings.messages_es if language == SPANISH else None)


@lru_cache(maxsize=8)
def _to_messages(
    messages: MessagesSettings, instead: SpanishMessagesSettings | None
) -> Mapping[str, str]:
    """Return sentences as pages show them; those that are there in `instead` stand in their place.

    Every page needs them, and they change with the settings alone.
    """
    said = messages.model_dump()
    if instead is not None:
        said |= {place: text for place, text in instead if text}
    return {place: text if place in PLAIN else to_markup(text) for place, text in said.items()}


def to_markup(text: str) -> Markup:
    """Write a message as HTML: its words escaped, its few marks as tags, and no other tag."""
    return Markup("").join(_write(piece) for piece in read_message(text.strip()))


def _write(piece: Piece) -> Markup:
    if piece.mark is Mark.LINE:
        return Markup("<br>")
    if piece.mark is Mark.LINK:
        return Markup('<a href="{}">{}</a>').format(piece.leads_to, piece.words)
    if piece.mark is Mark.PLAIN:
        return escape(piece.words)
    tag = _TAGS[piece.mark]
    return Markup(f"<{tag}>{{}}</{tag}>").format(piece.words)  # noqa: S704 - the tag is ours
