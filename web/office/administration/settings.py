"""The settings in force, who may change them, and a form for those that staff may (rule 206)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import SecretStr
from starlette.responses import Response

from domain.failures import Misuse, Refused
from office.equipment.office import Office
from office.procedures.administering.changing import (
    SettingChange,
    change_settings,
    fingerprint,
    set_in_environment,
    setting_changes,
    undo_setting,
)
from office.procedures.administering.fields import (
    SettingField,
    Shape,
    field_of,
    read_field,
    read_rows,
    rows_of,
    shown_text,
    text_of,
)
from office.secrets.redaction import without_secrets
from office.settings.administration import GROUPS, TITLES, ChangedBy, keys_of, who_changes
from office.settings.settings import FILE, Settings, default_as_toml, settings_in_force
from web.guarding import MESSAGES, SETTING, SETTINGS
from web.layout import missing
from web.office.layout import show_office
from web.office.pages import groups
from web.office.permissions import Permission, may
from web.office.renewing import renew_office, require_whole
from web.visits import Visit, redirect

WORDS = ("messages", "messages_es")  # changed side by side, on a page of their own
NEEDED = {
    ChangedBy.UTILITY: Permission.UTILITY_SETTINGS,
    ChangedBy.PORTAL: Permission.PORTAL_SETTINGS,
}
BY = {
    ChangedBy.UTILITY: "supervisor, admin",
    ChangedBy.PORTAL: "admin",
    ChangedBy.INSTALLER: "whoever installs the program",
}
_DONE = {
    "saved": "Saved. The pages go by it now, and so does each run that starts from now on.",
    "same": "Nothing was changed.",
    "undone": "The change is taken back.",
}
_FAULT = re.compile(r"the setting ([\w.]+) is wrong: (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """One setting on a page; `field` is None where this role does not change it."""

    name: str
    key: str
    label: str
    about: str
    value: str
    by: str
    variable: str  # of the environment that sets it
    field: SettingField | None = None
    text: str = ""
    rows: tuple[dict[str, str], ...] = ()


def show_settings(visit: Visit, problem: str = "") -> Response:
    """Show every setting in groups; of a secret only whether it is set."""
    office = visit.office
    sections = {
        group: [
            (name, TITLES[name], _shown_section(visit, name), _change_link(visit, name))
            for name in names
        ]
        for group, names in GROUPS.items()
    }
    done = visit.request.query_params.get("done", "")
    return show_office(
        visit,
        "settings.html",
        422 if problem else 200,
        group=groups()["settings"],
        sections=sections,
        file=office.home / FILE,
        message=_DONE.get(done, ""),
        past=[(one, _can_undo(visit, one)) for one in setting_changes(office)],
        shown_text=_plainly,
        undo=f"{SETTINGS}/undo",
        problems={"": problem} if problem else {},
    )


def show_setting(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    """Show the form of one section, and beside it what of it is not this role's to change."""
    section = _section(visit)
    if section is None or section in WORDS or not _change_link(visit, section):
        return missing(visit)
    shown = [_with_field(visit, section, one) for one in _shown_section(visit, section)]
    return show_office(
        visit,
        "change-settings.html",
        422 if problems else 200,
        section=section,
        title=TITLES[section],
        fields=[one for one in shown if one.field is not None],
        others=[one for one in shown if one.field is None],
        was=visit.form.get("was") or fingerprint(visit.office.home, {section}),
        paths={"back": SETTINGS, "change": SETTING},
        problems=problems or {},
    )


def take_setting(visit: Visit) -> Response:
    """Write what was changed into the settings file, once the whole of it can be read."""
    section = _section(visit)
    if section is None or section in WORDS or not _change_link(visit, section):
        return missing(visit)
    values = _typed(visit, section)
    if values and (problems := save(visit, values, {section})):
        return show_setting(visit, problems)
    return redirect(f"{SETTINGS}?done={'saved' if values else 'same'}")


def take_undo(visit: Visit) -> Response:
    """Take one change back, where this role could have made it."""
    number = visit.text("number")
    found = next((one for one in setting_changes(visit.office) if str(one.number) == number), None)
    if found is None or not _can_undo(visit, found):
        return missing(visit)
    try:
        undo_setting(visit.office, found.number, tries=trying(visit.office))
    except (Misuse, Refused) as refused:
        return show_settings(visit, refused.message)
    renew_office(visit.request.app)
    return redirect(f"{SETTINGS}?done=undone")


def save(visit: Visit, values: Mapping[tuple[str, str], Any], sections: set[str]) -> dict[str, str]:
    """Write settings, and let the desk go by them; return what is wrong with them, by field."""
    office = visit.office
    try:
        change_settings(office, values, sections, visit.text("was"), tries=trying(office))
    except Refused as refused:
        return {"": refused.message}
    except Misuse as wrong:
        return _beside_field(wrong.message)
    renew_office(visit.request.app)
    return {}


def trying(office: Office) -> Any:
    """Return what tries settings as the desk does when it starts: pictures, providers."""

    def tries(settings: Settings) -> None:
        require_whole(Office(office.home, settings, office.clock, office.who))

    return tries


def may_change(visit: Visit, section: str, key: str) -> bool:
    needed = NEEDED.get(who_changes(section, key))
    return needed is not None and may(visit.user.role, needed)


def _section(visit: Visit) -> str | None:
    asked = visit.form if visit.is_post else visit.request.query_params
    section = asked.get("section", "")
    return section if section in Settings.model_fields else None


def _change_link(visit: Visit, section: str) -> str:
    if not any(may_change(visit, section, key) for key in keys_of(section)):
        return ""
    return MESSAGES if section in WORDS else f"{SETTING}?section={section}"


def _shown_section(visit: Visit, section: str) -> list[ShownSetting]:
    settings = visit.office.settings
    in_force = settings_in_force(settings)[section]
    chosen = getattr(settings, section)
    return [
        ShownSetting(
            name=f"{section}.{key}",
            key=key,
            label=key.replace("_", " ").capitalize(),
            about=setting.description or "",
            value=_value(in_force[key], getattr(chosen, key)),
            by=BY[who_changes(section, key)],
            variable=set_in_environment(section, key),
        )
        for key, setting in keys_of(section).items()
    ]


def _value(in_force: Any, chosen: Any) -> str:
    """Write a setting as people read it; of a secret whether it is set."""
    if isinstance(chosen, SecretStr):
        return "set" if in_force else "not set"
    is_rows = isinstance(in_force, list) and any(isinstance(one, dict) for one in in_force)
    return _plainly(in_force if isinstance(in_force, str | list) and not is_rows else chosen)


def _with_field(visit: Visit, section: str, shown: ShownSetting) -> ShownSetting:
    """Give a setting its field, with what was typed where something was."""
    field = field_of(section, shown.key)
    is_given = shown.variable or not may_change(visit, section, shown.key)
    if is_given or field.shape is Shape.NONE:
        return shown
    value = getattr(getattr(visit.office.settings, section), shown.key)
    if field.shape is Shape.ROWS:
        rows = _typed_rows(visit, field, shown.key) or rows_of(field, value)
        return replace(shown, field=field, rows=tuple(rows))
    return replace(shown, field=field, text=visit.form.get(shown.key, _text(value)))


def _typed_rows(visit: Visit, field: SettingField, key: str) -> list[dict[str, str]]:
    """Return a table's rows as they were typed, to be shown again."""
    rows: list[dict[str, str]] = []
    while any(f"{key}.{len(rows)}.{column}" in visit.form for column, _ in field.columns):
        place = f"{key}.{len(rows)}"
        rows.append({one: visit.form.get(f"{place}.{one}", "") for one, _ in field.columns})
    return rows


def _typed(visit: Visit, section: str) -> dict[tuple[str, str], Any]:
    """Return what of a section was changed in the form; None: the default."""
    values: dict[tuple[str, str], Any] = {}
    for shown in _shown_section(visit, section):
        field = _with_field(visit, section, shown).field
        if field is None:
            continue
        now = getattr(getattr(visit.office.settings, section), shown.key)
        if field.shape is Shape.ROWS:
            typed: Any = read_rows(field, visit.form, shown.key)
            before = read_rows(field, _as_typed(field, shown.key, now), shown.key)
            is_changed = typed != before
        else:
            text = visit.form.get(shown.key, _text(now))
            typed, is_changed = read_field(field, text), text.strip() != _text(now).strip()
        if is_changed:
            values[section, shown.key] = None if _is_default(section, shown.key, typed) else typed
    return values


def _as_typed(field: SettingField, key: str, value: Any) -> dict[str, str]:
    return {
        f"{key}.{number}.{name}": text
        for number, row in enumerate(rows_of(field, value))
        for name, text in row.items()
    }


def _is_default(section: str, key: str, value: Any) -> bool:
    told: Any = tomllib.loads(f"value = {default_as_toml(keys_of(section)[key])}")["value"]
    return bool(told == value and type(told) is type(value))


def _text(value: Any) -> str:
    """Write a value into a field; the days of a calendar stand in one line."""
    is_calendar = isinstance(value, tuple) and value and not isinstance(value[0], str)
    text = text_of(value)
    return text.replace("\n", ", ") if is_calendar and not hasattr(value[0], "value") else text


def _plainly(value: Any) -> str:
    return without_secrets(shown_text(value)) or "–"


def _can_undo(visit: Visit, change: SettingChange) -> bool:
    section, _, key = change.name.partition(".")
    return section in Settings.model_fields and may_change(visit, section, key)


def _beside_field(message: str) -> dict[str, str]:
    """Put a settings model's sentence beside its field, by the key that it names."""
    found = _FAULT.fullmatch(message)
    if found is None:
        return {"": message}
    key = found[1].split(".")[1] if "." in found[1] else ""
    said = f"{found[2][:1].upper()}{found[2][1:]}"
    return {key: said if found[1].count(".") <= 1 else f"{found[1]}: {said}"}
