"""What is posted for customers: adding a PDF, and taking one off."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from domain.failures import Misuse, Refused
from mail.communications.posted import (
    Details,
    PdfFile,
    add_communication,
    change_communication,
    read_posted,
    remove_communication,
)
from office.equipment.office import Office
from office.procedures.mailing.communications import read_pdf
from office.procedures.mailing.posting import read_last_day, read_link, read_title
from office.procedures.texting.announcing import take_back_text
from rules.mail.communications import Posted
from web.guarding import POSTS
from web.layout import missing
from web.office.decisions.deciding import DecidedRow, RowDecision, Way
from web.office.layout import show_office
from web.office.pages import page_of
from web.visits import Visit, redirect, row_number

LONGEST_NAME = 100  # characters of a file's name, as it came


def _remove(visit: Visit, decided: DecidedRow) -> None:
    office = visit.office
    number, now = _numbered(decided), office.moment()
    remove_communication(office.database, number, decided.reason, now=now, who=office.who)


def _take_back(visit: Visit, decided: DecidedRow) -> None:
    take_back_text(visit.office, _numbered(decided), decided.reason)


def _numbered(decided: DecidedRow) -> int:
    number = row_number(decided.key)
    if number is None:
        raise Misuse("There is none of that number.")
    return number


COMMUNICATIONS: tuple[RowDecision, ...] = (
    RowDecision(
        page_of("communications"),
        "/office/communications/remove",
        "Take a communication off",
        "Customers do not see it any more; mails link to the one before it, if that is live.",
        (Way("removed", "Remove", "The communication is removed.", _remove),),
    ),
    RowDecision(
        page_of("mass-texts"),
        "/office/communications/texts/take-back",
        "Take a text to many back",
        "What waits for its hour does not leave; what has left cannot be called back.",
        (Way("taken-back", "Take back", "What waited does not leave any more.", _take_back),),
    ),
)


def show_posting(visit: Visit, problem: str = "") -> Response:
    """Show the form by which a PDF is posted for customers (rules 104, 105)."""
    return show_office(
        visit,
        "post-communication.html",
        422 if problem else 200,
        path=POSTS,
        problem=problem,
        values=visit.form,
    )


def take_posting(visit: Visit, file: Any) -> Response:
    """Post the PDF: it is the latest from now on. The same again changes nothing."""
    office = visit.office
    try:
        details = Details(
            read_title(visit.text("title")),
            read_link(visit.text("link")),
            read_last_day(visit.text("expires"), visit.today),
        )
        if not isinstance(file, UploadFile) or not file.filename:
            raise Misuse("Choose the PDF to post.")
        pdf = read_upload(office, file)
        now, who = office.moment(), office.who
        add_communication(office.database, office.store, pdf, details, now=now, who=who)
    except (Misuse, Refused) as refused:
        return show_posting(visit, refused.message)
    return redirect("/office/communications?done=posted")


def show_change(visit: Visit, problem: str = "") -> Response:
    """Show the form by which a posted communication gets another title or last day (rule 105)."""
    posted = _posted(visit)
    if posted is None:
        return missing(visit)
    expires = posted.expires_on.isoformat() if posted.expires_on else ""
    stands = {"title": posted.title, "link": posted.link, "expires": expires}
    return show_office(
        visit,
        "change-communication.html",
        422 if problem else 200,
        number=posted.number,
        problem=problem,
        values={**stands, **visit.form},
    )


def take_change(visit: Visit) -> Response:
    """Change what was typed anew; a last day that is past may stay as it is."""
    office, posted = visit.office, _posted(visit)
    if posted is None:
        return missing(visit)
    try:
        changes: dict[str, Any] = {
            "title": read_title(visit.text("title")),
            "link": read_link(visit.text("link")),
        }
        if visit.text("expires") != (posted.expires_on.isoformat() if posted.expires_on else ""):
            changes["expires_on"] = read_last_day(visit.text("expires"), visit.today)
        now, who = office.moment(), office.who
        change_communication(office.database, posted.number, changes, now=now, who=who)
    except (Misuse, Refused) as refused:
        return show_change(visit, refused.message)
    return redirect("/office/communications?done=changed")


def _posted(visit: Visit) -> Posted | None:
    key = visit.text("key") if visit.is_post else visit.request.query_params.get("key", "")
    number = row_number(key)
    return next((one for one in read_posted(visit.office.database) if one.number == number), None)


def read_upload(office: Office, file: UploadFile) -> PdfFile:
    """Read a PDF under the name that it came by; raises Misuse. The copy on disk does not stay."""
    with TemporaryDirectory(dir=office.folder("uploads"), prefix=".") as place:
        copy = Path(place) / upload_name(file.filename or "")
        copy.write_bytes(file.file.read())
        try:
            return read_pdf(office, copy)
        except Misuse as found:
            raise Misuse(found.message.replace(f"{place}/", "")) from None


def upload_name(sent: str) -> str:
    """Return the name of a file as a reader of mails may see it: no path, nothing unprintable."""
    name = "".join(filter(str.isprintable, Path(sent).name))[-LONGEST_NAME:]
    return name.strip(". ") or "file.pdf"
