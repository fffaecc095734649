"""Replacing one closed bill: the small export is uploaded, shown, and taken after a yes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from domain.failures import Misuse, Refused
from office.equipment.office import Office
from office.procedures.corrections.correcting import CorrectionDone, correct, look
from web.guarding import CORRECTED
from web.office.layout import show_office
from web.office.uploading import keep_export
from web.visits import LONGEST_REASON, Visit

PLACE = "corrections"  # folder of the home: nothing in it is offered for a close
CONFIRM = f"{CORRECTED}/confirm"
_NAME = re.compile(r"[0-9a-f]{16}\.zip")


def show_correct(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    """Show where the small export of one corrected bill is uploaded."""
    typed = visit.form or dict(visit.request.query_params)
    return _show(visit, problems, values={name: typed.get(name, "") for name in FIELDS})


FIELDS = ("account", "period", "reason")


def take_small_export(visit: Visit, file: Any) -> Response:
    """Keep the small export, and show what it would make of the bill; nothing is changed."""
    account, period = visit.text("account"), visit.text("period")
    problems = {} if account else {"account": "Whose bill is wrong?"}
    if not isinstance(file, UploadFile) or not file.filename:
        problems["file"] = "Choose the small export's .zip."
    if problems:
        return show_correct(visit, problems)
    try:
        name, of_period = keep_export(visit.office, file.file, PLACE)
    except Misuse as found:
        return show_correct(visit, {"file": found.message})
    return _show_what_it_makes(visit, account, period or of_period, name)


def take_correction(visit: Visit) -> Response:
    """Correct the bill as it was shown; a second press finds it corrected (rule 10)."""
    account, period, name = (visit.text(one) for one in ("account", "period", "export"))
    reason = visit.text("reason")[:LONGEST_REASON]
    bundle = _kept(visit.office, name)
    if bundle is None:
        return show_correct(visit, {"file": "Choose the small export's .zip."})
    if not reason:
        return _show_what_it_makes(
            visit, account, period, name, {"reason": "Say why: it is audited."}
        )
    try:
        done = correct(visit.office, account, period, bundle, reason)
    except (Refused, Misuse) as found:
        return show_correct(visit, {"file": found.message})
    visit.wake_mail()
    return _show(visit, done=done, values=visit.form)


def _show_what_it_makes(
    visit: Visit, account: str, period: str, name: str, problems: dict[str, str] | None = None
) -> Response:
    bundle = _kept(visit.office, name)
    assert bundle is not None
    try:
        would_be = look(visit.office, account, period, bundle)
    except (Refused, Misuse) as found:
        return show_correct(visit, {"file": found.message.replace(str(bundle), "The file")})
    values = dict(visit.form) | {"account": account, "period": period}
    return _show(visit, problems, would_be=would_be, export=name, values=values)


def _kept(office: Office, name: str) -> Path | None:
    """Return a small export that was uploaded; a name is never taken as a path."""
    place = office.folder(PLACE) / name
    return place if _NAME.fullmatch(name) and place.is_file() else None


def _show(
    visit: Visit,
    problems: dict[str, str] | None = None,
    *,
    values: Any,
    would_be: CorrectionDone | None = None,
    done: CorrectionDone | None = None,
    export: str = "",
) -> Response:
    return show_office(
        visit,
        "correct.html",
        422 if problems else 200,
        path=CORRECTED,
        confirm=CONFIRM,
        problems=problems or {},
        values=values,
        would_be=would_be,
        done=done,
        export=export,
    )
