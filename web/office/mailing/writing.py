"""One text to many customers: written, looked at, tried on oneself, counted, sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from domain.desk_work import WorkKind, WorkState
from domain.failures import Misuse, OutcomeUnknown, PermanentFailure, Refused, TemporaryFailure
from domain.words import say_count
from mail.communications.audience import Audience, AudienceKind
from mail.communications.mailings import (
    Mailing,
    MassMailRequest,
    count_mails,
    get_mailing,
)
from mail.communications.posted import read_posted
from mail.outbox.decisions import WAITING
from office.equipment.mail import communication_address
from office.equipment.office import Office
from office.procedures.mailing.communications import (
    Plan,
    compose,
    make_request,
    plan_of,
    record,
    text_of,
)
from office.procedures.mailing.trying import try_mail
from rules.mail.communications import SAID
from web.guarding import ATTACHES, WRITE
from web.layout import missing
from web.office.begun.close_work import begin_work, is_going_on, newest_work
from web.office.layout import show_office
from web.office.mailing.attaching import attachment_of, keep_attachment
from web.office.pages import groups
from web.visits import Visit, redirect, row_number

AUDIENCES = {
    AudienceKind.PORTAL_USERS: "Everybody with a portal login",
    AudienceKind.CUSTOMERS: "Everybody whose address is known",
    AudienceKind.WHERE: "Customers whose account is so",
    AudienceKind.ACCOUNTS: "These accounts",
}
PICKED = (AudienceKind.WHERE, AudienceKind.ACCOUNTS)  # they need their values
FIELDS = ("subject", "body", "audience", "values", "communication", "attachment", "attachment_name")


@dataclass(frozen=True, slots=True)
class MassMailLook:
    """A mail as its first reader would get it, and to how many it goes."""

    request: MassMailRequest
    plan: Plan
    text: str
    left_out: list[tuple[int, str]]


def show_form(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    """Show the form; what was typed is still there after a mistake."""
    return _show(visit, problems=problems)


def take_look(visit: Visit) -> Response:
    """Show the mail as its first reader gets it, and count; nothing is recorded or sent."""
    try:
        look = _look(visit)
    except (Misuse, Refused) as refused:
        return _show(visit, problems={"": refused.message})
    return _show(visit, look)


def take_look_with_file(visit: Visit, file: Any) -> Response:
    """Do the same for a form that may bring a PDF: it is kept once, and named from then on."""
    try:
        kept = keep_attachment(visit.office, file)
    except Misuse as refused:
        return _show(visit, problems={"file": refused.message})
    form = {**visit.form, **kept}
    if not kept and form.get("detach"):
        form |= {"attachment": "", "attachment_name": ""}
    return take_look(replace(visit, form=form))


def take_test(visit: Visit) -> Response:
    """Send the mail to whoever is signed in, and to nobody else; it is audited."""
    office = visit.office
    try:
        look = _look(visit)
        if look.plan.shown is None:
            raise Refused("nobody", "There is nobody to write to; look at the audience again.")
        mailbox = visit.user.address
        content = compose(office, look.request, look.plan.shown, mailbox)
        about, when = ("communication", "", ""), visit.now.isoformat()
        sender = office.notice_renderer.sender
        try_mail(office, sender, mailbox, content, "communication", about, when)
    except (Misuse, Refused) as refused:
        return _show(visit, problems={"": refused.message})
    except (TemporaryFailure, PermanentFailure, OutcomeUnknown) as failure:
        return _show(visit, look, problems={"": f"The test mail: {failure}."})
    return _show(visit, look, message="The test mail is sent to your own mailbox.")


def take_send(visit: Visit) -> Response:
    """Record the mail and begin to send it, once the number of mailboxes was typed."""
    office = visit.office
    try:
        look = _look(visit)
    except (Misuse, Refused) as refused:
        return _show(visit, problems={"": refused.message})
    count = look.plan.mailboxes
    typed = visit.text("count").replace(",", "").strip()
    if not count or typed != str(count):
        boxes = say_count(count, "mailbox", "mailboxes")
        said = f"{boxes} would be written to, not {typed or 'none'}; nothing was sent."
        return _show(visit, look, problems={"count": said})
    number = record(office, look.request)
    _begin(visit, number, count)
    return redirect(f"{WRITE}/{number}")


def show_mailing(visit: Visit, problem: str = "") -> Response:
    """Show how a mailing stands: how many are sent, and whether somebody has to go on with it."""
    office, found = visit.office, _mailing(visit)
    if found is None:
        return missing(visit)
    row = newest_work(office, _about(found.number), (WorkKind.MASS_MAIL,))
    going_on = is_going_on(row, visit.now)
    mails = {
        kind.value: number for kind, number in count_mails(office.database, found.number).items()
    }
    return show_office(
        visit,
        "mailing.html",
        422 if problem else 200,
        group=groups()["communications"],
        mailing=found,
        audience=Audience.from_json(found.audience).say(),
        mails={kind: number for kind, number in mails.items() if number},
        work=row,
        going_on=going_on,
        may_go_on=not going_on
        and row is not None
        and (row.state is not WorkState.DONE or any(mails[status] for status in WAITING)),
        go_on=f"{WRITE}/{found.number}/go-on",
        problems={"": problem} if problem else {},
    )


def take_going_on(visit: Visit) -> Response:
    """Go on with a mailing that stopped; whoever has it already gets it no second time."""
    found = _mailing(visit)
    if found is None:
        return missing(visit)
    row = newest_work(visit.office, _about(found.number), (WorkKind.MASS_MAIL,))
    if row is None:  # begun by a command: its own count was confirmed there
        return show_mailing(visit, "It was begun at the command line; go on with it there.")
    _begin(visit, found.number, json.loads(row.asked)["count"])
    return redirect(f"{WRITE}/{found.number}")


def _begin(visit: Visit, number: int, count: int) -> None:
    asked, kind = json.dumps({"mailing": number, "count": count}), WorkKind.MASS_MAIL
    begin_work(visit.office, kind, _about(number), "", visit.now, asked, unless=(kind,))


def _about(number: int) -> str:
    return f"mailing {number}"


def _mailing(visit: Visit) -> Mailing | None:
    number = row_number(visit.path("number"))
    try:
        return None if number is None else get_mailing(visit.office.database, number)
    except Misuse:
        return None


def _look(visit: Visit) -> MassMailLook:
    """Make of the form what would be sent; raises Misuse for what could not be."""
    office = visit.office
    request = make_request(
        office,
        visit.text("subject"),
        visit.form.get("body", ""),
        read_typed_audience(visit),
        attach=attachment_of(office, visit.form),
        communication=_communication(visit),
    )
    plan = plan_of(office, request)
    text = text_of(compose(office, request, plan.shown)) if plan.shown else ""
    left_out = [(number, SAID[why]) for why, number in plan.left_out.items() if number]
    return MassMailLook(request, plan, text, left_out)


def read_typed_audience(visit: Visit) -> Audience:
    """Read whom a form's text goes to; raises Misuse."""
    chosen = visit.text("audience")
    if chosen not in list(AUDIENCES):
        raise Misuse("Choose whom it goes to.")
    kind = AudienceKind(chosen)
    values = tuple(line.strip() for line in visit.form.get("values", "").splitlines())
    values = tuple(line for line in values if line)
    if (kind in PICKED) != bool(values):
        raise Misuse(
            "Write the conditions or the accounts, one a line."
            if kind in PICKED
            else "Conditions and accounts are only for those two audiences; empty the field."
        )
    return Audience.of(kind, values)


def _communication(visit: Visit) -> int | None:
    return row_number(visit.text("communication"))


def _live(office: Office) -> list[tuple[str, str]]:
    """Return the posted communications that a mail can link to now, by number and title."""
    posted = read_posted(office.database, communication_address(office.settings))
    today = office.local_today()
    return [(str(one.number), one.title) for one in posted if one.link and one.is_live(today)]


def _show(
    visit: Visit,
    look: MassMailLook | None = None,
    problems: dict[str, str] | None = None,
    message: str = "",
) -> Response:
    return show_office(
        visit,
        "write-to-many.html",
        422 if problems else 200,
        group=groups()["communications"],
        audiences=[(kind.value, words) for kind, words in AUDIENCES.items()],
        communications=_live(visit.office),
        look=look,
        to=look.request.audience.say() if look else "",
        kept=[(name, visit.form.get(name, "")) for name in FIELDS],
        message=message,
        paths={"write": ATTACHES, "attached": f"{WRITE}/attached"}
        | {name: f"{WRITE}/{name}" for name in ("test", "send")},
        problems=problems or {},
    )
