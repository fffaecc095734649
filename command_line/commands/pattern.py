"""`billclose pattern`: help with the patterns of a bulk file."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import NEEDS_PERSON, json_option
from domain.failures import Misuse
from domain.words import say_count

if TYPE_CHECKING:
    from splitter.guessing.guess import Guesses
    from splitter.guessing.labels import Candidate


KIND_NAMES = {"account": "account", "amount_due": "amount due", "due_date": "due date"}
NOTHING = {
    "account": "No account number was found; put in the words that stand before it on the page.",
    "amount_due": "No amount due was found; without it the check bill-amount cannot compare it.",
    "due_date": "No due date was found; without it the check bill-due-date cannot compare it.",
}

TAGGED = "The file is tagged: each bill keeps the tags of its own pages, for screen readers."
NOT_TAGGED = (
    "The file is not tagged: screen readers find no headings, tables or order in its bills; ask the"
    " billing system's vendor for tagged PDF (PDF/UA)."
)


def sentences(guesses: Guesses, texts: Mapping[int, str]) -> list[str]:
    """Return one sentence for each guess, the missing ones included."""
    looked_at = say_count(len(texts), "page")
    told = [_of_kind(kind, guesses, looked_at) for kind in KIND_NAMES]
    told += _of_several(guesses)
    told += _of_bookmarks(guesses)
    told.append(_of_separator(guesses, looked_at))
    without = [page + 1 for page, text in texts.items() if not text.strip()]
    if without:
        told.append(
            f"{say_count(len(without), 'page')} of {looked_at} looked at have no text"
            f" (page {without[0]} is one): a blank page goes to the bill before it, a picture to a"
            " person."
        )
    return told


def _of_kind(kind: str, guesses: Guesses, looked_at: str) -> str:
    candidates = guesses.candidates[kind]
    if not candidates:
        return NOTHING[kind]
    found, name = candidates[0], KIND_NAMES[kind]
    left_out = "" if found.is_told or kind == "account" else " and left out"
    return (
        f"The {name} is {found.confidence}{left_out}: {found.label!r} on {found.pages} of"
        f" {looked_at}."
    )


def _of_several(guesses: Guesses) -> list[str]:
    if not guesses.several:
        return []
    pages = say_count(guesses.several, "page")
    if guesses.region is None:
        return [
            f"{pages} name more than one account and no place was found that tells them apart;"
            " give a region around the right one, left, top, right, bottom in points."
        ]
    left, top, right, bottom = guesses.region.region
    return [
        f"{pages} name more than one account; the region {left:g}, {top:g}, {right:g}, {bottom:g}"
        f" is {guesses.region.confidence} and holds the right one, such as {guesses.region.value}."
    ]


def _of_bookmarks(guesses: Guesses) -> list[str]:
    found = guesses.bookmarks
    if found is None:
        return []
    said = (
        f"{say_count(found.bookmarks, 'bookmark')} of level {found.level} seem to name accounts,"
        f" such as {found.values[0]}"
    )
    if guesses.account is None:
        return [f'{said}; by = "bookmarks" takes them from there.']
    return [f'{said}; so do the pages. With by = "bookmarks" and title both must agree.']


def _of_separator(guesses: Guesses, looked_at: str) -> str:
    separator = guesses.separator
    if separator is None:
        return "No separator pages were seen; if there are some, give a text that stands on them."
    said = f"{separator.text!r} on {separator.pages} of {looked_at}"
    if separator.is_told:
        return f"The separator is {separator.confidence}: {said}."
    return (
        f"The separator is {separator.confidence} and left out: {said}, alone on its page; put it"
        f" in as separator = {re.sub(chr(39), '', separator.text)!r} if such a page belongs to"
        " nobody."
    )


LOOKED_AT = 200  # pages
NO_ACCOUNT = r"Account:\s*([0-9.\-]+)"
OPTIONS = {"account": "--account", "amount_due": "--amount-due", "due_date": "--due-date"}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--pages", default=3, type=click.IntRange(1, 50), help="How many pages to show.")
@json_option
def pattern(file: Path, pages: int, as_json: bool) -> int:
    """Show the text of some pages of FILE and the likely patterns to find accounts with.

    The last lines are a [[documents]] table to paste into bundle.toml, and the same as a command to
    try it with. Look at it: it is a guess. Exit status 4: no account was found.
    """
    from splitter.guessing.guess import Sample, guess_all

    if not file.is_file():
        raise Misuse(f"There is no file {file}.")
    with Sample(file, LOOKED_AT) as sample:
        total, texts, is_tagged = sample.pages, sample.texts, sample.is_tagged
        guesses = guess_all(sample)
    told = {
        "pages": total,
        "texts": [{"page": page + 1, "text": text} for page, text in list(texts.items())[:pages]],
        "candidates": {
            kind: [asdict(one) for one in several] for kind, several in guesses.candidates.items()
        },
        "separator": asdict(guesses.separator) if guesses.separator else None,
        "region": asdict(guesses.region) if guesses.region else None,
        "bookmarks": asdict(guesses.bookmarks) if guesses.bookmarks else None,
        "is_tagged": is_tagged,
        "sentences": [*sentences(guesses, texts), TAGGED if is_tagged else NOT_TAGGED],
        "toml": to_toml(file.name, guesses),
        "command": to_command(file, guesses),
    }
    if as_json:
        click.echo(json.dumps(told, indent=1))
    else:
        _show(told, guesses)
    return 0 if guesses.account or guesses.bookmarks else NEEDS_PERSON


def to_toml(file: str, guesses: Guesses) -> str:
    """Return the [[documents]] table with the likeliest patterns."""
    lines = ["[[documents]]", 'form = "utility-bill"', f"file = {_escaped(file)}"]
    for kind, candidates in guesses.candidates.items():
        if candidates:
            left_out = "" if _is_told(kind, candidates) else "# "
            lines.append(f"{left_out}{kind} = {_quoted(candidates[0].pattern)}")
        elif kind == "account" and guesses.bookmarks is not None:
            lines.append(f"account = '{NO_ACCOUNT}'  # over the pages, which print none here")
        elif kind == "account":
            lines.append(f"account = '{NO_ACCOUNT}'  # none was found; please put yours")
    lines += [f"{name} = {value}" for name, value in _more(guesses).items()]
    if guesses.bookmarks is not None:
        left_out = "" if guesses.account is None else "# "
        found = guesses.bookmarks
        lines.append(f'{left_out}by = "bookmarks"')
        lines.append(f"{left_out}title = {_quoted(found.pattern)}")
        lines.append(f"{left_out}level = {found.level}")
    return "\n".join(lines)


def to_command(file: Path, guesses: Guesses) -> str:
    """Return the command that tries the likeliest patterns without writing anything."""
    words = ["billclose", "split", str(file)]
    for kind, option in OPTIONS.items():
        found = guesses.candidates[kind]
        if _is_told(kind, found) or kind == "account":
            words += [option, found[0].pattern if found else NO_ACCOUNT]
    if guesses.separator and guesses.separator.is_told:
        words += ["--separator", guesses.separator.text]
    if guesses.bookmarks is not None and guesses.account is None:
        found_in = guesses.bookmarks
        words += ["--by", "bookmarks", "--title", found_in.pattern, "--level", str(found_in.level)]
    if guesses.region:
        words += ["--region", ",".join(f"{measure:g}" for measure in guesses.region.region)]
    return shlex.join([*words, "--to", "bills", "--dry-run"])


def _is_told(kind: str, candidates: Sequence[Candidate]) -> bool:
    """Say whether a guess is put in: a doubtful amount would make a check fail on every bill."""
    return bool(candidates) and (kind == "account" or candidates[0].is_told)


def _more(guesses: Guesses) -> dict[str, str]:
    more = {}
    if guesses.separator and guesses.separator.is_told:
        more["separator"] = _quoted(guesses.separator.text)
    if guesses.region:
        more["region"] = str([round(measure) for measure in guesses.region.region])
    return more


def _quoted(text: str) -> str:
    """Write a text as a TOML string; without escapes where that can be."""
    return f"'{text}'" if "'" not in text and text.isprintable() else _escaped(text)


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _show(told: Mapping[str, Any], guesses: Guesses) -> None:
    for shown in told["texts"]:
        click.echo(f"--- page {shown['page']} of {told['pages']:,}")
        click.echo(_marked(shown["text"], guesses) or "(no text: a picture, or blank)")
    click.echo("--- candidates, the likeliest first")
    for kind, candidates in guesses.candidates.items():
        for one in candidates:
            click.echo(_line(kind, one))
    click.echo("--- what to think of it")
    for sentence in told["sentences"]:
        click.echo(sentence)
    click.echo("--- to paste into bundle.toml")
    click.echo(told["toml"])
    click.echo("--- to try it, writing nothing")
    click.echo(told["command"])


def _line(kind: str, one: Candidate) -> str:
    values = ", ".join(one.values)
    name = KIND_NAMES[kind].upper()
    return f"{name:10} {one.confidence:8} {one.pattern}   on {one.pages} pages: {values}"


def _marked(text: str, guesses: Guesses) -> str:
    """Put what the likeliest patterns find between signs, with what it may be."""
    for kind, candidates in guesses.candidates.items():
        for one in candidates[:1]:
            text = re.sub(f"({one.pattern})", rf"[{KIND_NAMES[kind].upper()}> \1 <]", text)
    return text
