"""The auditor's pack as a download: the same bytes as the command writes, and audited as it is."""

from __future__ import annotations

import hashlib
import io

from starlette.responses import Response

from domain.failures import Misuse, Refused
from office.procedures.closing.packing import note_pack, pack_of, packed_periods
from reporting.documents.auditors_pack import README, write_members
from web.office.layout import show_office
from web.office.pages import PACK, groups
from web.visits import Visit


def show_packs(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    """Show the periods of which there is a pack, and what is in one."""
    return show_office(
        visit,
        "packs.html",
        422 if problems else 200,
        group=groups()["settings"],
        periods=packed_periods(visit.office),
        said=README.format(period="PERIOD", utility=visit.newest[0]),
        take=PACK,
        problems=problems or {},
    )


def take_pack(visit: Visit) -> Response:
    """Send the pack of the period that was chosen to whoever may read the audit list."""
    office, period = visit.office, visit.text("period")
    if period not in packed_periods(office):  # nothing but what the page offers
        return show_packs(visit, {"period": "Choose a period whose close has its report."})
    try:
        members = pack_of(office, period)
    except (Misuse, Refused) as refused:
        return show_packs(visit, {"period": refused.message})
    out = io.BytesIO()
    write_members(out, members)
    content = out.getvalue()
    note_pack(office, period, hashlib.sha256(content).hexdigest())
    named = {"Content-Disposition": f'attachment; filename="auditors-pack-{period}.zip"'}
    return Response(content, media_type="application/zip", headers=named)
