"""`billclose why`: the reasons, sentence by sentence."""

from __future__ import annotations

import json
import textwrap
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.options import DONE, as_of_option, json_option, open_office

if TYPE_CHECKING:
    from office.lookup.why.explaining import Explanation

WIDTH = 100


@click.command()
@click.argument("account")
@click.option("--period", metavar="PERIOD", help="Of that period, not of the newest closed one.")
@as_of_option
@json_option
@click.pass_obj
def why(home: Path, account: str, period: str | None, as_of: datetime | None, as_json: bool) -> int:
    """Say why ACCOUNT got what it got, sentence by sentence, each with its rules.

    Why this bill, these recipients or paper, this payment or none, each reminder or none, what
    became of each mail, each refusal.
    """
    from office.lookup.why.explaining import explain_account, to_document

    found = explain_account(open_office(home, as_of), account, period)
    if as_json:
        click.echo(json.dumps(to_document(found), indent=1, ensure_ascii=False))
    else:
        _tell(found)
    return DONE


def _tell(found: Explanation) -> None:
    click.echo(f"{found.account} {found.name}, period {found.period}")
    topic = None
    for one in found.sentences:
        if one.topic is not topic:
            topic = one.topic
            click.echo(f"\n{topic.value.capitalize()}")
        click.echo(textwrap.fill(f"{one.with_rules}.", WIDTH, initial_indent="  ",
                                 subsequent_indent="    "))  # fmt: skip
