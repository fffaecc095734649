"""What customers follow a link to: the way out of communications, exports, communications."""

from __future__ import annotations

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from database.tables import communication
from mail.communications.posted import file_of
from mail.recipients.unsubscribed import record_unsubscription
from office.equipment.office import Office
from office.procedures.usage_export import find_export
from rules.mail.communications import Posted
from web.pages import not_there, page

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WHO = "the customer, by a link"


def ask_to_unsubscribe(request: Request) -> Response:
    """Show a button and do nothing: mail scanners open every link that they see."""
    return page(
        request,
        "Stop our news by e-mail?",
        "You will get no more news and announcements at this address. Your bills, reminders and "
        "receipts go on as they are.",
        button="Stop the news",
    )


def unsubscribe(request: Request) -> Response:
    """
    Stop communications to the token's mailbox at once (RFC 8058, 3.2).

    A token that is nobody's is answered the same: nobody can find out which ones are good.
    """
    office = office_of(request)
    record_unsubscription(
        office.database,
        request.path_params["token"],
        unsubscribing=office.unsubscribing,
        now=office.due_now(),
        who=WHO,
    )
    return page(request, "It is done", "You will get no more news from us at this address.")


def fetch_export(request: Request) -> Response:
    """Hand out a usage export while its link is good; wrong and expired are answered the same."""
    office = office_of(request)
    file = find_export(office, request.path_params["token"], office.due_now())
    if file is None:
        return not_there(request)
    return FileResponse(file, media_type=EXCEL, filename="usage.xlsx")


def read_communication(request: Request) -> Response:
    """Show the PDF of a communication that is live today (rules 104-108)."""
    office, number = office_of(request), request.path_params["number"]
    path = _live_file(office, number) if number < 2**31 else ""
    try:
        content = office.store.read(path) if path else b""
    except FileNotFoundError:
        content = b""
    if not content:
        return not_there(request)
    shown = {"Content-Disposition": f'inline; filename="communication-{number}.pdf"'}
    return Response(content, media_type="application/pdf", headers=shown)


def _live_file(office: Office, number: int) -> str:
    columns = (communication.c.title, communication.c.sha256, communication.c.expires_on)
    query = sa.select(*columns).where(
        communication.c.number == number,
        communication.c.removed_at.is_(None),
        communication.c.written_at.is_not(None),
    )
    with office.database.reading() as books:
        row = books.execute(query).one_or_none()
    if row is None or not Posted(number, row.title, "", row.expires_on).is_live(
        office.local_today()
    ):
        return ""
    return file_of(number, row.sha256)


def office_of(request: Request) -> Office:
    """Return the office that the desk belongs to."""
    office: Office = request.app.state.office
    return office
