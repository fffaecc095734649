"""The bulk files that bundle.toml announces under [[documents]]."""

from __future__ import annotations

from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from billing_system.manifest_fields import Section, fault, show
from domain.periods import BulkFile

_KEYS = ("form", "file", "account", "amount_due", "due_date", "separator", "region")


def read_bulk_files(documents: Any) -> tuple[BulkFile, ...]:
    """Read what `[[documents]]` gives; raises Misuse naming the section's number and the key."""
    if not isinstance(documents, list) or not documents:
        raise fault("[[documents]]", "is missing; add one for each bulk PDF, in double brackets")
    found: dict[str, BulkFile] = {}
    for number, values in enumerate(documents, start=1):
        title = f"[[documents]] number {number},"
        if not isinstance(values, dict):
            raise fault(title, f"is {show(values)}; write it as a section of its own")
        bulk = _read_bulk_file(Section(title, values))
        if bulk.file in found:
            raise fault(f"{title} file", f'"{bulk.file}" is named twice; name each PDF once')
        found[bulk.file] = bulk
    return tuple(found.values())


def _read_bulk_file(section: Section) -> BulkFile:
    section.refuse_misspelled(_KEYS)
    file = section.text("file", longest=255)
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\\" in file or ":" in file:
        raise fault(section.place("file"), f"{show(file)} must lie within the export")
    return BulkFile(
        form=section.name("form"),
        file=str(path),
        account=section.pattern("account"),
        amount_due=section.optional_pattern("amount_due"),
        due_on=section.optional_pattern("due_date"),
        separator=section.optional_text("separator"),
        region=_read_region(section),
    )


def _read_region(section: Section) -> tuple[float, float, float, float] | None:
    if "region" not in section.values:
        return None
    value = section.values["region"]
    is_list = isinstance(value, list) and len(value) == 4
    numbers = [
        float(side)
        for side in (value if is_list else ())
        if isinstance(side, int | Decimal) and not isinstance(side, bool) and 0 <= side < 100_000
    ]
    if len(numbers) == 4 and numbers[0] < numbers[2] and numbers[1] < numbers[3]:
        return numbers[0], numbers[1], numbers[2], numbers[3]
    raise fault(
        section.place("region"),
        f"is {show(value)}; write left, top, right, bottom in points, such as [300, 0, 612, 120]",
    )
