"""The command `billclose` and its exit statuses."""

from __future__ import annotations

import gc
import importlib
import json
import os
import re
import sys
from pathlib import Path

import click

from command_line.failing import tell, to_document
from command_line.help import EXAMPLES, grouped
from command_line.options import DONE, WRONG_USE
from command_line.registry import COMMANDS
from domain.failures import Misuse
from domain.words import say_meant


class Commands(click.Group):
    """Loads a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        place = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(place.module), place.name)
        _give_examples(command, cmd_name)
        _collect_from_here()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command's line without loading it."""
        for title, names in grouped(list(COMMANDS)):
            with formatter.section(title):
                formatter.write_dl([(name, COMMANDS[name].help) for name in names])


def _give_examples(command: click.Command, words: str) -> None:
    """Let the help of a command, and of each below it, end with examples."""
    examples = "\n\n".join(f"  {example}" for example in EXAMPLES.get(words, ()))
    command.epilog = examples and f"For example:\n\n{examples}"
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        _give_examples(inner, f"{words} {name}")


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    envvar="BILLCLOSE_HOME",
    default=Path(),
    help="Folder of the office (with billclose.toml); else $BILLCLOSE_HOME, else this folder.",
)
@click.version_option(package_name="billclose", prog_name="billclose")
@click.pass_context
def billclose(context: click.Context, home: Path) -> None:
    """Close a utility's billing period: split, check, publish, schedule, send, print, report.

    Exit status: 0 done; 2 wrong arguments or settings; 3 refused, nothing was changed; 4 done, but
    something needs a person; 1 unexpected failure, running again continues.
    """
    context.obj = home.absolute()  # whoever changes the folder later finds it still


def main() -> None:
    """
    Run the command and end with the exit status that stands for what happened.

    Every file it makes is its owner's alone: bills and mails are customers' data. The settings'
    library looks for plug-ins in every package installed, which no command waits for. Nor does it
    wait for Python's collector, which would look for garbage in what is being loaded, and at the
    end once more in all that ends with the process anyway: a third of a short command's time.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
    status = run(sys.argv[1:])
    gc.freeze()
    sys.exit(status)


def _collect_from_here() -> None:
    """Let the collector begin, where `main` held it back, with what the command makes itself."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def run(arguments: list[str]) -> int:
    """Run the command with arguments; return its exit status."""
    before = os.umask(0o077)
    try:
        return _run(arguments)
    finally:
        os.umask(before)


def _run(arguments: list[str]) -> int:
    try:
        status = billclose.main(args=arguments, prog_name="billclose", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as wrong:
        wrong.show()
        return WRONG_USE
    except click.ClickException as wrong:
        return _explain(_to_misuse(wrong), as_json="--json" in arguments)
    except (KeyboardInterrupt, click.Abort) as stopped:
        failure = stopped if isinstance(stopped, KeyboardInterrupt) else KeyboardInterrupt()
        return _explain(failure, as_json="--json" in arguments)
    except BrokenPipeError:
        return _close_output()
    except Exception as failure:
        return _explain(failure, as_json="--json" in arguments)
    return status if isinstance(status, int) else DONE


def _to_misuse(wrong: click.ClickException) -> Misuse:
    """Put what the parser found wrong into one sentence."""
    found = " ".join(wrong.format_message().split()).rstrip(".")
    context = getattr(wrong, "ctx", None)
    hint = f"; see `{context.command_path} --help`" if context else ""
    found += _nearest_command(wrong)
    if (said := _nearest_choice(wrong)) is not None:
        found = said
    return Misuse(f"{found}{hint}.", "usage")


def _nearest_command(wrong: click.ClickException) -> str:
    """Ask for the command that was meant, where the parser itself does not."""
    context = wrong.ctx if isinstance(wrong, click.UsageError) else None
    group = context.command if context is not None else None
    message = wrong.format_message()
    typed = re.search(r"No such command '([^']*)'", message)
    if context is None or not isinstance(group, click.Group):
        return ""
    if typed is None or "Did you mean" in message:
        return ""
    return say_meant(typed[1], group.list_commands(context), closeness=0.6)


def _nearest_choice(wrong: click.ClickException) -> str | None:
    """Say what may be chosen, once, and what was meant; None where it was no wrong choice."""
    parameter = wrong.param if isinstance(wrong, click.BadParameter) else None
    typed = re.match(r"'([^']*)' is not one of ", wrong.message)
    if parameter is None or typed is None or not isinstance(parameter.type, click.Choice):
        return None
    choices = [str(choice) for choice in parameter.type.choices]
    where = f"{parameter.opts[0]}: " if isinstance(parameter, click.Option) else ""
    meant = say_meant(typed[1], choices, closeness=0.6)
    return f"{where}{typed[1]!r} is not one of {', '.join(choices)}{meant}"


def _explain(failure: BaseException, *, as_json: bool) -> int:
    """Say in one sentence what went wrong and what to do."""
    from office.secrets.redaction import without_secrets

    told = tell(failure)
    if as_json:
        document = json.dumps(to_document(failure, told), indent=1)
        click.echo(without_secrets(document))
    return _say(told.message, told.status)


def _say(sentence: str, status: int) -> int:
    from office.secrets.redaction import without_secrets

    click.echo(f"billclose: {without_secrets(sentence)}", err=True)
    return status


def _close_output() -> int:
    """End quietly where whoever read our output has stopped reading."""
    sys.stderr.close()
    return DONE
