"""The office's own texts as files of its home, and who changed them when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from database.audit import record_audit
from database.definitions.changes import template_change
from domain.failures import Refused
from domain.languages import ENGLISH
from mail.letters.bill import in_languages
from mail.letters.notices import kind_of
from mail.letters.templates import OURS
from office.equipment.office import Office
from office.procedures.wording.drafts import TemplateDraft
from office.procedures.wording.kinds import DEFAULT, TemplateGroup, TemplateKind
from reporting.private_files import replacing

FOLDER = "templates"  # of the home; the mails are worded by what lies there, and by nothing else


@dataclass(frozen=True, slots=True)
class TextInForce:
    """One part of a template as it words mails now; `is_own` where the office wrote it."""

    text: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class TextChange:
    """One change of one file; `text` is None where the office went back to ours."""

    number: int
    file: str
    text: str | None
    changed_at: datetime
    changed_by: str

    @property
    def part(self) -> str:
        return self.file.rpartition(".")[2]


def text_in_force(
    office: Office, kind: TemplateKind, part: str, language: str = ENGLISH
) -> TextInForce:
    """Return one part as it words mails: the office's own, else ours, else what that falls to."""
    own_file = kind.file(part, language)
    for name in in_languages((kind.name, _fallback(kind)), language):
        for folder in (office.home / FOLDER, OURS):
            file = f"{name}.{part}"
            if (folder / file).is_file():
                text = (folder / file).read_text(encoding="utf-8")
                return TextInForce(text, is_own=folder is not OURS and file == own_file)
    return TextInForce("", is_own=False)


def keep_draft(office: Office, draft: TemplateDraft, before: dict[str, str]) -> list[str]:
    """
    Keep what a draft changes, as files and in the books; return the names of those files.

    `before` is the fingerprint of each part when it was opened. Raises Refused where somebody else
    has changed it since: nobody's words are lost without a word.
    """
    standing = {
        part: text_in_force(office, draft.kind, part, draft.language).text for part in draft.parts
    }
    changed = {part: text for part, text in draft.parts.items() if text != standing[part]}
    for part in changed:
        now = fingerprint(standing[part])
        if before.get(part, now) != now:
            raise Refused(
                "changed-meanwhile",
                "Somebody else has changed this text since you opened it. Copy your words, open it "
                "again, and put them in.",
            )
    files = {draft.kind.file(part, draft.language): text for part, text in changed.items()}
    for file, text in files.items():
        _change(office, file, text)
    return list(files)


def fingerprint(text: str) -> str:
    """Return what stands for a text in a form: whether it is still the same."""
    return hashlib.sha256(text.encode()).hexdigest()


def back_to_ours(office: Office, kind: TemplateKind, language: str) -> list[str]:
    """Take the office's own files of a template away, so that ours word it again; return them."""
    files = [kind.file(part, language) for part in kind.parts]
    own = [file for file in files if (office.home / FOLDER / file).is_file()]
    for file in own:
        _change(office, file, None)
    return own


def changes_of(office: Office, kind: TemplateKind, language: str) -> list[TextChange]:
    """Return who changed a template when, the newest first."""
    files = [kind.file(part, language) for part in kind.parts]
    query = (
        sa.select(
            template_change.c.number,
            template_change.c.file,
            template_change.c.text,
            template_change.c.changed_at,
            template_change.c.changed_by,
        )
        .where(template_change.c.file.in_(files))
        .order_by(template_change.c.number.desc())
    )
    with office.database.reading() as books:
        return [TextChange(*row) for row in books.execute(query)]


def find_change(
    office: Office, number: int, kind: TemplateKind, language: str
) -> TextChange | None:
    """Return one change of a template that left a text; None where there is none."""
    changes = changes_of(office, kind, language)
    return next((one for one in changes if one.number == number and one.text is not None), None)


def own_files(office: Office) -> set[str]:
    """Return the names of all files that the office has written."""
    folder = office.home / FOLDER
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*.*") if file.is_file()}


def _fallback(kind: TemplateKind) -> str:
    """Return the template that words what this one has no text for."""
    if kind.group is TemplateGroup.BILLS:
        return DEFAULT
    place = kind.name.rpartition("/")[0]
    return f"{place}/{kind_of(kind.form) or kind.form}"


def _change(office: Office, file: str, text: str | None) -> None:
    """
    Write a file anew, or take it away, and write down who did; the file is what holds.

    A text that stood there before the office's pages knew of it is written down first: it can be
    had again.
    """
    place = office.folder(FOLDER) / file
    with office.database.writing() as books:
        now = office.moment()
        known = books.execute(
            sa.select(template_change.c.text)
            .where(template_change.c.file == file)
            .order_by(template_change.c.number.desc())
            .limit(1)
        ).one_or_none()
        standing = place.read_text(encoding="utf-8") if place.is_file() else None
        if standing is not None and (known is None or known.text != standing):
            _record(books, file, standing, now, "outside these pages")
        _record(books, file, text, now, office.who)
        said = "changed" if text is not None else "back to ours"
        record_audit(books, now, office.who, "change template", file, said)
        _write(place, text)


def _record(books: sa.Connection, file: str, text: str | None, now: datetime, who: str) -> None:
    books.execute(
        template_change.insert().values(file=file, text=text, changed_at=now, changed_by=who)
    )


def _write(place: Path, text: str | None) -> None:
    """Put a whole file in the place of the one before; a mail is never worded by half of it."""
    if text is None:
        place.unlink(missing_ok=True)
        return
    place.parent.mkdir(mode=0o700, exist_ok=True)
    with replacing(place) as out:
        out.write(text.encode())
