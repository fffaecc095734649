"""The PDF that goes along with a mass mail: kept once while the mail is looked at (rule 110)."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from domain.failures import Misuse
from mail.communications.posted import PdfFile
from office.equipment.office import Office
from office.procedures.mailing.communications import read_pdf
from web.guarding import SANDBOXED
from web.layout import missing
from web.office.decisions.communications import read_upload, upload_name
from web.visits import Visit

FOLDER = "attachments"  # of the home
KEPT_FOR = timedelta(days=2)  # a mail that is written over a weekend begins anew
_SHA256 = re.compile(r"[0-9a-f]{64}")


def keep_attachment(office: Office, file: Any) -> dict[str, str]:
    """
    Keep the PDF that a form brings; return the fields by which the form names it from then on.

    Raises Misuse for what is no sound PDF, or too large. A form without a file names none.
    """
    if not isinstance(file, UploadFile) or not file.filename:
        return {}
    pdf = read_upload(office, file)
    folder = office.folder(FOLDER)
    _clear(office, folder)
    half = folder / f".{secrets.token_hex(8)}.half"
    try:
        with open(half, "xb", opener=_private) as out:
            out.write(pdf.content)
        half.replace(folder / f"{pdf.sha256}.pdf")
    finally:
        half.unlink(missing_ok=True)
    return {"attachment": pdf.sha256, "attachment_name": pdf.name}


def attachment_of(office: Office, form: Mapping[str, str]) -> PdfFile | None:
    """Return the PDF that a form names, None for none; raises Misuse where it is not kept."""
    named = form.get("attachment", "")
    if not named or form.get("detach"):
        return None
    found = read_pdf(office, _require(office, named))
    return replace(found, name=upload_name(form.get("attachment_name", "")))


def show_attachment(visit: Visit) -> Response:
    """Send a kept PDF to whoever looks at the mail, so that it runs nothing."""
    try:
        content = _require(visit.office, visit.path("sha256")).read_bytes()
    except Misuse:
        return missing(visit)
    named = 'attachment; filename="attached.pdf"'  # saved, as a sandboxed page shows no PDF
    headers = {"Content-Security-Policy": SANDBOXED, "Content-Disposition": named}
    return Response(content, media_type="application/pdf", headers=headers)


def _require(office: Office, named: str) -> Path:
    place = office.folder(FOLDER) / f"{named}.pdf"
    if not _SHA256.fullmatch(named) or not place.is_file():
        raise Misuse("The PDF is no longer kept here; choose it again.")
    if hashlib.sha256(place.read_bytes()).hexdigest() != named:
        raise Misuse("The PDF was changed since it was sent here; choose it again.")
    return place


def _clear(office: Office, folder: Path) -> None:
    """Let go of PDFs whose mails nobody has sent for days; a sent one stands in the bill store."""
    ends = (office.clock.wall() - KEPT_FOR).timestamp()
    for file in folder.iterdir():
        if file.stat().st_mtime < ends:
            file.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
