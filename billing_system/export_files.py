"""The files of an export in a folder or in a .zip, and their common hash."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import IO

from billing_system.export.fields import MANIFEST
from billing_system.export.names import nearest
from billing_system.port import BillingExport
from domain.failures import Misuse, Refused

_BLOCK = 2**20  # bytes copied at once


def document_path(export: BillingExport, bulk: int) -> str:
    """Return where a bulk file's copy lies, relative to the folder of exports."""
    return f"{export.period.id}/{_folder_name(export.sha256)}/{bulk}.pdf"


def copy_documents(export: BillingExport, exports_folder: Path) -> None:
    """
    Copy the bulk PDFs that are not there yet; each appears whole or not at all.

    The folder is named after the export's contents, so two imports never overwrite each other's
    files. Bills are personal: only the office's own account may read them (0700, 0600).
    """
    for bulk, bulk_file in enumerate(export.bulk_files):
        target = exports_folder / document_path(export, bulk)
        if not target.exists():
            for folder in (exports_folder, target.parent.parent, target.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _copy(export, bulk_file.file, target)


def sweep_documents(exports_folder: Path, period: str, keep: str) -> None:
    """Remove the copies of a run's other exports; `keep` is the hash of the one that counts."""
    for folder in (exports_folder / period).glob("*"):
        if folder.name != _folder_name(keep):
            shutil.rmtree(folder)


def unstable(export: BillingExport) -> Refused:
    """Return the refusal of what was being written while we read it: half old, half new."""
    return Refused(
        "export-unstable",
        f"{export.name} changed while it was read; wait until the billing system has finished "
        "writing it and import it again.",
    )


def _copy(export: BillingExport, file: str, target: Path) -> None:
    with (
        export.files.open(file) as stream,
        NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as copy,
    ):  # NamedTemporaryFile makes files of mode 0600
        try:
            digest = sha256()
            while block := stream.read(_BLOCK):
                digest.update(block)
                copy.write(block)
            if digest.hexdigest() != export.fingerprints[file]:
                raise unstable(export)
            copy.flush()
            os.fsync(copy.fileno())
            Path(copy.name).replace(target)
        finally:
            Path(copy.name).unlink(missing_ok=True)


def _folder_name(sha256: str) -> str:
    return sha256[:16]


MOST_MEMBERS = 10_000
LARGEST_UNPACKED = 16 * 2**30  # bytes
SMALL = 2**20  # bytes; below this no ratio is suspicious
HIGHEST_RATIO = 200  # unpacked to packed; tables reach 20


class Place(ABC):
    """
    Where an export's files lie; letters' case does not count in their names.

    `stray` are files that lie beside the export and do not belong to it.
    """

    stray: tuple[str, ...] = ()

    @abstractmethod
    def names(self) -> list[str]:
        """List what lies there, a folder with a slash behind its name."""

    def has(self, file: str) -> bool:
        return self.find(file) is not None

    @abstractmethod
    def find(self, file: str) -> str | None:
        """Return how a file is really called there; raises Misuse where there are two of it."""

    @abstractmethod
    def open(self, file: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file under the name that it has with us."""


class Folder(Place):
    """The files below a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """List what lies directly in the folder."""
        return sorted(f"{lies.name}{'/' * lies.is_dir()}" for lies in self._path.iterdir())

    def find(self, file: str) -> str | None:
        lies = self._path
        for part in PurePosixPath(file).parts:
            if not lies.is_dir():
                return None
            name = _alike(part, (inner.name for inner in lies.iterdir()))
            if name is None:
                return None
            lies = lies / name
        return lies.relative_to(self._path).as_posix() if lies.is_file() else None

    def open(self, file: str) -> AbstractContextManager[IO[bytes]]:
        return (self._path / (self.find(file) or file)).open("rb")


class ZipFolder(Place):
    """The members of a .zip, without the one folder that holds the export."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with zipfile.ZipFile(path) as archive:
                members = [member for member in archive.infolist() if not member.is_dir()]
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise Misuse(
                f"{path.name} is not a readable .zip ({error}); make it anew", "bundle"
            ) from None
        members = [member for member in members if not member.filename.startswith("__MACOSX/")]
        for member in members:
            _refuse_unsafe(path.name, member)
        _refuse_bomb(path.name, members)
        names = {member.filename for member in members}
        self._top = _find_top(path.name, names)
        self._names = {name.removeprefix(self._top) for name in names if name.startswith(self._top)}
        self.stray = tuple(sorted(name for name in names if not name.startswith(self._top)))

    def names(self) -> list[str]:
        """List the members, without the top folder."""
        return sorted(self._names)

    def find(self, file: str) -> str | None:
        return _alike(file, self._names)

    @contextmanager
    def open(self, file: str) -> Iterator[IO[bytes]]:
        member_name = self._top + (self.find(file) or file)
        try:
            with zipfile.ZipFile(self._path) as archive, archive.open(member_name) as member:
                yield member
        except (zipfile.BadZipFile, EOFError) as error:
            raise Misuse(
                f"{file} in {self._path.name} is damaged ({error}); make the .zip anew", "bundle"
            ) from None


def _alike(file: str, names: Iterable[str]) -> str | None:
    """Find a name without regard to case; two files of one name would be two answers."""
    found = sorted(name for name in names if name.casefold() == file.casefold())
    if len(found) > 1:
        raise Misuse(
            f"The export holds {file} twice, as {' and '.join(found)}; keep the right one", "bundle"
        )
    return found[0] if found else None


class UsedFiles:
    """Those files of a folder or .zip that make up the export."""

    def __init__(self, place: Place, used: list[str]) -> None:
        self._place = place
        self._used = sorted(used)

    def open(self, file: str) -> AbstractContextManager[IO[bytes]]:
        return self._place.open(file)

    def fingerprints(self) -> dict[str, str]:
        """Hash each file anew."""
        return {name: self._hash(name) for name in self._used}

    def _hash(self, file: str) -> str:
        with self._place.open(file) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def open_place(source: Path) -> Place:
    """Find out what an export lies in; raises Misuse where there is none."""
    if not source.exists():
        raise Misuse(f"{source} does not exist; give the billing export's folder or .zip", "bundle")
    place: Place
    if source.is_dir():
        place = Folder(source)
    elif zipfile.is_zipfile(source):
        place = ZipFolder(source)
    elif source.suffix.lower() == ".zip":
        raise Misuse(
            f"{source} cannot be opened as a .zip: it is damaged or not whole; copy it anew",
            "bundle",
        )
    else:
        raise Misuse(f"{source} is neither a folder nor a .zip; give the billing export", "bundle")
    if not place.names():
        raise Misuse(f"{source} is empty; the billing export has not been written yet", "bundle")
    if not place.has(MANIFEST):
        raise Misuse(
            f"{source} holds no {MANIFEST}{_likely(source, place)}; it is no billing export",
            "bundle",
        )
    return place


def _likely(source: Path, place: Place) -> str:
    """Say what may be meant where there is no bundle.toml: another name, or a folder within."""
    for name in place.names():
        if name.endswith("/") and (source / name / MANIFEST).is_file():
            return f", but {name} within it does: give {source / name}"
        stem = name.casefold().removesuffix(".txt").removesuffix(".toml")
        if name.casefold().endswith((".toml", ".toml.txt")) and nearest(stem, ["bundle"]):
            return f', but {name}; did you mean "{MANIFEST}"?'
    return ""


def _refuse_unsafe(archive: str, member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename)
    is_outside = path.is_absolute() or ".." in path.parts or ":" in path.parts[0]
    if is_outside or "\\" in member.orig_filename or stat.S_ISLNK(member.external_attr >> 16):
        raise Misuse(
            f'{archive} holds "{member.orig_filename[:80]}", which points outside of it; '
            "do not use this .zip",
            "bundle",
        )
    if member.flag_bits & 1:
        raise Misuse(f"{archive} is encrypted; make it anew without a password", "bundle")


def _refuse_bomb(archive: str, members: list[zipfile.ZipInfo]) -> None:
    """Refuse what would fill the disk or the memory; reading stops at the announced sizes."""
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if (
        len(members) > MOST_MEMBERS
        or unpacked > LARGEST_UNPACKED
        or unpacked > max(SMALL, packed * HIGHEST_RATIO)
    ):
        raise Misuse(
            f"{archive} would unpack to {len(members)} files of {unpacked} bytes, which is no "
            "billing export; do not use this .zip",
            "bundle",
        )
    if len({member.filename for member in members}) < len(members):
        raise Misuse(f"{archive} holds one file twice; make it anew", "bundle")


def _find_top(archive: str, names: set[str]) -> str:
    """Return the folder within the .zip that holds the export, with its slash, or nothing."""
    manifests = sorted(name for name in names if name.rpartition("/")[2].casefold() == MANIFEST)
    tops = {name.rpartition("/")[0] for name in manifests}
    if len(tops) > 1 and "" not in tops:
        raise Misuse(
            f"{archive} holds several exports ({', '.join(manifests)[:300]}); make a .zip of each",
            "bundle",
        )
    if not manifests:  # a feed has none
        tops = {name.partition("/")[0] if "/" in name else "" for name in names}
    return "" if len(tops) != 1 or "" in tops else f"{tops.pop()}/"
