"""The billing system as a folder (or .zip) of CSV tables and PDFs that it writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from billing_system.export import columns
from billing_system.export.columns import Table
from billing_system.export.fields import MANIFEST
from billing_system.export.manifest import Manifest, read_manifest_in
from billing_system.export.names import nearest
from billing_system.export.notes import Notes, refuse_near_files
from billing_system.export.rows import RowReader, read_accounts, read_links, read_once
from billing_system.export.table_files import open_table
from billing_system.export_files import Place, UsedFiles, open_place
from billing_system.port import (
    BillingExport,
    Cosigner,
    Enrollment,
    ExportedPortalUser,
    PaymentMethod,
    PortalLink,
    Report,
)
from domain.accounts import Account
from domain.failures import Misuse
from domain.movements import Movements
from domain.problems import Problem


class EmbeddedBillingSystem:
    """Reads exports from the file system."""

    def read_export(self, source: Path) -> BillingExport:
        """Read the export at a path; the port says what is raised and what is a problem."""
        place = open_place(source)
        manifest = read_manifest_in(place)
        files = UsedFiles(place, _list_files(place, manifest))
        fingerprints = files.fingerprints()
        notes = Notes(place, manifest)
        tables = _Tables(place, manifest, notes)

        # Accounts first: the other tables' problems name accounts in its spelling.
        accounts = tables.accounts()
        return BillingExport(
            name=source.resolve().name[:255],
            fingerprints=fingerprints,
            utility=manifest.utility,
            period=manifest.period,
            control_totals=manifest.control_totals,
            written=manifest.written,
            bulk_files=manifest.bulk_files,
            accounts=accounts,
            portal_users=tables.portal_users(),
            portal_links=tables.portal_links(),
            cosigners=tables.cosigners(),
            payment_methods=tables.payment_methods(),
            enrollments=tables.enrollments(),
            movements=tables.movements,
            problems=tuple(tables.problems),
            files=files,
            notes=notes.all(),
        )


class _Tables:
    """The tables of one export, opened at once so that a wrong file is refused before any work."""

    def __init__(self, place: Place, manifest: Manifest, notes: Notes) -> None:
        self.problems: list[Problem] = []
        self._place = place
        self._manifest = manifest
        self._notes = notes
        self._spellings: dict[str, str] = {}
        self._readers: dict[str, RowReader] = {}
        for table in columns.TABLES:
            file = manifest.file_of(table)
            if file and place.has(file):
                self._readers[table.name] = self._open(table, file)

    def _open(self, table: Table, file: str) -> RowReader:
        manifest = self._manifest
        renamed = manifest.renamed.get(table.name, {})
        needed = [renamed.get(c.name, c.name) for c in table.columns if not c.optional]
        encoding = manifest.encodings.get(table.name, "")
        source = open_table(self._place, file, needed, encoding=encoding)
        self._notes.add_table(table, source, renamed)
        meanings = manifest.meanings.get(table.name, {})
        return RowReader(table, source, renamed, self._spellings, meanings)

    def accounts(self) -> tuple[Account, ...]:
        reader = self._readers[columns.ACCOUNTS.name]
        return tuple(read_accounts(reader, self._spellings, self.problems.append))

    def movements(self, report: Report) -> Iterator[Movements]:
        return self._readers[columns.TRANSACTIONS.name].read_columns(report)

    def portal_users(self) -> tuple[ExportedPortalUser, ...]:
        reader = self._readers.get(columns.PORTAL_USERS.name)
        if reader is None:
            return ()
        return tuple(
            read_once(
                reader, self.problems.append, lambda user: user.mailbox, lambda user: user.name
            )
        )

    def portal_links(self) -> tuple[PortalLink, ...]:
        reader = self._readers.get(columns.PORTAL_LINKS.name)
        return () if reader is None else tuple(read_links(reader, self.problems.append))

    def cosigners(self) -> tuple[Cosigner, ...]:
        reader = self._readers.get(columns.COSIGNERS.name)
        if reader is None:
            return ()
        return tuple(
            read_once(
                reader, self.problems.append, lambda cosigner: cosigner.cosigner_id, lambda c: c
            )
        )

    def payment_methods(self) -> tuple[PaymentMethod, ...]:
        reader = self._readers.get(columns.PAYMENT_METHODS.name)
        if reader is None:
            return ()
        return tuple(
            read_once(reader, self.problems.append, lambda method: method.token, lambda m: m)
        )

    def enrollments(self) -> tuple[Enrollment, ...]:
        reader = self._readers.get(columns.AUTOPAY.name)
        if reader is None:
            return ()
        rows = reader.read(self.problems.append)
        return tuple(value for _, value in rows if value is not None)


def _list_files(place: Place, manifest: Manifest) -> list[str]:
    """List the files that make up the export; raises Misuse where a needed one is missing."""
    needed = [manifest.file_of(table) or table.file for table in columns.REQUIRED]
    needed += [bulk.file for bulk in manifest.bulk_files]
    for file in needed:
        if not place.has(file):
            names = place.names()
            near = next((name for name in names if nearest(_stem(name), [_stem(file)])), "")
            meant = f". {near} is nearly that: did you mean {file}? Rename it" if near else ""
            raise Misuse(
                f"{file} is missing from the export, which holds {', '.join(names)[:300]}"
                f"{meant}; export it again",
                "bundle",
            )
    refuse_near_files(place, manifest)
    optional = [manifest.file_of(t) for t in columns.TABLES if t not in columns.REQUIRED]
    return [MANIFEST, *needed, *(file for file in optional if file and place.has(file))]


def _stem(file: str) -> str:
    return file.rpartition("/")[2].rpartition(".")[0]
