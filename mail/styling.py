"""Styles written into the tags of a template when it is loaded: no mail needs a style sheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from jinja2 import BaseLoader, Environment, FileSystemLoader

SHEET = "_styles.css"

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"\.([A-Za-z][\w-]*)\s*\{([^{}]*)\}")
_CLASSES = re.compile(r'\bclass="([A-Za-z][\w -]*)"')

Styles = Mapping[str, str]  # by class


class StyledLoader(BaseLoader):
    """
    Loads templates and writes the style of each class that a tag names into it.

    Done once, to the template's source: doing it to every mail would cost more than all the rest
    of it. Classes that the sheet does not have stay as they are.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._files = FileSystemLoader(list(folders))
        self._styles = read_styles(folders)

    def get_source(self, environment: Environment, template: str):  # type: ignore[no-untyped-def]
        source, *rest = self._files.get_source(environment, template)
        return inline(source, self._styles), *rest


def read_styles(folders: Iterable[Path]) -> Styles:
    """Read the style sheets; a class in an earlier folder takes the place of a later one's."""
    styles: dict[str, str] = {}
    for folder in folders:
        sheet = folder / SHEET
        if sheet.is_file():
            text = _COMMENT.sub("", sheet.read_text(encoding="utf-8"))
            styles = {name: _written(rules) for name, rules in _RULE.findall(text)} | styles
    return styles


def inline(source: str, styles: Styles) -> str:
    """Put `style="…"` in the place of `class="…"`, several classes in their order."""

    def to_style(match: re.Match[str]) -> str:
        names = match[1].split()
        if not all(name in styles for name in names):
            return match[0]
        return f'style="{";".join(styles[name] for name in names)}"'

    return _CLASSES.sub(to_style, source)


def _written(rules: str) -> str:
    parts = (" ".join(part.split()) for part in rules.replace('"', "'").split(";"))
    return ";".join(part.replace(": ", ":") for part in parts if part)
