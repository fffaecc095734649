"""A template as somebody has written it, tried with invented facts before anybody gets it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from jinja2 import Environment, TemplateNotFound, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from domain.causes import say_cause
from domain.failures import Misuse, PermanentFailure
from domain.words import say_meant
from mail.letters.bill import BillLetter, Letter, a_sample
from mail.letters.samples import a_sample_notice
from mail.letters.templates import (
    BILL,
    COMMON,
    NO_CONTACT,
    NOTICE,
    Templates,
    Wording,
    a_sample_text,
)
from office.equipment.mail import contact_of, own_templates
from office.equipment.office import Office
from office.procedures.wording.kinds import TemplateGroup, TemplateKind

LONGEST = 100_000  # characters of one part
PART_NAMES = {"subject": "Subject", "txt": "Text", "html": "Page (HTML)"}


@dataclass(frozen=True, slots=True)
class TemplateVariable:
    """A variable of the menu (rules 17, 18): its name, what it means, and an example."""

    name: str
    meaning: str
    example: str

    @property
    def written(self) -> str:
        return f"{{{{ {self.name} }}}}"


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """The parts of a template in one language, as typed; by the ending of their files."""

    kind: TemplateKind
    language: str
    parts: Mapping[str, str]

    def files(self) -> dict[str, str]:
        return {self.kind.file(part, self.language): text for part, text in self.parts.items()}


def variables_of(kind: TemplateKind) -> tuple[TemplateVariable, ...]:
    """Return what a template may use, with invented values."""
    values = _values(kind)
    return tuple(
        TemplateVariable(name, _meaning(kind, name), _example(values[name])) for name in values
    )


def find_faults(office: Office, draft: TemplateDraft) -> dict[str, str]:
    """
    Return what is wrong with a draft, one sentence a part; empty: it may be kept.

    It is read, then tried with the facts of several invented customers, as the close tries every
    template before anything is sent.
    """
    faults = {part: fault for part in draft.parts if (fault := _fault_of_part(draft, part))}
    return faults or _faults_of_trying(office, draft)


def word_draft(office: Office, draft: TemplateDraft) -> Wording:
    """Return the mail that a draft makes of invented facts; raises Misuse where it makes none."""
    templates = _templates(office, draft)
    try:
        if draft.kind.group is TemplateGroup.TEXTS:
            form = draft.kind.form
            said = templates.word_text((form,), a_sample_text(form), draft.language)
            return Wording("", said, "")
        return templates.word(next(_samples(draft)))
    except PermanentFailure as failure:
        raise Misuse(_sentence(str(failure))) from None


def _templates(office: Office, draft: TemplateDraft) -> Templates:
    return Templates(own_templates(office), contact_of(office), draft.files())


def _fault_of_part(draft: TemplateDraft, part: str) -> str:
    text = draft.parts[part]
    if len(text) > LONGEST:
        return f"It is longer than {LONGEST:,} characters."
    if not text.strip():
        return "It is empty; to have our text again, press Back to ours."
    if part == "subject" and len(text.strip().splitlines()) > 1:
        return "The subject is one line."
    try:
        tree = _READER.parse(text)
        _READER.compile(text)
    except TemplateSyntaxError as fault:
        return _at_line(fault.lineno, _say_syntax(fault.message or "it cannot be read"))
    return _unknown_variable(tree, _values(draft.kind))


def _say_syntax(message: str) -> str:
    """Say what is wrong with how a template is written, without the parser's own words."""
    if unclosed := re.search(r"innermost block that needs to be closed is '(\w+)'", message):
        tag = unclosed[1]
        return f"{{% {tag} %}} is not closed; write {{% end{tag} %}} where it ends."
    if "Unexpected end of template" in message or "unexpected end of" in message:
        return "What begins with {{ or {% does not end; write }} or %} behind it."
    return _sentence(message)


def _unknown_variable(tree: nodes.Template, known: Mapping[str, Any]) -> str:
    unknown = meta.find_undeclared_variables(tree) - set(known)
    for name in tree.find_all(nodes.Name):
        if name.name in unknown:
            meant = say_meant(name.name, known)
            return _at_line(name.lineno, f"There is no variable {name.name}{meant}.")
    return ""


def _faults_of_trying(office: Office, draft: TemplateDraft) -> dict[str, str]:
    """Word the draft for one invented customer after the other; stop at the first that fails."""
    templates = _templates(office, draft)
    try:
        if draft.kind.group is TemplateGroup.TEXTS:
            form = draft.kind.form
            templates.word_text((form,), a_sample_text(form), draft.language)
        for letter in _samples(draft):
            templates.word(letter)
            if isinstance(letter, BillLetter):
                settings = office.settings.ebill
                templates.require_told(
                    letter,
                    is_protected=bool(settings.password),
                    has_links=settings.too_large == "link",
                )
    except Misuse as silent:
        return {_part_named(str(silent), draft): _sentence(str(silent))}
    except PermanentFailure as failure:
        return {_part_of(failure, draft): _where(failure, draft)}
    return {}


def _samples(draft: TemplateDraft) -> Iterator[Letter]:
    """Yield invented facts of the kind: with autopay and without, of a credit, too large."""
    form = draft.kind.form
    if draft.kind.group is TemplateGroup.BILLS:
        bill = replace(a_sample(form), language=draft.language)
        yield bill
        yield replace(bill, draw=None, latest_communication="", service_address="")
        yield replace(bill, draw=None, amount_due=-bill.amount_due)
        yield replace(bill, bill_link="https://larkspur.example/bills/01.1037.1/2026-10")
    elif draft.kind.group is TemplateGroup.MAILS:
        notice = replace(a_sample_notice(form), language=draft.language)
        yield notice
        yield replace(notice, latest_communication="", service_address="")


def _values(kind: TemplateKind) -> dict[str, Any]:
    """Return every variable of a kind with an invented value, the office's own facts included."""
    if kind.group is TemplateGroup.BILLS:
        own = a_sample(kind.form).values()
    elif kind.group is TemplateGroup.TEXTS:
        own = a_sample_text(kind.form)
    else:
        own = a_sample_notice(kind.form).values()
    return dict(own) | NO_CONTACT.values()


def _meaning(kind: TemplateKind, name: str) -> str:
    own = BILL if kind.group is TemplateGroup.BILLS else NOTICE
    return own.get(name) or COMMON.get(name) or _FURTHER.get(name, "")


_FURTHER = {
    "office_phone": "the setting utility.phone",
    "office_address": "the setting utility.address",
    "office_hours": "the setting utility.hours",
    "pay_link": "the portal's web address; empty where there is none",
    "account_end": "the last characters of the account's number",
    "shows_amount": "true where amounts may stand in a text (texts.amounts)",
}


def _example(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return " / ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _part_of(failure: PermanentFailure, draft: TemplateDraft) -> str:
    """Tell which part failed: that whose text the failure's lines are in, else the last tried."""
    _line, file = _place(failure, draft)
    ending = PurePosixPath(file).suffix.removeprefix(".")
    if ending in draft.parts:
        return ending
    return "subject" if "empty subject" in str(failure) else list(draft.parts)[-1]


def _part_named(sentence: str, draft: TemplateDraft) -> str:
    return next((part for part in draft.parts if f"({part})" in sentence), "txt")


def _where(failure: PermanentFailure, draft: TemplateDraft) -> str:
    cause = failure.__cause__
    line, _file = _place(failure, draft)
    if isinstance(cause, TemplateNotFound):
        return _at_line(line, f"There is no template {cause.name} to build on.")
    if isinstance(cause, RecursionError):
        return "It builds on itself."
    if isinstance(cause, Exception):
        return _at_line(line, _sentence(str(cause) or say_cause(cause)))
    return _sentence(str(failure))


def _place(failure: PermanentFailure, draft: TemplateDraft) -> tuple[int, str]:
    """Return the line of the draft at which it failed, and its file; 0: it is not known."""
    found = (0, "")
    frame = failure.__cause__.__traceback__ if failure.__cause__ else None
    while frame is not None:
        name = frame.tb_frame.f_code.co_filename  # a draft's code bears the name of its file
        if name in draft.files():
            found = (frame.tb_lineno, name)
        frame = frame.tb_next
    return found


def _at_line(line: int | None, sentence: str) -> str:
    return f"Line {line}: {sentence}" if line else sentence


def _sentence(words: str) -> str:
    words = words.strip().rstrip(".")
    return f"{words[:1].upper()}{words[1:]}."


_READER: Environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
