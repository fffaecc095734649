"""One text to many phones: looked at, tried on one phone, counted, recorded (rule 111)."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from domain.failures import Misuse, OutcomeUnknown, PermanentFailure, Refused, TemporaryFailure
from domain.languages import NAMES
from domain.words import say_count
from mail.communications.audience import Audience
from mail.communications.texted import NO_TEXT_BECAUSE, NoText
from mail.texts.announcements import MassTextRequest
from office.procedures.texting.announcing import (
    TextPlan,
    make_text_request,
    plan_text,
    send_mass_text,
    send_test_text,
)
from web.guarding import TEXT_MANY
from web.office.layout import show_office
from web.office.mailing.writing import AUDIENCES, read_typed_audience
from web.office.pages import groups
from web.visits import Visit, redirect

FIELDS = ("words", "words_es", "audience", "values")


@dataclass(frozen=True, slots=True)
class MassTextLook:
    """A text as phones show it, to how many it goes, and what that costs."""

    request: MassTextRequest
    plan: TextPlan
    to: str
    left_out: list[tuple[int, str]]


def show_text_form(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    """Show the form; what was typed is still there after a mistake."""
    return _show(visit, problems=problems)


def take_text_look(visit: Visit) -> Response:
    """Show the text as phones get it, and count; nothing is recorded or sent."""
    try:
        look = _look(visit)
    except (Misuse, Refused) as refused:
        return _show(visit, problems={"": refused.message})
    return _show(visit, look)


def take_text_test(visit: Visit) -> Response:
    """Send the text to one typed phone, and to nobody else; it is audited."""
    try:
        look = _look(visit)
    except (Misuse, Refused) as refused:
        return _show(visit, problems={"": refused.message})
    try:
        send_test_text(visit.office, look.request, visit.text("phone"))
    except (Misuse, Refused) as refused:
        return _show(visit, look, problems={"phone": refused.message})
    except (TemporaryFailure, PermanentFailure, OutcomeUnknown) as failure:
        return _show(visit, look, problems={"phone": f"The test text: {failure}."})
    return _show(visit, look, message="The test text is sent to that phone.")


def take_text_send(visit: Visit) -> Response:
    """Record the text for every phone, once the number of phones was typed."""
    try:
        look = _look(visit)
    except (Misuse, Refused) as refused:
        return _show(visit, problems={"": refused.message})
    typed, count = visit.text("count").replace(",", "").strip(), len(look.plan.readers)
    if typed != str(count):
        said = f"{say_count(count, 'phone')} would be texted, not {typed or 'none'}; "
        return _show(visit, look, problems={"count": f"{said}nothing was sent."})
    try:
        send_mass_text(visit.office, look.request, count)
    except (Misuse, Refused) as refused:
        return _show(visit, look, problems={"count": refused.message})
    return redirect("/office/communications/texts?done=recorded")


def _look(visit: Visit) -> MassTextLook:
    """Make of the form what would be sent; raises Misuse for what could not be."""
    audience: Audience = read_typed_audience(visit)
    request = make_text_request(
        visit.form.get("words", ""), visit.form.get("words_es", ""), audience
    )
    plan = plan_text(visit.office, request)
    left_out = [(number, NO_TEXT_BECAUSE[NoText(why)]) for why, number in plan.left_out.items()]
    return MassTextLook(request, plan, audience.say(), left_out)


def _show(
    visit: Visit,
    look: MassTextLook | None = None,
    problems: dict[str, str] | None = None,
    message: str = "",
) -> Response:
    hours = visit.office.settings.texts
    return show_office(
        visit,
        "text-many.html",
        422 if problems else 200,
        group=groups()["communications"],
        audiences=[(kind.value, words) for kind, words in AUDIENCES.items()],
        look=look,
        languages=NAMES,
        hours=(hours.begin, hours.end),
        kept=[(name, visit.form.get(name, "")) for name in FIELDS],
        message=message,
        paths={"look": TEXT_MANY, "test": f"{TEXT_MANY}/test", "send": f"{TEXT_MANY}/send"},
        problems=problems or {},
    )
