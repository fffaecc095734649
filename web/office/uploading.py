"""Files that staff upload, and the billing export among them: looked at before it has a name."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from billing_system.export.manifest import read_manifest
from database.audit import record_audit
from domain.failures import Misuse
from office.equipment.office import Office, in_name_of
from web.office.close import UPLOADED, show_close
from web.office.permissions import Permission
from web.visits import (
    Endpoint,
    Visit,
    clean_fields,
    earlier_form,
    is_own_form,
    staff_visit,
    turn_away,
)

MOST_FIELDS = 12  # beside the file
LONGEST_NAME = 100  # of a file, as its uploader named it
PART = 1 << 20  # octets that are in memory at once


def uploading(
    permission: Permission,
    take: Callable[[Visit, Any], Response],
    cleans: Callable[[FormData], dict[str, str]] = clean_fields,
) -> Endpoint:
    """
    Let a page take the file that a form brings, from whoever has its permission.

    Who sends it is known before a byte of it is read; the form's own token is in its first field.
    `take` has the visit with the form's other fields, in the name of whoever is signed in; `cleans`
    makes them of what was typed.
    """

    async def answer(request: Request) -> Response:
        turned_away = await run_in_threadpool(turn_away, request, permission)
        if turned_away is not None:
            return turned_away
        async with request.form(max_files=1, max_fields=MOST_FIELDS) as form:
            visit = staff_visit(request, cleans(form))
            if visit.session is None:
                return RedirectResponse("/office/sign-in", 303)
            if not is_own_form(visit):
                return await run_in_threadpool(earlier_form, visit)
            acting = replace(visit, office=in_name_of(visit.office, visit.user.who))
            return await run_in_threadpool(take, acting, form.get("file"))

    return answer


def take_export(visit: Visit, file: Any) -> Response:
    """Keep the export that a clerk chose; what is none is said beside the field."""
    acting = visit.office
    try:
        if not isinstance(file, UploadFile) or not file.filename:
            raise Misuse("Choose the billing export's .zip to upload.")
        name, period = keep_export(acting, file.file)
    except Misuse as found:
        return show_close(visit, {"file": found.message})
    with acting.database.writing() as books:
        called = "".join(filter(str.isprintable, file.filename))[:LONGEST_NAME]
        detail = f"{name} {called}"
        record_audit(books, visit.now, acting.who, UPLOADED, period, detail)
    return RedirectResponse(f"/office/close?uploaded={name}", 303)


def keep_export(office: Office, source: Any, place: str = "uploads") -> tuple[str, str]:
    """
    Keep an uploaded export in a folder of the home, named by its hash; return name and period.

    It is written beside, looked at, and only then given its name. Raises Misuse where it is no
    billing export.
    """
    folder = office.folder(place)
    half = folder / f".{secrets.token_hex(8)}.half"
    digest = hashlib.sha256()
    try:
        with open(half, "xb", opener=_private) as out:
            while part := source.read(PART):
                digest.update(part)
                out.write(part)
        try:
            period = read_manifest(half).period.id
        except Misuse as found:
            raise Misuse(found.message.replace(str(half), "The file")) from None
        name = f"{digest.hexdigest()[:16]}.zip"
        half.replace(folder / name)
    finally:
        half.unlink(missing_ok=True)
    return name, period


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
