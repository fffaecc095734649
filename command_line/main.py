"""The command `billclose` and its exit statuses."""

from __future__ import annotations

import errno
import gc
import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from command_line.options import DONE, NEEDS_PERSON, REFUSED, UNEXPECTED, WRONG_USE
from command_line.registry import COMMANDS
from domain.failures import AwaitingApproval, Misuse, PermanentFailure, Refused, TemporaryFailure

MISTAKES = (ImportError, NameError, AttributeError, TypeError)


class Commands(click.Group):
    """Loads a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        place = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(place.module), place.name)
        _collect_from_here()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command's line without loading it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in COMMANDS.items()])


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
    context.obj = home


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
    except (KeyboardInterrupt, click.Abort):
        return _say("stopped; what was done stands, run the same command again to go on", 1)
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
    return Misuse(f"{found}{hint}.", "usage")


def _explain(failure: Exception, *, as_json: bool) -> int:
    """Say in one sentence what went wrong and what to do."""
    code, message, status = describe(failure)
    if as_json:
        refusal = {"code": code, "message": message}
        click.echo(json.dumps({"status": "refused", "refusal": refusal}, indent=1))
    return _say(message, status)


def describe(failure: Exception) -> tuple[str, str, int]:
    """Return a code for programs, a sentence for people, and the exit status."""
    if isinstance(failure, Misuse):
        return failure.code, failure.message, WRONG_USE
    if isinstance(failure, Refused):
        return failure.code, failure.message, REFUSED
    if isinstance(failure, AwaitingApproval):
        return "waiting", str(failure), NEEDS_PERSON
    if isinstance(failure, TemporaryFailure | PermanentFailure):
        return "unavailable", str(failure), UNEXPECTED
    if isinstance(failure, OSError):
        return "system", _system_sentence(failure), UNEXPECTED
    for kind, describe_kind in _database_failures():
        if isinstance(failure, kind):
            return describe_kind(failure)
    kind_name = type(failure).__name__
    return "unexpected", f"unexpected failure ({kind_name}); {_keep_trace(failure)}", UNEXPECTED


def _system_sentence(failure: OSError) -> str:
    where = f" ({failure.filename})" if failure.filename else ""
    if failure.errno == errno.ENOSPC:
        return f"the disk is full{where}; make room, then run the same command again to go on"
    what = (failure.strerror or type(failure).__name__).lower()
    return f"the system said: {what}{where}; put that right, then run the same command again"


def _database_failures() -> list[tuple[type[Exception], Callable[[Any], tuple[str, str, int]]]]:
    if "sqlalchemy" not in sys.modules:
        return []
    from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

    def unreachable(failure: Exception) -> tuple[str, str, int]:
        cause = str(getattr(failure, "orig", failure)).strip().splitlines()[0][:200]
        hint = "make room on its disk" if "disk" in cause else "check database.url"
        sentence = f"the database said: {cause}; {hint}, then run the command again"
        return "database", sentence, UNEXPECTED

    def misnamed(_failure: Exception) -> tuple[str, str, int]:
        sentence = "database.url is no URL of a database; write sqlite:///… or "
        return "database", sentence + "postgresql+psycopg://user@host/name.", WRONG_USE

    return [
        (ArgumentError, misnamed),
        (NoSuchModuleError, misnamed),
        (DatabaseError, unreachable),
    ]


def _keep_trace(failure: Exception) -> str:
    """Keep the trace out of the clerk's sight but where support finds it."""
    import tempfile
    import traceback

    from office.secrets.redaction import redact

    with tempfile.NamedTemporaryFile(
        "w", prefix="billclose-failure-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_tb(failure.__traceback__, file=file)
        file.write(type(failure).__name__)
        if isinstance(failure, MISTAKES):  # ours; other messages may hold customers' data
            file.write(f": {redact(str(failure))}")
    return f"what was done stands; the trace for support is in {file.name}"


def _say(sentence: str, status: int) -> int:
    from office.secrets.redaction import without_secrets

    click.echo(f"billclose: {without_secrets(sentence)}", err=True)
    return status


def _close_output() -> int:
    """End quietly where whoever read our output has stopped reading."""
    sys.stderr.close()
    return DONE
