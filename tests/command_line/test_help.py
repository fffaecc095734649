"""The help: grouped, with an example of each command that its parser takes, and what was meant."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.shell_completion import get_completion_class

from command_line.help import EXAMPLES, grouped
from command_line.main import billclose
from command_line.registry import COMMANDS
from reporting.lists.catalog import LISTS
from reporting.lists.sentences import SENTENCES

CONTEXT = click.Context(billclose, info_name="billclose")


def test_every_command_stands_in_one_group():
    listed = [name for _, names in grouped(list(COMMANDS)) for name in names]

    assert sorted(COMMANDS) == sorted(listed)


def _walk(command: click.Command, words: str):
    """Give every command that the parser knows, with those below it, by what is typed."""
    yield words, command
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        yield from _walk(inner, f"{words} {name}")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_each_below_it_has_an_example_that_its_parser_takes(
    name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    top = CONTEXT.command.get_command(CONTEXT, name)

    for typed, command in _walk(top, name):
        assert typed in EXAMPLES, f"no example of {typed}"
        for example in EXAMPLES[typed]:
            program, *words = shlex.split(example)
            words = words[2:] if words[0] == "--home" else words

            assert "billclose" == program
            assert typed.split() == words[: len(typed.split())]
            _parse(top, words[0], words[1:])
            assert " ".join(example.split()) in " ".join(click.unstyle(_help(command)).split())
        # examples stand in one place: a docstring with its own says them twice
        assert "Example:" not in (command.help or "")
        assert "billclose " + typed + " " not in (command.help or "")


SERVES = {"up", "web", "work", "sandbox", "rounds", "demo"}
INCOMPLETE = re.compile(r"^billclose: (Give|Say) .*--|Missing (option|argument)", re.MULTILINE)


@pytest.mark.release
def test_no_example_lacks_what_its_command_asks_for(closed, tmp_path, monkeypatch):
    office = closed.copied(tmp_path / "office")
    monkeypatch.chdir(tmp_path)
    lacking = {}

    for example in (one for several in EXAMPLES.values() for one in several):
        _, *words = shlex.split(example)
        if words[0] in SERVES or words[0] == "--home":
            continue
        answer = office(*words)
        if INCOMPLETE.search(answer.err):
            lacking[example] = answer.err

    assert {} == lacking


def test_no_example_is_of_a_command_that_is_gone():
    tops = [(name, CONTEXT.command.get_command(CONTEXT, name)) for name in COMMANDS]
    known = {typed for name, top in tops for typed, _ in _walk(top, name)}

    assert set() == set(EXAMPLES) - known


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
        (["list", "bils"], "'bils' is not one of bills, "),
        (["list", "bils"], "(did you mean bills?)"),
        (
            ["checks", "mute", "usage-outlyer", "1", "--until", "2026-12-01", "--reason", "x"],
            "(did you mean usage-outlier?)",
        ),
        (
            ["check", "2026-10", "--waive", "bil-amount", "--reason", "x"],
            "(did you mean bill-amount?)",
        ),
    ],
)
def test_what_was_mistyped_is_told_with_what_was_meant(prepared, words, meant):
    answer = prepared(*words)

    assert (2, 1) == (answer.status, len(answer.err.splitlines()))
    assert meant in answer.err


RUNNING = Path(__file__).parents[2] / "docs" / "running.md"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("before", "typed", "offered"),
    [
        ([], "outs", "outsort"),
        (["list"], "bil", "bills"),
        (["list", "bills"], "--so", "--sort"),
        (["checks"], "unm", "unmute"),
    ],
)
def test_each_shell_completes_as_the_documents_say(shell, before, typed, offered):
    complete = get_completion_class(shell)(billclose, {}, "billclose", "_BILLCLOSE_COMPLETE")

    assert f"_BILLCLOSE_COMPLETE={shell}_source billclose >" in RUNNING.read_text()
    assert "_BILLCLOSE_COMPLETE" in complete.source()
    assert [offered] == [one.value for one in complete.get_completions(before, typed)]


def test_every_list_says_in_the_help_what_it_shows():
    shown = " ".join(click.unstyle(_help(CONTEXT.command.get_command(CONTEXT, "list"))).split())

    assert set(LISTS) == set(SENTENCES)
    assert [] == [name for name in LISTS if f"{name} {SENTENCES[name]}" not in shown]
