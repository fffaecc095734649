"""Every command that the documentation tells to type is one: its words, and each of its options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from command_line.main import billclose
from command_line.registry import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
CONTEXT = click.Context(billclose, info_name="billclose")
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(?:\S+/)?billclose ([^`]+)`")
TYPED = re.compile(r"(?:^|\s|bin/)billclose (.+?)(?:\s{2,}|\s#|\s[>&|]|\)|$)", re.MULTILINE)


def typed_in(page: str) -> Iterator[str]:
    """Yield what stands behind `billclose` wherever a page tells to type it."""
    for block in BLOCK.findall(page):
        yield from TYPED.findall(re.sub(r"\\\n\s*", "", block))
    for typed in INLINE.findall(BLOCK.sub("", page)):
        yield " ".join(typed.split())


def faults_of(typed: str) -> list[str]:
    """Return what of a command's words and options there is not."""
    words = [word.strip("[]") for word in typed.split()]
    if words[:1] == ["--home"]:
        words = words[2:]
    options = {word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)}
    if not words or words[0].startswith("-") or not re.fullmatch(r"[a-z-]+", words[0]):
        return sorted(options - {"--help", "--version", "--home"})
    if words[0] not in COMMANDS:
        return [words[0]]
    command = CONTEXT.command.get_command(CONTEXT, words[0])
    for word in words[1:]:
        if isinstance(command, click.Group) and word in command.commands:
            command = command.commands[word]
    return sorted(options - {"--help"} - _options_of(command))


def _options_of(command: click.Command) -> set[str]:
    """Return the options of a command; of a group those below it too, one of which is meant."""
    own = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return own.union(*(_options_of(one) for one in below))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_tells_to_type_can_be_typed(page):
    found = {typed: faults_of(typed) for typed in typed_in(page.read_text())}

    assert {} == {typed: faults for typed, faults in found.items() if faults}


@pytest.mark.parametrize(
    ("written", "faults"),
    [
        ("`billclose clos 2026-10`", ["clos"]),
        ("`billclose close 2026-10 --approve`", ["--approve"]),
        ("```\nbillclose --home H undo 2026-10 --now   # at once\n```", ["--now"]),
        ("```\n.venv/bin/billclose feed accept-gap 3 --why x\n```", ["--why"]),
        ("`billclose hold 01.1037.1 --until 2026-12-01 --reason x`", []),
        ("`billclose COMMAND --help`, `billclose --version`", []),
    ],
)
def test_what_there_is_not_is_found(written, faults):
    assert faults == [fault for typed in typed_in(written) for fault in faults_of(typed)]
