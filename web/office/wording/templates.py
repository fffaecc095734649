"""The texts of the mails: which there are, an editor for each, and a look at it (rules 14-18)."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, Response

from domain.failures import Misuse, Refused
from domain.languages import ENGLISH, NAMES
from office.procedures.wording.drafts import (
    PART_NAMES,
    TemplateDraft,
    find_faults,
    variables_of,
    word_draft,
)
from office.procedures.wording.keeping import (
    back_to_ours,
    changes_of,
    find_change,
    fingerprint,
    keep_draft,
    own_files,
    text_in_force,
)
from office.procedures.wording.kinds import (
    TemplateGroup,
    TemplateKind,
    find_template,
    template_kinds,
)
from web.guarding import EDITS, PREVIEWS, SANDBOXED, TEMPLATES, policy_for
from web.layout import missing
from web.office.layout import show_office
from web.office.pages import groups
from web.office.permissions import Permission, may
from web.office.renewing import renew_office
from web.visits import Visit, redirect, row_number

ABOUT = {
    TemplateGroup.BILLS: (
        "Mails with bills",
        "One for each form of bill that the billing system has. They leave with the close of a "
        "period and are none of the portal's mails below.",
    ),
    TemplateGroup.MAILS: (
        "Mails of the portal",
        "Reminders, receipts and all that is mailed beside the bills.",
    ),
    TemplateGroup.TEXTS: ("Text messages", "For customers who chose texts instead."),
}
_DONE = {
    "saved": "Your text is saved; every mail from now on has it.",
    "same": "Nothing was changed.",
    "ours": "Mails have our text again.",
}


def show_templates(visit: Visit) -> Response:
    """List every template with what it belongs to: the bills' apart from the portal's (rule 19)."""
    own = own_files(visit.office)
    lists = [
        (title, about, [kind for kind in template_kinds(visit.office) if kind.group is group])
        for group, (title, about) in ABOUT.items()
    ]
    return show_office(
        visit,
        "templates.html",
        group=groups()["communications"],
        lists=lists,
        edits=EDITS,
        languages_written=NAMES,
        own=own,
    )


def show_editor(visit: Visit, problems: dict[str, str] | None = None) -> Response:
    """Show a template's texts, its variables, a look at it and its past."""
    kind, language = _asked(visit)
    if kind is None:
        return missing(visit)
    office = visit.office
    now = {part: text_in_force(office, kind, part, language) for part in kind.parts}
    texts = {part: visit.form.get(part, now[part].text) for part in kind.parts}
    taken = visit.request.query_params.get("take", "")
    number = row_number(taken)
    older = None if number is None else find_change(office, number, kind, language)
    if older is not None:
        texts[older.part] = older.text or ""
    answer = show_office(
        visit,
        "edit-template.html",
        422 if problems else 200,
        kind=kind,
        kind_group=ABOUT[kind.group][0],
        written_in=language,
        languages_written=NAMES,
        parts=[(part, PART_NAMES[part], texts[part]) for part in kind.parts],
        was={part: visit.form.get(f"was-{part}", fingerprint(now[part].text)) for part in now},
        is_own=any(one.is_own for one in now.values()),
        variables=variables_of(kind),
        past=changes_of(office, kind, language),
        may_edit=may(visit.user.role, Permission.WORDING),
        message=_DONE.get(visit.request.query_params.get("done", ""), ""),
        problems=problems or {},
        paths={"list": TEMPLATES, "edit": EDITS, "preview": PREVIEWS, "ours": f"{EDITS}/ours"},
    )
    answer.headers["Content-Security-Policy"] = policy_for(has_frame=True)
    return answer


def take_edited(visit: Visit) -> Response:
    """Keep what was written, once it makes a mail; what is wrong is said with its line."""
    draft = _draft(visit)
    if draft is None:
        return missing(visit)
    if faults := find_faults(visit.office, draft):
        return show_editor(visit, faults)
    before = {
        part: visit.form[f"was-{part}"] for part in draft.parts if f"was-{part}" in visit.form
    }
    try:
        files = keep_draft(visit.office, draft, before)
    except Refused as refused:
        return show_editor(visit, {"": refused.message})
    renew_office(visit.request.app)
    return _back(draft.kind, draft.language, "saved" if files else "same")


def take_ours(visit: Visit) -> Response:
    """Go back to our text; the office's own stays in its past."""
    kind, language = _asked(visit)
    if kind is None:
        return missing(visit)
    files = back_to_ours(visit.office, kind, language)
    renew_office(visit.request.app)
    return _back(kind, language, "ours" if files else "same")


def show_preview(visit: Visit) -> Response:
    """Show the mail that the texts make of an invented customer; as saved, or as being written."""
    draft = _draft(visit)
    if draft is None:
        return missing(visit)
    faults = find_faults(visit.office, draft) if visit.is_post else {}
    try:
        if faults:
            raise Misuse(" ".join(f"{PART_NAMES[part]}: {said}" for part, said in faults.items()))
        wording = word_draft(visit.office, draft)
    except Misuse as fault:
        return sandboxed(_as_page(fault.message))
    if visit.text("look") == "txt" or not wording.html:
        subject = f"Subject: {wording.subject}\n\n" if wording.subject else ""
        return sandboxed(_as_page(f"{subject}{wording.text}"))
    return sandboxed(with_subject(wording.html, wording.subject))


def sandboxed(page: str) -> Response:
    """Answer with a page that somebody has written: whatever it holds runs nowhere."""
    headers = {"Content-Security-Policy": SANDBOXED, "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(page, headers=headers)


def with_subject(page: str, subject: str) -> str:
    """Put the subject above a mail's page."""
    said = f'<p style="font:16px sans-serif;margin:8px">Subject: {html.escape(subject)}</p>'
    changed, found = re.subn(r"(<body\b[^>]*>)", lambda tag: f"{tag[1]}{said}", page, count=1)
    return changed if found else f"{said}{page}"


def _as_page(text: str) -> str:
    said = html.escape(text)
    return (
        '<!DOCTYPE html><html lang="en"><head><title>Preview</title></head><body>'
        f'<pre style="font:15px monospace;white-space:pre-wrap">{said}</pre></body></html>'
    )


def _asked(visit: Visit) -> tuple[TemplateKind | None, str]:
    asked = visit.form if visit.is_post else visit.request.query_params
    kind = find_template(visit.office, asked.get("name", ""))
    language = asked.get("in", ENGLISH)
    return kind, language if kind is not None and language in kind.languages else ENGLISH


def _draft(visit: Visit) -> TemplateDraft | None:
    """Return the texts as they were written into the form; of a GET, those in force."""
    kind, language = _asked(visit)
    if kind is None:
        return None
    texts = {
        part: visit.form[part]
        if part in visit.form
        else text_in_force(visit.office, kind, part, language).text
        for part in kind.parts
    }
    return TemplateDraft(kind, language, texts)


def _back(kind: TemplateKind, language: str, done: str) -> Response:
    return redirect(f"{EDITS}?{urlencode({'name': kind.name, 'in': language, 'done': done})}")
