"""The office's own sentences on the portal's pages, in both languages (rules 200, 205)."""

from __future__ import annotations

from starlette.responses import Response

from domain.languages import ENGLISH, NAMES, SPANISH
from office.procedures.administering.changing import fingerprint, set_in_environment
from office.settings.administration import keys_of
from web.guarding import MESSAGES
from web.office.administration.settings import save
from web.office.layout import show_office
from web.office.pages import groups
from web.office.permissions import Permission, may
from web.visits import Visit, redirect
from web.words import to_markup

SECTIONS = {ENGLISH: "messages", SPANISH: "messages_es"}
SHORT = ("navigation",)
WHERE = {
    "navigation": "What other payments are called",
    "login_top": "Above the sign-in",
    "login_bottom": "Below the sign-in",
    "landing": "Welcome on the home page",
    "maintenance": "In red on every page: when the portal will be away",
    "payment": "Where a payment is made",
    "payment_complete": "After a payment was made",
    "autopay": "On the autopay page",
    "other_payments": "Where other payments are chosen",
    "cart": "On the cart",
}
_DONE = {"saved": "Saved; customers see it now.", "same": "Nothing was changed."}


def show_messages(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    """Show each message in both languages, and how customers see it."""
    settings = visit.office.settings
    shown = [
        (place, words, [_field(visit, place, code) for code in SECTIONS])
        for place, words in WHERE.items()
    ]
    return show_office(
        visit,
        "messages.html",
        422 if problems else 200,
        group=groups()["communications"],
        shown=shown,
        short=SHORT,
        languages_written=NAMES,
        was=visit.form.get("was") or fingerprint(visit.office.home, set(SECTIONS.values())),
        may_edit=may(visit.user.role, Permission.WORDING),
        message=_DONE.get(visit.request.query_params.get("done", ""), ""),
        looks=[
            (words, to_markup(getattr(settings.messages, place)), _in_spanish(visit, place))
            for place, words in WHERE.items()
            if place not in SHORT and getattr(settings.messages, place)
        ],
        change=MESSAGES,
        problems=problems or {},
    )


def take_messages(visit: Visit) -> Response:
    """Keep what was changed of the messages, all of it or none."""
    values = {}
    for code, section in SECTIONS.items():
        now = getattr(visit.office.settings, section)
        for place in keys_of(section):
            typed = visit.form.get(f"{place}.{code}", getattr(now, place)).strip()
            if typed != getattr(now, place).strip():
                values[section, place] = typed or None
    if values and (problems := save(visit, values, set(SECTIONS.values()))):
        return show_messages(visit, _beside(problems, {section for section, _ in values}))
    return redirect(f"{MESSAGES}?done={'saved' if values else 'same'}")


def _field(visit: Visit, place: str, code: str) -> dict[str, str]:
    section = SECTIONS[code]
    name = f"{place}.{code}"
    return {
        "name": name,
        "language": code,
        "text": visit.form.get(name, getattr(getattr(visit.office.settings, section), place)),
        "variable": set_in_environment(section, place),
    }


def _in_spanish(visit: Visit, place: str) -> str:
    return to_markup(getattr(visit.office.settings.messages_es, place))


def _beside(problems: dict[str, str], sections: set[str]) -> dict[str, str]:
    """Put a sentence beside the language that was written, where only one was."""
    code = SPANISH if sections == {SECTIONS[SPANISH]} else ENGLISH
    return {f"{key}.{code}" if key in WHERE else "": said for key, said in problems.items()}
