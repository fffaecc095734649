"""The office's logo and photo, sent by whoever may change the portal's look (rule 201)."""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from domain.failures import Misuse, Refused
from office.equipment.office import Office
from office.procedures.administering.changing import setting_changes, undo_setting
from web.guarding import SETTINGS
from web.office.administration.settings import save, trying
from web.office.renewing import renew_office
from web.office.theme import show_theme
from web.theme import LARGEST_FILE, LOGO, PHOTO, remake
from web.visits import Visit, redirect

FOLDER = "pictures"  # of the home
KINDS = {"logo": (LOGO, "PNG"), "photo": (PHOTO, "JPEG")}
BACK = f"{SETTINGS}/theme"


def take_picture(visit: Visit, file: Any) -> Response:
    """
    Keep a picture made anew from what was sent, and show it on every page from now on.

    Nothing of the file is kept but its points. The one before stays in the home, so that the
    change can be taken back.
    """
    which = visit.text("which")
    if which not in KINDS:
        return show_theme(visit, {"": "Choose whether it is the logo or the photo."})
    try:
        name = _keep(visit.office, which, _content(file))
    except Misuse as wrong:
        return show_theme(visit, {which: wrong.message})
    return _set(visit, which, name)


def take_removal(visit: Visit) -> Response:
    """Show no logo, or no photo, from now on."""
    which = visit.text("which")
    return _set(visit, which, None) if which in KINDS else redirect(BACK)


def take_back(visit: Visit) -> Response:
    """Take one change of the look back; that is a change of its own."""
    number, office = visit.text("number"), visit.office
    found = next((one for one in setting_changes(office) if str(one.number) == number), None)
    if found is None or not found.name.startswith("theme."):
        return redirect(BACK)
    try:
        undo_setting(office, found.number, tries=trying(office))
    except (Misuse, Refused) as refused:
        return show_theme(visit, {"": refused.message})
    renew_office(visit.request.app)
    return redirect(f"{BACK}?done=undone")


def _set(visit: Visit, which: str, name: str | None) -> Response:
    problems = save(visit, {("theme", which): name}, {"theme"})
    if problems:
        said = problems.get("") or problems.get(which) or "; ".join(problems.values())
        return show_theme(visit, {which: said})
    return redirect(f"{BACK}?done={'saved' if name else 'removed'}")


def _content(file: Any) -> bytes:
    if not isinstance(file, UploadFile) or not file.filename:
        raise Misuse("Choose a picture to send.")
    content = file.file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise Misuse("The file is larger than 10 MB.")
    return bytes(content)


def _keep(office: Office, which: str, content: bytes) -> str:
    """Write the picture that is made anew into the home, named by its hash; return the name."""
    most, kind = KINDS[which]
    made = remake(content, "The file", most, kind).content
    name = f"{which}-{hashlib.sha256(made).hexdigest()[:16]}.{kind.lower()}"
    folder = office.folder(FOLDER)
    half = folder / f".{secrets.token_hex(8)}.half"
    try:
        with open(half, "xb", opener=_private) as out:
            out.write(made)
            out.flush()
            os.fsync(out.fileno())
        half.replace(folder / name)
    finally:
        half.unlink(missing_ok=True)
    return f"{FOLDER}/{name}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
