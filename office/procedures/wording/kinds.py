"""Every template that an office may word itself, and what each belongs to (rules 14, 15, 19)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from database.books import Database
from database.tables import bill, bill_run
from domain.languages import ENGLISH, NAMES
from mail.letters.bill import form_title
from mail.letters.corrected import CORRECTED_BILL
from mail.letters.notices import FOLDER, kind_of
from mail.letters.templates import OURS, PARTS, TEXT_ANSWERS, TEXTS, is_template_name
from office.equipment.office import Office

DEFAULT = "default"


class TemplateGroup(StrEnum):
    """Which of the lists a template stands in."""

    BILLS = "bills"  # sent with the close: not among the portal's mail events (rule 19)
    MAILS = "mails"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class TemplateKind:
    """
    One template, as staff choose it: `name` is that of its files, without language and ending.

    `belongs_to` says which form of bill or kind of mail it words; it stands in the list and above
    the editor (rule 15). `languages` are those it can be written in.
    """

    name: str
    group: TemplateGroup
    title: str
    belongs_to: str

    @property
    def form(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def parts(self) -> tuple[str, ...]:
        return ("txt",) if self.group is TemplateGroup.TEXTS else PARTS

    @property
    def languages(self) -> tuple[str, ...]:
        return (ENGLISH,) if kind_of(self.form) == "alert" else tuple(NAMES)

    def file(self, part: str, language: str = ENGLISH) -> str:
        """Return the name of one of its files, `notices/past-due-es.txt`."""
        return f"{self.name}{'' if language == ENGLISH else f'-{language}'}.{part}"


def template_kinds(office: Office) -> tuple[TemplateKind, ...]:
    """Return every template: ours, those of the office's forms and steps, and its own files."""
    own = office.home / "templates"
    ladder = (f"{FOLDER}/{step.name}" for step in office.settings.reminders.ladder)
    names = {*_names_in(OURS), *_names_in(own), *_forms_of_bills(office.database), *ladder}
    kinds = (_kind(name) for name in names if is_template_name(name))
    return tuple(sorted(kinds, key=lambda kind: (list(TemplateGroup).index(kind.group), kind.name)))


def find_template(office: Office, name: str) -> TemplateKind | None:
    """Return a template by its name, None where there is none: no name is taken as a path."""
    return next((kind for kind in template_kinds(office) if kind.name == name), None)


def _names_in(folder: Path) -> set[str]:
    """Return what has files in a folder of templates; what begins with _ is shared by several."""
    files: Iterable[Path] = (
        file
        for place in ("", FOLDER, TEXTS)
        for part in PARTS
        for file in (folder / place).glob(f"*.{part}")
        if not file.name.startswith("_")
    )
    return {
        _in_english(file.relative_to(folder).with_suffix("").as_posix())
        for file in files
        if _is_of_a_kind(file, folder)
    }


def _is_of_a_kind(file: Path, folder: Path) -> bool:
    """Tell whether anything would ever be worded by a file."""
    place = file.parent.relative_to(folder).as_posix()
    form = _in_english(file.stem)
    if place == FOLDER:
        return kind_of(form) is not None
    return place != TEXTS or (OURS / TEXTS / f"{form}.txt").is_file()


def _in_english(name: str) -> str:
    for language in NAMES:
        if language != ENGLISH:
            name = name.removesuffix(f"-{language}")
    return name


def _forms_of_bills(database: Database) -> set[str]:
    """Return the forms of the newest period's bills: each may have a template of its own."""
    newest = (
        sa.select(bill_run.c.period)
        .order_by(bill_run.c.ends_on.desc(), bill_run.c.period.desc())
        .limit(1)
        .scalar_subquery()
    )
    with database.reading() as books:
        return set(books.scalars(sa.select(bill.c.form).where(bill.c.period == newest).distinct()))


def _kind(name: str) -> TemplateKind:
    place, _, form = name.rpartition("/")
    if place == TEXTS:
        about = _ANSWERS.get(form) or f"The text message in place of the mail {form}."
        title = f"Text: {_titled(form)}"
        return TemplateKind(name, TemplateGroup.TEXTS, title, about)
    if place == FOLDER:
        about = _MAILS.get(form) or _of_kind(form)
        return TemplateKind(name, TemplateGroup.MAILS, _titled(form), about)
    if name == DEFAULT:
        about = "The mail with a bill of any form that has no template of its own."
    elif name == CORRECTED_BILL:
        about = "The mail with a corrected bill, whatever its form."
    else:
        about = f"The mail with each bill of the form {name}, and with no other."
    return TemplateKind(name, TemplateGroup.BILLS, _titled(form_title(name)), about)


def _titled(form: str) -> str:
    words = form.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def _of_kind(form: str) -> str:
    kind = kind_of(form)
    if kind == form or kind is None:
        return f"The mail {form}."
    return f"A further mail of the kind {kind}: what it does not say comes from that one's text."


_MAILS = {
    "payment-due": "The reminder that a bill is due soon.",
    "past-due": "The reminder that a bill was not paid in time.",
    "autopay-scheduled": "The mail that a payment will be drawn by autopay.",
    "autopay-failed": "The mail that an autopay payment failed or was taken back.",
    "autopay-failed-not-drawn": "The mail that an autopay payment was not drawn at all.",
    "method-expiring": "The mail that a card which autopay draws from is soon no good.",
    "receipt": "The receipt of a payment: of a bill, of other things, of several at once.",
    "receipt-not-taken": "The mail that a payment made by hand came to nothing.",
    "receipt-taken-back": "The mail that money of a payment went back, or came again.",
    "communication": "The frame of each mass mail; its text is written when it is sent.",
    "alert": "The mail to the office that something needs a person.",
    "arrangement": "The mail that a payment plan was agreed, with its installments.",
    "arrangement-installment": "The reminder that an installment of a payment plan is due soon.",
    "arrangement-broken": "The mail that a payment plan is broken: all of it is due.",
    "arrangement-ended": "The mail that our office ended a payment plan.",
    "usage-export": "The mail with the link of a usage export.",
    "access": "What all mails about signing in fall back to.",
    "access-add-method": "The mail with the link by which a customer adds a payment method.",
    "access-autopay": "The mail that our office set up autopay, with the words agreed to.",
    "access-autopay-ended": "The mail that our office ended autopay.",
    "access-connect": "The mail with the link that connects a sign-in by Google or Apple.",
    "access-new-address": "The mail by which a portal user proves the address to sign in with.",
    "access-address-asked": "The mail to the address so far that another one was asked for.",
    "access-address-changed": "The mail to the address so far that another one took its place.",
    "access-address-taken": "The mail to an address that nobody else may sign in with.",
    "access-person": "The mail whose link stands in for the bot check.",
    "access-verify": "The mail by which a new portal user proves the address.",
    "access-invitation": "The mail that invites a customer to the portal.",
    "access-reset": "The mail by which a forgotten password is set anew.",
    "access-known": "The mail to whoever registers with an address that is known already.",
    "access-linked": "The mail that an account was linked to a portal user.",
    "access-locked": "The mail that a password is locked after wrong tries.",
    "access-new-browser": "The mail that somebody signed in from a new browser.",
    "access-new-sign-in": "The mail that a way to sign in was added.",
    "access-staff": "The mail by which a member of staff sets a password.",
    "access-way-changed": "The mail that a way to sign in was changed.",
}
_ANSWERS = {
    "code": "The text message with the code that proves a phone.",
    "add-method": "The text message with the link by which a customer adds a payment method.",
    "help": "The answer to HELP.",
    "stopped": "The answer to STOP.",
    "started": "The answer to START.",
}
assert set(_ANSWERS) == {*TEXT_ANSWERS}
