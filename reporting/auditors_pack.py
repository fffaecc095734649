"""The auditor's pack of a closed period: what an auditor asks for, and the proof beside it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.approvals import list_requests
from database.books import Database
from database.tables import bill, print_batch
from reporting.auditors_pack_chain import audit_rows, chain_rows
from reporting.auditors_pack_words import README
from reporting.exceptions import list_exceptions
from reporting.run_sheet import RunSheet
from reporting.wording import without_addresses

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
    run = sheet.period
    with database.reading() as books:
        members = {
            "README.txt": README.format(period=run, utility=sheet.utility).encode(),
            "report.html": report,
            "figures.json": _json(figures),
            "checks.csv": _csv(_CHECKS, _checks(sheet)),
            "findings.csv": _csv(_FINDINGS, _findings(database, run)),
            "waivers.csv": _csv(_WAIVERS, _waivers(sheet)),
            "approvals.json": _json(_approvals(books, run)),
            "audit.csv": _csv(_AUDIT, audit_rows(books, run)),
            "chain.csv": _csv(_CHAIN, chain_rows(books, run)),
            "bills.sha256": _sums(_bill_sums(books, run)),
            "print.sha256": _sums(_print_sums(books, run)),
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
_AUDIT = ("number", "at", "who", "action", "subject", "detail", "previous", "hash")
_CHAIN = ("number", "content_sha256", "previous", "hash", "of_this_period")


def _checks(sheet: RunSheet) -> Iterator[Row]:
    for result in sheet.checks:
        texts = sheet.check_texts.get(result.check, ("", ""))
        yield (result.check, result.severity.value, result.status.value, result.failed, *texts)


def _findings(database: Database, run: str) -> Iterator[Row]:
    for found in list_exceptions(database, run):
        message = without_addresses(found.message)
        blocking = "yes" if found.blocking else "no"
        yield (found.account, found.stage, found.code, message, found.fix, blocking)


def _waivers(sheet: RunSheet) -> Iterator[Row]:
    for waiver in sheet.waivers:
        yield (waiver.check, waiver.reason, waiver.by, waiver.at.isoformat())


def _approvals(books: Connection, run: str) -> list[dict[str, Any]]:
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
        for request in list_requests(books, run)
    ]


def _bill_sums(books: Connection, run: str) -> Iterator[tuple[str, str]]:
    """Yield hash and path below the bill store of every bill document."""
    query = sa.select(bill.c.sha256, bill.c.pdf).where(bill.c.run == run).order_by(bill.c.pdf)
    for row in books.execute(query):
        yield row.sha256, row.pdf


def _print_sums(books: Connection, run: str) -> Iterator[tuple[str, str]]:
    columns = (print_batch.c.sha256, print_batch.c.file)
    query = sa.select(*columns).where(print_batch.c.run == run).order_by(print_batch.c.file)
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
