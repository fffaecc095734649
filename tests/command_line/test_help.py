"""The help: grouped, with an example of each command that its parser takes, and what was meant."""

from __future__ import annotations

import shlex

import click
import pytest

from command_line.help import EXAMPLES, grouped
from command_line.main import billclose
from command_line.registry import COMMANDS

CONTEXT = click.Context(billclose, info_name="billclose")


def test_every_command_stands_in_one_group():
    listed = [name for _, names in grouped(list(COMMANDS)) for name in names]

    assert sorted(COMMANDS) == sorted(listed)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_is_what_the_command_takes(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for example in EXAMPLES[name]:
        program, *words = shlex.split(example)
        words = words[2:] if words[0] == "--home" else words
        command = CONTEXT.command.get_command(CONTEXT, name)

        assert ("billclose", name) == (program, words[0])
        _parse(command, words[0], words[1:])
        assert example in " ".join(click.unstyle(_help(command)).split())


def _parse(command: click.Command, name: str, words: list[str]) -> None:
    try:
        context = command.make_context(name, list(words), parent=CONTEXT)
    except click.exceptions.Exit:  # --help
        return
    except click.BadParameter as wrong:
        assert "does not exist" in wrong.format_message()
        return
    rest = [*context._protected_args, *context.args]
    if isinstance(command, click.Group) and rest:
        inner = command.get_command(context, rest[0])
        assert inner is not None, rest
        _parse(inner, rest[0], rest[1:])


def _help(command: click.Command) -> str:
    return command.get_help(click.Context(command, info_name="x", terminal_width=200))


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["lits", "bills"], "No such command 'lits' (did you mean list?)"),
        (["mail", "sned"], "No such command 'sned'. Did you mean 'send'?"),
        (["list", "bills", "--sotr", "x"], "'--sort'"),
        (["list", "bils"], "'bils' is not one of 'bills'"),
    ],
)
def test_what_was_mistyped_is_told_with_what_was_meant(prepared, words, meant):
    answer = prepared(*words)

    assert (2, 1) == (answer.status, len(answer.err.splitlines()))
    assert meant in answer.err
