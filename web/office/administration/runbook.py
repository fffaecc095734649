"""The runbook as pages: what to do where something is red, beside what is red now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from starlette.responses import Response

from office.health.conditions import Condition
from office.health.health import look_at_books
from web.layout import missing
from web.office.layout import show_office
from web.office.pages import RUNBOOK, groups
from web.visits import Visit

SHIPPED = Path(__file__).resolve().with_name("runbook-pages")  # where it was installed as a wheel
FOLDER = SHIPPED if SHIPPED.is_dir() else Path(__file__).resolve().parents[3] / "docs" / "runbook"
_PAGE = re.compile(r"([a-z][a-z-]*)\.md")


@dataclass(frozen=True, slots=True)
class RunbookPage:
    """A page of the runbook: the kind of trouble that it is about, its title, its text as HTML."""

    kind: str
    title: str
    body: Markup


def show_runbook(visit: Visit) -> Response:
    """Show every page of the runbook, and how what each is about stands now."""
    red = {one.kind for one in look_at_books(visit.office).troubles}
    return show_office(
        visit, "runbook.html", group=groups()["settings"], pages=read_pages(), red=red
    )


def show_runbook_page(visit: Visit) -> Response:
    """Show what to do about one kind of trouble, and what was found of it just now."""
    kind = visit.path("kind")
    page = next((one for one in read_pages() if one.kind == kind), None)
    if page is None:
        return missing(visit)
    return show_office(
        visit,
        "runbook-page.html",
        group=groups()["settings"],
        page=page,
        found=_found(look_at_books(visit.office).troubles, kind),
    )


def _found(troubles: Sequence[Condition], kind: str) -> list[Condition]:
    return [one for one in troubles if one.kind == kind]


@cache
def read_pages() -> tuple[RunbookPage, ...]:
    """Read the runbook in the order of its table; none where the files are not there."""
    index = FOLDER / "README.md"
    if not index.is_file():
        return ()
    names = dict.fromkeys(_PAGE.findall(index.read_text(encoding="utf-8")))
    return tuple(
        _to_page(name, (FOLDER / f"{name}.md").read_text(encoding="utf-8")) for name in names
    )


def _to_page(kind: str, text: str) -> RunbookPage:
    """Take a page's first heading as its title and all that follows it as its text."""
    first, _, rest = text.partition("\n")
    reader = MarkdownIt("commonmark", {"html": False})
    tokens = reader.parse(rest)
    for token in tokens:
        if token.children:
            token.children = list(_linked(token.children))
    body = reader.renderer.render(tokens, reader.options, {})
    return RunbookPage(kind, first.lstrip("# ").strip(), Markup(body))  # noqa: S704 - no HTML of its own


def _linked(tokens: Sequence[Token]) -> list[Token]:
    """
    Lead links to where the office has a page; of another page of the docs only its name is said.

    That one lies in the folder of the program, which a browser does not reach.
    """
    kept: list[Token] = []
    said = ""
    for token in tokens:
        if token.type == "link_open":
            target = str(token.attrs.get("href", ""))
            file = target.partition("#")[0]
            page = _PAGE.fullmatch(file)
            if page is not None or "://" in target:
                token.attrs["href"] = f"{RUNBOOK}/{page[1]}" if page else target
                token.attrs["rel"] = "noreferrer"
            else:
                said = f" (docs/{file.removeprefix('../')})"
                continue
        elif token.type == "link_close" and said:
            kept.append(Token("text", "", 0, content=said))
            said = ""
            continue
        kept.append(token)
    return kept
