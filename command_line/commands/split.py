"""`billclose split`: one PDF for each account, without home or database."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from command_line.options import NEEDS_PERSON, json_option
from command_line.outcomes.split import (
    SplitFigures,
    check_accounts,
    check_file,
    check_folder,
    clean_bills,
    file_names,
)
from command_line.progress import StepLines
from command_line.split_customers import read_customers
from domain.failures import Misuse
from domain.periods import BY_ATTACHMENTS, BY_BOOKMARKS, BY_TEXT, NAMED_BY, BulkFile

if TYPE_CHECKING:
    from splitter.association.knowledge import Knowledge
    from splitter.copying.verifying import VerificationPolicy


def parse_region(
    _context: Any, _parameter: Any, value: str | None
) -> tuple[float, float, float, float] | None:
    """Read left,top,right,bottom in points from the page's top left corner."""
    if value is None:
        return None
    try:
        left, top, right, bottom = (float(part) for part in value.split(","))
    except ValueError:
        raise Misuse(
            f"--region {value!r} is not left,top,right,bottom in points, such as 300,0,612,120."
        ) from None
    return left, top, right, bottom


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--account", required=True, metavar="REGEX", help="Finds an account; group 1 is it.")
@click.option("--amount-due", metavar="REGEX", help="Finds the amount due.")
@click.option("--due-date", metavar="REGEX", help="Finds the due date.")
@click.option("--separator", metavar="TEXT", help="Pages with this text belong to nobody.")
@click.option("--region", callback=parse_region, metavar="L,T,R,B", help="Look only here, points.")
@click.option(
    "--by",
    type=click.Choice(NAMED_BY),
    default=BY_TEXT,
    show_default=True,
    help="What names the account.",
)
@click.option("--title", metavar="REGEX", help="Finds it in bookmarks or attached files' names.")
@click.option(
    "--level",
    type=click.IntRange(1, 32),
    default=1,
    show_default=True,
    metavar="N",
    help="The level of the bookmarks that name accounts.",
)
@click.option(
    "--accounts",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="A file like accounts.csv: whose numbers, names and addresses there are.",
)
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--ocr", is_flag=True, help="Read pages that are only a picture, with tesseract.")
@click.option("--dry-run", is_flag=True, help="Say which pages go where; write nothing.")
@click.option(
    "--read-back-every",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Read back each Nth copy before it is written.",
)
@click.option(
    "--audit-every",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    metavar="N",
    help="Give each Nth copy the full audit.",
)
@json_option
def split(
    file: Path,
    account: str,
    amount_due: str | None,
    due_date: str | None,
    separator: str | None,
    region: tuple[float, float, float, float] | None,
    by: str,
    title: str | None,
    level: int,
    accounts: Path | None,
    folder: Path,
    ocr: bool,
    dry_run: bool,
    read_back_every: int,
    audit_every: int,
    as_json: bool,
) -> int:
    """Write one PDF for each account of FILE, named after the account.

    A page belongs to the account it names, else to the bill before it; with --by bookmarks, or
    attachments, to the account that a bookmark or an attached file's name says. Exit status 4:
    some pages or accounts need a person; they are listed, and the bills of all other accounts are
    written.
    A page that bears another customer's mark, or is otherwise unlike what may follow a bill, goes
    to a person; with --accounts that is known better. Pages read with --ocr are listed too: without
    --accounts nothing here knows whether there is such an account.
    """
    check_file(file)
    check_folder(folder)
    knowledge = read_customers(accounts) if accounts else None
    if by == BY_TEXT and title:
        raise Misuse("--title needs --by bookmarks or --by attachments; give one, or leave it out.")
    bulk = BulkFile(
        "utility-bill", file.name, account, amount_due, due_date, separator, region,
        by=by, title=title, level=level if by == BY_BOOKMARKS else 1,
    )  # fmt: skip
    from splitter.copying.verifying import VerificationPolicy

    verification_policy = VerificationPolicy(read_back_every, audit_every)
    request = SplitRequest(file, bulk, folder, ocr, dry_run, verification_policy, knowledge)
    figures = _split(request)
    if as_json:
        click.echo(json.dumps(figures.to_json(), indent=1))
    else:
        click.echo(figures.to_text())
    return NEEDS_PERSON if figures.needs_person else 0


@dataclass(frozen=True, slots=True)
class SplitRequest:
    """What is to be split, and how."""

    file: Path
    bulk: BulkFile
    folder: Path
    ocr: bool
    dry_run: bool
    verification_policy: VerificationPolicy
    knowledge: Knowledge | None


def _split(request: SplitRequest) -> SplitFigures:
    from splitter.association.knowledge import NOTHING_KNOWN
    from splitter.bulk_file.splitting import Splitting
    from splitter.copying.verifying import say_verification
    from splitter.store.bill_store import BillStore

    steps = StepLines()
    bulk, folder = request.bulk, request.folder
    knowledge = request.knowledge or NOTHING_KNOWN
    with (
        _one_file(request) as file,
        Splitting(file, bulk, ocr=request.ocr) as splitting,
    ):
        steps.begin("reading")
        assignment = splitting.plan(
            progress=_moving(steps, "reading", splitting.pages),
            knowledge=knowledge,
            by_engines=not request.dry_run and request.verification_policy.reads_back_all,
        )
        steps.end("reading", f"{splitting.pages:,} pages, {len(assignment.bills):,} bills")
        check_accounts(assignment)
        chosen, held = clean_bills(assignment)
        figures = SplitFigures(
            request.file, folder, splitting.pages, assignment, held, None, file_names(folder),
            bool(bulk.amount_due), bool(bulk.due_on),
        )  # fmt: skip
        if request.dry_run:
            return figures

        pages = sum(len(bill.pages) for bill in chosen.bills)
        steps.begin("writing")
        outcome = splitting.file_bills(
            chosen,
            BillStore(folder),
            prefix="",
            progress=_moving(steps, "writing", pages),
            verification_policy=request.verification_policy,
            known=knowledge.accounts.values(),
        )
        looked_at = say_verification(outcome.read_back, outcome.audited)
        steps.end("writing", f"{len(outcome.bills):,} bills; {looked_at}")
        return replace(figures, outcome=outcome)


@contextmanager
def _one_file(request: SplitRequest) -> Iterator[Path]:
    """Give the file to split; of a portfolio one with all its bills, while it is needed."""
    if request.bulk.by != BY_ATTACHMENTS:
        yield request.file
        return
    from splitter.workers.unfolder import unfold_file

    with tempfile.TemporaryDirectory(prefix="billclose-") as folder:  # private to its owner
        unfolded = Path(folder) / request.file.name
        unfold_file(request.file, unfolded, request.file.name)
        yield unfolded


def _moving(steps: StepLines, step: str, total: int) -> Callable[[int], None]:
    done = 0

    def move(pages: int) -> None:
        nonlocal done
        done += pages
        steps.move(step, done, total)

    return move
