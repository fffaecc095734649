"""`billclose texts announce`: one text to many phones, looked at and counted first."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.commands.mass_mail import audience_options, read_body, to_audience
from command_line.options import (
    DONE,
    NEEDS_PERSON,
    as_of_option,
    json_option,
    open_office,
    reason_option,
    say_done,
)
from domain.languages import NAMES
from domain.words import say_count

if TYPE_CHECKING:
    from office.procedures.texting.announcing import TextPlan


@click.command()
@click.option(
    "--text",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE.txt",
    help="What it says; who sends it and how to end texts stand around it.",
)
@click.option(
    "--text-es",
    type=click.Path(path_type=Path),
    metavar="FILE.txt",
    help="The same in Spanish, for customers who read it.",
)
@audience_options
@click.option("--yes-to", type=int, metavar="COUNT", help="Confirm so many phones.")
@click.option("--test-to", default="", metavar="PHONE", help="Send it to this phone alone.")
@click.option("--dry-run", is_flag=True, help="Show and count; record and send nothing.")
@as_of_option
@json_option
@click.pass_obj
def announce(
    home: Path,
    text: Path,
    text_es: Path | None,
    to_portal_users: bool,
    to_customers: bool,
    where: tuple[str, ...],
    account: tuple[str, ...],
    yes_to: int | None,
    test_to: str,
    dry_run: bool,
    as_of: datetime | None,
    as_json: bool,
) -> int:
    """Text many customers who have agreed to it, once to each phone.

    It is shown first, and the number of phones has to be confirmed; then it leaves within the hours
    of texts. The same again on the same day changes nothing. Exit status 3 for a wrong count, 4
    where it waits for one.
    """
    from office.procedures.texting.announcing import (
        make_text_request,
        plan_text,
        send_mass_text,
        send_test_text,
    )

    audience = to_audience(to_portal_users, to_customers, where, account, None)
    office = open_office(home, as_of)
    spanish = read_body(text_es) if text_es else ""
    request = make_text_request(read_body(text), spanish, audience)
    plan = plan_text(office, request)
    figures = _figures(plan)
    if not as_json:
        click.echo("\n".join(_lines(plan, audience.say())))
    if test_to:
        send_test_text(office, request, test_to)
        return _end("tested", figures, "The test text is sent.", as_json=as_json)
    if dry_run:
        return _end("dry-run", figures, "Nothing is sent.", as_json=as_json)
    if plan.recorded is not None:
        said = f"It was recorded before as text {plan.recorded.number}; nothing to do."
        return _end("sent-before", figures, said, as_json=as_json)
    if yes_to is None:
        how = plan.too_many or f"to send it add --yes-to {len(plan.readers)}"
        said = f"Nothing is sent yet; {how}"
        _end("waiting", figures, said, as_json=as_json)
        return NEEDS_PERSON
    made = send_mass_text(office, request, yes_to)
    said = f"Text {made.number} is recorded for {say_count(made.phones, 'phone')}."
    return _end("recorded", figures | {"text": made.number}, said, as_json=as_json)


@click.command(name="take-back")
@click.argument("number", type=int)
@reason_option
@as_of_option
@json_option
@click.pass_obj
def take_back(home: Path, number: int, reason: str, as_of: datetime | None, as_json: bool) -> None:
    """Let what waits of text NUMBER to many go unsent."""
    from office.procedures.texting.announcing import take_back_text

    gone = take_back_text(open_office(home, as_of), number, reason)
    say_done(as_json, {"unsent": gone}, f"{say_count(gone, 'text')} will not leave.")


def _figures(plan: TextPlan) -> dict[str, Any]:
    return {
        "text": plan.recorded.number if plan.recorded else None,
        "phones": len(plan.readers),
        "segments": plan.segments,
        "cost": str(plan.cost) if plan.cost is not None else None,
        "left_out": plan.left_out,
        "worded": [
            {
                "language": one.language,
                "words": one.words,
                "phones": one.phones,
                "segments": one.segments,
            }
            for one in plan.worded
        ],
    }


def _lines(plan: TextPlan, to: str) -> list[str]:
    from mail.communications.texted import NO_TEXT_BECAUSE, NoText

    lines = []
    for one in plan.worded:
        each = say_count(one.segments, "segment")
        lines += [
            f"{NAMES[one.language]}: {one.words}",
            f"  {each} each, to {say_count(one.phones, 'phone')}",
        ]
    cost = f", some {plan.cost.dollars()}" if plan.cost is not None else ""
    phones, segments = len(plan.readers), say_count(plan.segments, "segment")
    lines.append(f"To {to}: {say_count(phones, 'phone')}, {segments}{cost}")
    return lines + [
        f"  left out {count:,}: {NO_TEXT_BECAUSE[NoText(why)]}"
        for why, count in plan.left_out.items()
    ]


def _end(status: str, figures: dict[str, Any], said: str, *, as_json: bool) -> int:
    click.echo(
        json.dumps({"status": status, **figures}, indent=1, ensure_ascii=False) if as_json else said
    )
    return DONE
