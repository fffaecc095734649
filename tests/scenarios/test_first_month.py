"""A clerk's first month, typed as the page has it: each command, and each answer that it quotes."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "first-month.md"
PLACE = re.compile(r"^```\n(.*?)^```\n+((?:>[^\n]*\n)*)", re.DOTALL | re.MULTILINE)
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
YES = b"y\n"


def typed(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Type a command at a terminal, say yes where it asks, and return what stands there then."""
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["/bin/sh", "-c", command], cwd=folder, env=environment,
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, YES)
    said = b""
    while True:
        try:
            said += os.read(ours, 65_536)
        except OSError:  # the terminal is gone with the command
            break
    os.close(ours)
    shell.wait()
    return " ".join(CONTROL.sub("", said.decode()).split())


def quoted(lines: str) -> list[list[str]]:
    """Return the lines that a page quotes, each cut where dots stand for what is left out."""
    plain = (line.removeprefix(">").rstrip("\\") for line in lines.splitlines())
    pieces = ([" ".join(piece.split()) for piece in re.split("[…—]", line)] for line in plain)
    return [[piece for piece in several if piece] for several in pieces if any(several)]


def stands(pieces: list[str], said: str) -> bool:
    at = 0
    for piece in pieces:
        found = said.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True


@pytest.mark.release
@pytest.mark.timeout(900)
def test_the_first_month_can_be_typed_as_it_stands(tmp_path):
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "BILLCLOSE_HOME": "mine",
        "COLUMNS": "200",
    }
    missing, commands = [], 0

    for block, answer in PLACE.findall(PAGE.read_text()):
        said = ""
        for command in block.splitlines():
            if command.startswith("export "):
                assert f"BILLCLOSE_HOME={environment['BILLCLOSE_HOME']}" in command
                continue
            said += typed(command, tmp_path, environment) + " "
            commands += 1
        assert "billclose: " not in said or "> Period" in answer, said  # nothing was refused
        missing += [(pieces, said) for pieces in quoted(answer) if not stands(pieces, said)]

    assert commands > 15
    assert [] == missing
