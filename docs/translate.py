"""
The catalog of customers' pages in Spanish, brought up to date by what the pages say:

    .venv/bin/python docs/translate.py

New sentences come in untranslated, those that nobody says any more go, and `portal.mo`, which the
pages read, is made anew. A sentence is whatever a template gives to `_()`, whatever the code gives
to `say`, and every text in the code of customers' pages that begins with a capital and has a
blank: nobody has to mark one.
"""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment
from jinja2.ext import babel_extract

ROOT = Path(__file__).parents[1]
PO = ROOT / "web" / "locales" / "es" / "LC_MESSAGES" / "portal.po"
MO = PO.with_suffix(".mo")
TEMPLATES = ("web/templates", "web/customers")
CODE = ("web/customers", "web/mailed_links.py", "web/pages.py")
BESIDE = ("rules/portal_access.py", "mail/letters/phrases.py", "payments/sandbox/test_methods.py")
_SENTENCE = re.compile(r"[A-Z¿%].* .*", re.DOTALL)
# Nothing in it changes by itself: the same sentences make the same file.
HEADER: dict[str, Any] = {
    "locale": "es",
    "domain": "portal",
    "header_comment": "# Customers' pages in Spanish; brought up to date by docs/translate.py",
    "project": "billclose",
    "version": "portal",
    "creation_date": datetime(2026, 11, 28, tzinfo=UTC),
    "revision_date": datetime(2026, 11, 28, tzinfo=UTC),
    "last_translator": "billclose",
    "language_team": "es",
    "msgid_bugs_address": "billclose",
    "fuzzy": False,
}
_NO_WORDS = re.compile(r"&\w+;|/[a-z/-]+")  # signs of HTML, addresses
_ENGLISH = re.compile(r'<aside[^<>]* lang="en".*?</aside>', re.DOTALL)  # for staff
_TAG = re.compile(r"<[^<>]*>")


def sentences() -> dict[str, set[str]]:
    """Return every sentence that customers may read, with the files that say it."""
    found: dict[str, set[str]] = {}
    for folder in TEMPLATES:
        for path in sorted((ROOT / folder).rglob("*.html")):
            for text in of_template(path.read_bytes()):
                found.setdefault(text, set()).add(_name(path))
    for place in (*CODE, *BESIDE):
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            for text in of_code(file.read_text(encoding="utf-8")):
                found.setdefault(text, set()).add(_name(file))
    return found


def of_template(source: bytes) -> Iterator[str]:
    """Return what a template gives to `_()`."""
    for _line, _function, given, _comments in babel_extract(io.BytesIO(source), ("_",), (), {}):
        text = given[0] if isinstance(given, tuple) else given
        if isinstance(text, str):
            yield text


def of_code(source: str) -> Iterator[str]:
    """Return the texts of a module that read as sentences, and all that is given to `say`."""
    tree = ast.parse(source)
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    said = {
        id(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "say"
        and node.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_sentence = id(node) in said or _SENTENCE.fullmatch(node.value)
            if is_sentence and id(node) not in documentation:
                yield node.value


def words_outside(source: str) -> list[str]:
    """Return the words of a template that stand outside of `_()`: every reader gets them alike."""
    text = "".join(
        value if kind == "data" else "\x00" if kind.endswith("_end") else ""
        for _line, kind, value in Environment(autoescape=True).lex(source)
    )
    return re.findall(r"[A-Za-z]{2,}", _NO_WORDS.sub("", _TAG.sub("\x00", _ENGLISH.sub("", text))))


def catalog_of(path: Path = PO) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="es", domain="portal")


def compiled(catalog: Catalog) -> bytes:
    """Return the catalog as the pages read it; what is not translated is left out."""
    made = io.BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def main() -> None:
    fresh = Catalog(**HEADER)
    kept = catalog_of() if PO.is_file() else Catalog(locale="es")
    for text, files in sorted(sentences().items()):
        known = kept.get(text)
        flags = ["python-format"] if "%(" in text else []
        locations = [(file, 0) for file in sorted(files)]
        fresh.add(text, known.string if known else "", locations=locations, flags=flags)
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, fresh, width=96, include_lineno=False, sort_output=True, omit_header=False)
    MO.write_bytes(compiled(catalog_of()))
    left = [message.id for message in catalog_of() if message.id and not message.string]
    print(f"{len(fresh)} sentences, {len(left)} of them not translated")
    for text in left:
        print("-", text)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


if __name__ == "__main__":
    main()
