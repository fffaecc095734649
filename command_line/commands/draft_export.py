"""`billclose draft-export`: a first bundle.toml for what a billing system writes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.commands.pattern import LOOKED_AT, to_toml
from command_line.options import NEEDS_PERSON, json_option
from domain.failures import Misuse

if TYPE_CHECKING:
    from billing_system.export.drafting import Draft
    from splitter.guessing.guess import Guesses

FILE = "bundle.toml"


@click.command(name="draft-export")
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def draft_export(folder: Path, as_json: bool) -> int:
    """Write a first bundle.toml into FOLDER, from its tables' headings and its PDFs.

    What it cannot know is left empty, and an import names it. A bundle.toml that is there stays.
    Exit status 4: something is left for a person, as always.
    """
    from billing_system.export import drafting

    if not folder.is_dir():
        raise Misuse(f"There is no folder {folder}; give the one with the tables and PDFs.")
    target = folder / FILE
    if target.exists():
        raise Misuse(f"{target} is there already; take it away to have another one drafted.")
    draft = drafting.draft_tables(folder)
    guesses = {path.name: _guess(path) for path in sorted(folder.glob("*.[pP][dD][fF]"))}
    due_on = next((due for one in guesses.values() if (due := _due_on(one))), None)
    documents = [to_toml(name, found) for name, found in guesses.items()]
    text = drafting.to_toml(draft, documents or ["# [[documents]]: there is no PDF here"], due_on)
    target.write_text(text, encoding="utf-8")

    open_ends = _open_ends(draft, guesses)
    if as_json:
        tables = {one.table.name: one.source.file for one in draft.tables}
        document = {"file": str(target), "tables": tables, "left": open_ends, "toml": text}
        click.echo(json.dumps(document, indent=1))
    else:
        click.echo(f"{target} is drafted. Left for you:")
        for sentence in open_ends:
            click.echo(f"  {sentence}")
    return NEEDS_PERSON


def _guess(path: Path) -> Guesses:
    from splitter.guessing.guess import Sample, guess_all

    with Sample(path, LOOKED_AT) as sample:
        return guess_all(sample)


def _due_on(guesses: Guesses) -> date | None:
    from domain.dates import parse_date

    for candidate in guesses.candidates["due_date"]:
        for value in candidate.values:
            try:
                return parse_date(value)
            except ValueError:
                continue
    return None


def _open_ends(draft: Draft, guesses: dict[str, Guesses]) -> list[str]:
    from billing_system.export.columns import REQUIRED

    left = ["the utility's name and time zone, and the control totals"]
    if draft.last_posted is None:
        left.append("the period: no transaction has a date that can be read")
    found = {drafted.table.name for drafted in draft.tables}
    left += [f"no file looks like {table.file}" for table in REQUIRED if table.name not in found]
    for drafted in draft.tables:
        if drafted.missing:
            columns = ", ".join(drafted.missing)
            left.append(f"{drafted.source.file}: no heading was found for {columns}")
    left += [f"{name} looks like none of our tables" for name in draft.strangers]
    left += [f"{name}: no account number was found" for name, g in guesses.items() if not g.account]
    return left if guesses else [*left, "there is no PDF"]
