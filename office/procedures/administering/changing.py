"""Settings changed by staff: `billclose.toml` is what holds, the books know who changed it when."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from database.audit import record_audit
from database.definitions.changes import setting_change
from domain.failures import Misuse, Refused
from office.equipment.office import Office
from office.settings.administration import keys_of
from office.settings.rewriting import value_in_file, with_value
from office.settings.settings import FILE, PREFIX, Settings, default_as_toml, settings_of_file

Values = Mapping[tuple[str, str], Any]  # by section and key, as TOML has them; None: the default
Tries = Callable[[Settings], None]


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One change of one setting; `before` and `after` as TOML has them, None for the default."""

    number: int
    name: str
    before: Any
    after: Any
    changed_at: datetime
    changed_by: str


def change_settings(
    office: Office, values: Values, sections: set[str], was: str, *, tries: Tries
) -> list[str]:
    """
    Write settings into the home's file, all of them or none; return the names of the changed.

    The whole file is read as every command reads it before it takes the other's place, and `tries`
    has the settings that would hold. `was` is the fingerprint of the `sections` that were shown.
    Raises Misuse for what may not be written, Refused (`changed-meanwhile`) where somebody else was
    first.
    """
    with _only_one(office.home):
        text = _read(office.home)
        if was != fingerprint(office.home, sections):
            raise Refused(
                "changed-meanwhile",
                "Somebody else has changed these settings since you opened them; look at them "
                "again.",
            )
        return _write(office, text, values, tries)


def undo_setting(office: Office, number: int, *, tries: Tries) -> SettingChange:
    """
    Take a change back; that is a change of its own.

    Raises Refused where the setting was changed again since: whoever did meant something.
    """
    with _only_one(office.home):
        found = next((one for one in setting_changes(office) if one.number == number), None)
        if found is None:
            raise Misuse("There is no such change.")
        section, _, key = found.name.partition(".")
        text = _read(office.home)
        if value_in_file(text, section, key) != found.after:
            raise Refused(
                "changed-meanwhile", f"{found.name} was changed again since; change it by hand."
            )
        _write(office, text, {(section, key): found.before}, tries)
    return found


def setting_changes(office: Office, most: int = 200) -> list[SettingChange]:
    """Return who changed which setting when, the newest first."""
    columns = (setting_change.c[name] for name in SettingChange.__dataclass_fields__)
    query = sa.select(*columns).order_by(setting_change.c.number.desc()).limit(most)
    with office.database.reading() as books:
        rows = books.execute(query).all()
    return [
        SettingChange(
            row.number,
            row.name,
            _from_json(row.before),
            _from_json(row.after),
            row.changed_at,
            row.changed_by,
        )
        for row in rows
    ]


def fingerprint(home: Path, sections: set[str]) -> str:
    """Return what stands for some sections of the file in a form: whether they are the same."""
    told = tomllib.loads(_read(home))
    shown = json.dumps({name: told.get(name) for name in sorted(sections)}, default=str)
    return hashlib.sha256(shown.encode()).hexdigest()


def set_in_environment(section: str, key: str) -> str:
    """Return the variable of the environment that sets a setting, and wins; empty: none does."""
    wanted = f"{PREFIX}{section}__{key}".upper()
    return next((name for name in os.environ if name.upper() in (wanted, f"{wanted}_FILE")), "")


def _write(office: Office, text: str, values: Values, tries: Tries) -> list[str]:
    changed = text
    for (section, key), value in values.items():
        if name := set_in_environment(section, key):
            raise Misuse(f"{section}.{key} is set by {name} in the environment, which wins.")
        default = default_as_toml(keys_of(section)[key])
        changed = with_value(changed, section, key, value, default)
    differing = [
        (section, key)
        for section, key in values
        if value_in_file(text, section, key) != value_in_file(changed, section, key)
    ]
    if not differing:
        return []
    half = office.home / f".{secrets.token_hex(8)}.toml.half"
    try:
        _write_private(half, changed, like=office.home / FILE)
        tries(_tried(half, office.home / FILE))
        with office.database.writing() as books:
            for section, key in differing:
                _record(books, office, (section, key), text, changed)
            half.replace(office.home / FILE)
    finally:
        half.unlink(missing_ok=True)
    return [f"{section}.{key}" for section, key in differing]


def _tried(half: Path, file: Path) -> Settings:
    """Read settings as a command would, were they in force; raises Misuse without a path in it."""
    try:
        return settings_of_file(half)
    except Misuse as wrong:
        for place in (half, file):
            wrong = Misuse(wrong.message.replace(f"{place}: ", ""))
        raise wrong from None


def _record(
    books: sa.Connection, office: Office, setting: tuple[str, str], text: str, changed: str
) -> None:
    """Write down one change: the file that holds takes the other's place in the same breath."""
    name, now = ".".join(setting), office.moment()
    before, after = (_to_json(value_in_file(one, *setting)) for one in (text, changed))
    books.execute(
        setting_change.insert().values(
            name=name, before=before, after=after, changed_at=now, changed_by=office.who
        )
    )
    said = f"{before or 'default'} -> {after or 'default'}"
    record_audit(books, now, office.who, "change setting", name, said[:500])


def _to_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _from_json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _read(home: Path) -> str:
    file = home / FILE
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _write_private(place: Path, text: str, *, like: Path) -> None:
    """Write a whole file, for the same eyes as the one whose place it takes."""
    with open(place, "x", encoding="utf-8", opener=_private) as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    if like.exists():
        shutil.copymode(like, place)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Let one at a time read, change and write the file, whatever process it is in."""
    with open(home / ".settings.lock", "a", opener=_private) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
