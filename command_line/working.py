"""An office at a command's work: it tells its steps at the terminal, or rehearses them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from command_line.options import close_after_command
from command_line.progress import StepLines
from office.equipment.office import Approver, Office


def telling_steps(office: Office, approver: Approver = lambda _sheet: False) -> Office:
    """Return an office whose steps tell how far they are; unless asked, it approves nothing."""
    worker = replace(office, approves=approver, reporter=StepLines())
    close_after_command(worker)
    return worker


@contextlib.contextmanager
def rehearsed(office: Office, dry_run: bool) -> Iterator[Office]:
    """Give a copy of the office that leaves nothing behind, where it is a dry run."""
    if not dry_run:
        yield office
        return
    from office.procedures.closing.rehearsal import rehearsal

    with rehearsal(office) as copy:
        yield copy
