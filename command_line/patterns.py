"""`billclose pattern`: help with the patterns of a bulk file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.opening import json_option
from command_line.statuses import NEEDS_PERSON
from domain.failures import Misuse

if TYPE_CHECKING:
    from splitter.guessing import Candidate

KINDS = {"account": "ACCOUNT", "amount_due": "AMOUNT DUE", "due_date": "DUE DATE"}
LOOKED_AT, SHOWN_CANDIDATES = 40, 3


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--pages", default=3, type=click.IntRange(1, 50), help="How many pages to show.")
@json_option
def pattern(file: Path, pages: int, as_json: bool) -> int:
    """Show the text of some pages of FILE and the likely patterns to find accounts with.

    The last lines are a [[documents]] table to paste into bundle.toml. Look at it: it is a guess.
    """
    from splitter.guessing import guess
    from splitter.sampling import sample_texts

    if not file.is_file():
        raise Misuse(f"There is no file {file}.")
    total, texts = sample_texts(file, LOOKED_AT)
    found = {kind: guess(kind, list(texts.values()))[:SHOWN_CANDIDATES] for kind in KINDS}
    table = to_toml(file.name, found)
    shown = dict(list(texts.items())[:pages])
    if as_json:
        candidates = {kind: [asdict(one) for one in several] for kind, several in found.items()}
        numbered = [{"page": page + 1, "text": text} for page, text in shown.items()]
        told = {"pages": total, "texts": numbered, "candidates": candidates, "toml": table}
        click.echo(json.dumps(told, indent=1))
    else:
        _show(shown, found, total, table)
    return 0 if found["account"] else NEEDS_PERSON


def to_toml(file: str, found: Mapping[str, list[Candidate]]) -> str:
    """Return the [[documents]] table with the likeliest patterns."""
    lines = ["[[documents]]", 'form = "utility-bill"', f"file = {json.dumps(file)}"]
    for kind, candidates in found.items():
        if candidates:
            lines.append(f"{kind} = {_quoted(candidates[0].pattern)}")
        elif kind == "account":
            lines.append("account = 'Account:\\s*([0-9.\\-]+)'  # none was found; please put yours")
    return "\n".join(lines)


def _quoted(pattern: str) -> str:
    """Write a pattern as a TOML string; without escapes where that can be."""
    return json.dumps(pattern) if "'" in pattern else f"'{pattern}'"


def _show(
    texts: dict[int, str], found: Mapping[str, list[Candidate]], total: int, table: str
) -> None:
    for page, text in texts.items():
        click.echo(f"--- page {page + 1} of {total:,}")
        click.echo(_marked(text, found) or "(no text: a picture, or blank)")
    click.echo("--- candidates, the likeliest first")
    for kind, candidates in found.items():
        for one in candidates:
            values = ", ".join(one.values)
            click.echo(f"{KINDS[kind]:10} {one.pattern}   on {one.pages} pages: {values}")
        if not candidates:
            click.echo(f"{KINDS[kind]:10} nothing looks like it")
    click.echo("--- to paste into bundle.toml")
    click.echo(table)


def _marked(text: str, found: Mapping[str, list[Candidate]]) -> str:
    """Put what the likeliest patterns find between signs, with what it may be."""
    for kind, candidates in found.items():
        for one in candidates[:1]:
            text = re.sub(f"({one.pattern})", rf"[{KINDS[kind]}> \1 <]", text)
    return text
