"""The auditor's pack of a closed period: what an auditor asks for, and the proof beside it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.approvals import list_requests
from database.audit import Link, act_of, read_links
from database.books import Database
from database.tables import audit, bill, print_batch
from domain.audit_chain import Act
from reporting.private_files import PRIVATE, replacing
from reporting.run_sheet.exceptions import list_exceptions
from reporting.run_sheet.run_sheet import RunSheet
from reporting.wording import without_addresses

PACKED = "write auditor's pack"  # not of the period: the next pack would be another one


def audit_rows(books: Connection, period: str) -> Iterator[Sequence[Any]]:
    """Yield the rows of the audit list that name the period, whole."""
    for link in _around(books, period):
        if is_of(period, link.act):
            act = link.act
            said = (act.moment, act.who, act.action, act.subject, act.detail)
            clock = (act.machine_moment, "true" if act.rehearsed else "false")
            yield (act.number, *said, *clock, link.previous, link.hash)


def chain_rows(books: Connection, period: str) -> Iterator[Sequence[Any]]:
    """
    Yield number and hashes of every row from the period's first to its last.

    What other periods' rows say is not in it, and yet each link can be counted again.
    """
    for link in _around(books, period):
        act = link.act
        ours = "yes" if is_of(period, act) else "no"
        yield (act.number, act.content_hash, link.previous, link.hash, ours)


def is_of(period: str, act: Act) -> bool:
    """Tell whether an act names the period as a word of its own, and is no pack of it."""
    word = re.compile(rf"(?<![\w-]){re.escape(period)}(?![\w-])")
    return act.action != PACKED and bool(word.search(act.subject) or word.search(act.detail))


def _around(books: Connection, period: str) -> Iterator[Link]:
    """Yield the links from the first to the last row that names the period."""
    names = sa.or_(
        *(said.contains(period, autoescape=True) for said in (audit.c.subject, audit.c.detail))
    )
    query = sa.select(audit).where(names).order_by(audit.c.id)
    numbers = [row.id for row in books.execute(query) if is_of(period, act_of(row))]
    if numbers:
        yield from read_links(books, numbers[0], numbers[-1])


README = """\
{utility}: auditor's pack of billing period {period}

MANIFEST        SHA-256 of every file here:        sha256sum -c MANIFEST
report.html     the report as it was written at the close; it needs no other file
figures.json    its figures: pages, bills, totals, autopay, mail, paper
checks.csv      every check with what came of it;  findings.csv: what it found, by account
waivers.csv     which check was waived, why, by whom, when
approvals.json  what was asked, with the figures shown, and who decided what, when and why
audit.csv       the rows of the audit list that name this period
chain.csv       number and hashes of every row of the list from the first to the last of these
bills.sha256    SHA-256 of every bill document:    cd BILLSTORE && sha256sum -c .../bills.sha256
print.sha256    the same of the print batches:     cd HOME && sha256sum -c .../print.sha256
settings.json   the settings in force when this pack was written, without secrets
versions.json   the software that wrote it

The chain. The hash of a row is the SHA-256 of two hashes written one behind the other as 128
hexadecimal digits: "previous", the hash of the row before, and "content_sha256". That is the
SHA-256 of the row as a JSON array without blanks, all beyond ASCII escaped:
[number,"YYYY-MM-DDTHH:MM:SS.ffffffZ",who,action,subject,detail,"machine's moment",rehearsed]:
moments in UTC; the first is the business time, the second the machine's own; rehearsed is true
where they were set apart (--as-of), else false.
So each row of audit.csv can be counted again from what it says, and each row of chain.csv from
its two hashes. That nothing was cut off behind is proved by `billclose audit verify --expect
NUMBER:HASH` with a line that was noted down elsewhere.

The same books give the same bytes; the moment of writing stands in the audit list alone.
"""


MANIFEST = "MANIFEST"
Row = Sequence[Any]


def pack_members(
    database: Database,
    sheet: RunSheet,
    *,
    report: bytes,
    figures: Mapping[str, Any],
    settings: Mapping[str, Any],
    versions: Mapping[str, str],
) -> dict[str, bytes]:
    """
    Return the pack's files by name, the manifest last; the same books give the same bytes.

    `report` is the page as it was written at the close, `figures` are those of `close --json`.
    Beyond account numbers only the report holds anything of customers.
    """
    period = sheet.period
    with database.reading() as books:
        members = {
            "README.txt": README.format(period=period, utility=sheet.utility).encode(),
            "report.html": report,
            "figures.json": _json(figures),
            "checks.csv": _csv(_CHECKS, _checks(sheet)),
            "findings.csv": _csv(_FINDINGS, _findings(database, period)),
            "waivers.csv": _csv(_WAIVERS, _waivers(sheet)),
            "approvals.json": _json(_approvals(books, period)),
            "audit.csv": _csv(_AUDIT, audit_rows(books, period)),
            "chain.csv": _csv(_CHAIN, chain_rows(books, period)),
            "bills.sha256": _sums(_bill_sums(books, period)),
            "print.sha256": _sums(_print_sums(books, period)),
            "settings.json": _json(settings),
            "versions.json": _json(versions),
        }
    return members | {MANIFEST: manifest_of(members)}


def manifest_of(members: Mapping[str, bytes]) -> bytes:
    """Return the SHA-256 of every file, as `sha256sum -c` reads it."""
    return _sums((hashlib.sha256(content).hexdigest(), name) for name, content in members.items())


_CHECKS = ("check", "severity", "status", "failed", "what_it_says", "what_to_do")
_FINDINGS = ("account", "stage", "code", "message", "fix", "blocking")
_WAIVERS = ("check", "reason", "waived_by", "waived_at")
_AUDIT = (
    *("number", "at", "who", "action", "subject", "detail", "machine_at", "rehearsed"),
    *("previous", "hash"),
)
_CHAIN = ("number", "content_sha256", "previous", "hash", "of_this_period")


def _checks(sheet: RunSheet) -> Iterator[Row]:
    for result in sheet.checks:
        texts = sheet.check_texts.get(result.check, ("", ""))
        yield (result.check, result.severity.value, result.status.value, result.failed, *texts)


def _findings(database: Database, period: str) -> Iterator[Row]:
    for found in list_exceptions(database, period):
        message = without_addresses(found.message)
        blocking = "yes" if found.blocking else "no"
        yield (found.account, found.stage, found.code, message, found.fix, blocking)


def _waivers(sheet: RunSheet) -> Iterator[Row]:
    for waiver in sheet.waivers:
        yield (waiver.check, waiver.reason, waiver.by, waiver.at.isoformat())


def _approvals(books: Connection, period: str) -> list[dict[str, Any]]:
    return [
        {
            "request": request.number,
            "asked_at": request.asked_at.isoformat(),
            "asked_by": request.asked_by,
            "digest": request.digest,
            "figures": json.loads(request.figures),
            "decisions": [
                {
                    "decision": decided.decision.value,
                    "who": decided.who,
                    "at": decided.at.isoformat(),
                    "reason": decided.reason,
                    "waived": list(decided.waived),
                }
                for decided in request.decisions
            ],
        }
        for request in list_requests(books, period)
    ]


def _bill_sums(books: Connection, period: str) -> Iterator[tuple[str, str]]:
    """Yield hash and path below the bill store of every bill document."""
    query = sa.select(bill.c.sha256, bill.c.pdf).where(bill.c.period == period).order_by(bill.c.pdf)
    for row in books.execute(query):
        yield row.sha256, row.pdf


def _print_sums(books: Connection, period: str) -> Iterator[tuple[str, str]]:
    columns = (print_batch.c.sha256, print_batch.c.file)
    query = sa.select(*columns).where(print_batch.c.period == period).order_by(print_batch.c.file)
    for row in books.execute(query):
        yield row.sha256, row.file


def _sums(rows: Iterable[tuple[str, str]]) -> bytes:
    return "".join(f"{digest}  {name}\n" for digest, name in rows).encode()


def _csv(headings: Sequence[str], rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue().encode()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


EARLIEST = (1980, 1, 1, 0, 0, 0)  # what a zip can say at all: no moment of ours is in it
UNIX = 3


def write_pack(file: Path, members: Mapping[str, bytes]) -> None:
    """Write the files into a zip, whole or not at all; an older one is replaced."""
    with replacing(file) as out:
        write_members(out, members)


def write_members(out: BinaryIO, members: Mapping[str, bytes]) -> None:
    """
    Write the pack's zip; the same members give the same bytes.

    Stored and not compressed: releases of zlib differ in the bytes they make.
    """
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(_entry(name), content)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EARLIEST)
    entry.create_system = UNIX
    entry.external_attr = PRIVATE << 16
    return entry
