"""The wording of a mail: templates by form, and the text and page they make (rules 16, 99)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    FunctionLoader,
    StrictUndefined,
    Template,
    TemplateError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from domain.causes import say_cause
from domain.failures import Misuse, PermanentFailure
from domain.languages import NAMES
from domain.texts import BY_DAY
from mail.letters.bill import FORM_TITLES, BillLetter, Letter, a_sample, in_languages
from mail.letters.corrected import CORRECTED_BILL
from mail.letters.notices import FOLDER, NOTICES, kind_of
from mail.letters.phrases import web_address
from mail.letters.samples import a_sample_notice

SHEET = "_styles.css"

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"\.([A-Za-z][\w-]*)\s*\{([^{}]*)\}")
_CLASSES = re.compile(r'\bclass="([A-Za-z][\w -]*)"')

Styles = Mapping[str, str]  # by class


class StyledLoader(BaseLoader):
    """
    Loads templates and writes the style of each class that a tag names into it.

    Done once, to the template's source: doing it to every mail would cost more than all the rest
    of it. Classes that the sheet does not have stay as they are.
    """

    def __init__(self, files: BaseLoader, folders: Iterable[Path]) -> None:
        self._files = files
        self._styles = read_styles(folders)

    def get_source(self, environment: Environment, template: str):  # type: ignore[no-untyped-def]
        source, *rest = self._files.get_source(environment, template)
        return inline(source, self._styles), *rest


def read_styles(folders: Iterable[Path]) -> Styles:
    """Read the style sheets; a class in an earlier folder takes the place of a later one's."""
    styles: dict[str, str] = {}
    for folder in folders:
        sheet = folder / SHEET
        if sheet.is_file():
            text = _COMMENT.sub("", sheet.read_text(encoding="utf-8"))
            styles = {name: _written(rules) for name, rules in _RULE.findall(text)} | styles
    return styles


def inline(source: str, styles: Styles) -> str:
    """Put `style="…"` in the place of `class="…"`, several classes in their order."""

    def to_style(match: re.Match[str]) -> str:
        names = match[1].split()
        if not all(name in styles for name in names):
            return match[0]
        return f'style="{";".join(styles[name] for name in names)}"'

    return _CLASSES.sub(to_style, source)


def _written(rules: str) -> str:
    parts = (" ".join(part.split()) for part in rules.replace('"', "'").split(";"))
    return ";".join(part.replace(": ", ":") for part in parts if part)


PARTS = ("subject", "txt", "html")
TEXTS = "texts"  # the folder of what goes to a phone
# Texts that are about no account.
TEXT_ANSWERS = ("code", "add-method", "help", "stopped", "started")
OURS = Path(__file__).parents[1] / "templates"
# A template may divide a text or ask a list for what it has not: its fault, and not the program's.
# One that includes itself, or asks for more than the machine has, is its own fault as well.
_FAULTS = (
    *(TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
    *(RuntimeError, MemoryError),
)
_NAME = re.compile(rf"({FOLDER}/|{TEXTS}/)?[A-Za-z0-9][A-Za-z0-9_-]*")
# What every bill's template must say, and what of a bill makes it say so.
_SAID_WHERE = {
    "password_hint": "how the PDF is opened",
    "bill_link": "where the bill is to be read",
}


@dataclass(frozen=True, slots=True)
class OfficeContact:
    """How a customer reaches the office, and where to pay; what is empty is left out of a mail."""

    phone: str = ""
    address: str = ""
    hours: str = ""
    pay_link: str = ""

    def values(self) -> dict[str, str]:
        return {
            "office_phone": self.phone,
            "office_address": self.address,
            "office_hours": self.hours,
            "pay_link": web_address(self.pay_link),
        }


NO_CONTACT = OfficeContact()


@dataclass(frozen=True, slots=True)
class Wording:
    """A mail in words: the subject, and the same body as text and as HTML."""

    subject: str
    text: str
    html: str


def is_template_name(name: str) -> bool:
    """Tell whether a template may be called so; a form from an export may be called anything."""
    return _NAME.fullmatch(name) is not None


class Templates:
    """
    The office's templates, and ours for all it has not written (rules 14, 16).

    `FORM.subject`, `FORM.txt` and `FORM.html` in the office's folder take the place of ours;
    a form without any of its own gets `default`. Those of the other mails lie in `notices/` and
    are named by their kind. The sandbox keeps a template, which anybody in the office may edit,
    from reaching into the program; a variable that does not exist is an error instead of a hole
    in a customer's mail. `draft` are texts by file name that are tried before they are kept: they
    stand before both.
    """

    def __init__(
        self,
        folder: Path | None = None,
        contact: OfficeContact = NO_CONTACT,
        draft: Mapping[str, str] | None = None,
    ) -> None:
        folders = [path for path in (folder, OURS) if path is not None and path.is_dir()]
        self._folder = folder
        self._contact = contact.values()
        files = ChoiceLoader([FunctionLoader(_from(draft or {})), FileSystemLoader(folders)])
        self._plain = _environment(files, escapes=False)
        self._html = _environment(StyledLoader(files, folders), escapes=True)
        self._find = lru_cache(maxsize=None)(self._select)

    def check(self, *, is_protected: bool = False, has_links: bool = False) -> None:
        """
        Render every template with sample facts before anything is sent.

        A template that is broken is the office's to mend, once, instead of fifty thousand failed
        mails. So is one that does not say how a protected bill is opened, or where one that is too
        large to be mailed is to be read. Raises Misuse that names the form.
        """
        for form in sorted({*FORM_TITLES, "default", CORRECTED_BILL, *self._forms_in("")}):
            self._try(a_sample(form))
            self.require_told(a_sample(form), is_protected=is_protected, has_links=has_links)
        for form in sorted({*NOTICES, *self._forms_in(FOLDER)}):
            if kind_of(form) is None:
                raise Misuse(
                    f"The e-mail template {FOLDER}/{form} in {self._folder} is of no kind; its "
                    f"name begins with one of {', '.join(NOTICES)}."
                )
            self._try(a_sample_notice(form))
        self._check_texts()

    def word_text(self, names: tuple[str, ...], values: Mapping[str, Any], language: str) -> str:
        """
        Word one text message by the first of its templates that there is, on one line.

        Raises PermanentFailure where it does not work or says nothing.
        """
        known = in_languages(tuple(f"{TEXTS}/{name}" for name in names), language)
        try:
            said = self._find(known, "txt").render(self._contact | dict(values))
        except _FAULTS as failure:
            reason = str(failure) or say_cause(failure)
            raise PermanentFailure(
                f"the text template of {names[-1]} does not work ({reason})"
            ) from failure
        if not (words := " ".join(said.split())):
            raise PermanentFailure(f"the text template of {names[-1]} says nothing")
        return words

    def _check_texts(self) -> None:
        """Word every text with sample facts, in both languages."""
        for language in NAMES:
            for form in (*sorted(BY_DAY), *TEXT_ANSWERS):
                try:
                    self.word_text((form,), a_sample_text(form), language)
                except PermanentFailure as failure:
                    raise Misuse(f"{failure}; correct it in {self._folder}") from failure

    def word(self, letter: Letter) -> Wording:
        """Word one mail; raises PermanentFailure where its template does not work."""
        values = self._contact | letter.values()
        try:
            subject, text, html = (
                self._find(letter.templates, part).render(values) for part in PARTS
            )
        except _FAULTS as failure:
            reason = str(failure) or say_cause(failure)
            raise PermanentFailure(
                f"the e-mail template of {letter.form} does not work ({reason})"
            ) from failure
        if not subject.strip():
            raise PermanentFailure(f"the e-mail template of {letter.form} has an empty subject")
        return Wording(subject, text, html)

    def _try(self, letter: Letter) -> None:
        try:
            self.word(letter)
        except PermanentFailure as failure:
            raise Misuse(f"{failure}; correct it in {self._folder}") from failure

    def require_told(self, sample: BillLetter, *, is_protected: bool, has_links: bool) -> None:
        """Raise Misuse where a bill's mail does not say how, or where, the bill is to be read."""
        told = {"password_hint": is_protected, "bill_link": has_links}
        for variable in (name for name, is_needed in told.items() if is_needed):
            self._require(sample, variable)

    def _require(self, sample: BillLetter, variable: str) -> None:
        """Raise Misuse where a body says the same with the variable filled as without it."""
        form = sample.form
        plain = replace(sample, password_hint="", bill_link="")
        other, told = self.word(plain), self.word(_with(plain, variable))
        bodies = {"txt": other.text == told.text, "html": other.html == told.html}
        for part, is_silent in bodies.items():
            if is_silent:
                raise Misuse(
                    f"The e-mail template of {form} ({part}) does not say "
                    f"{_SAID_WHERE[variable]}; put {{{{ {variable} }}}} into it in {self._folder}."
                )

    def _forms_in(self, place: str) -> set[str]:
        """Return the forms that the office has templates for; files that begin with _ are none."""
        if self._folder is None:
            return set()
        files = [file for part in PARTS for file in (self._folder / place).glob(f"*.{part}")]
        return {file.stem for file in files if not file.name.startswith("_")}

    def _select(self, names: tuple[str, ...], part: str) -> Template:
        environment = self._html if part == "html" else self._plain
        return environment.select_template(
            [f"{name}.{part}" for name in names if is_template_name(name)]
        )


def a_sample_text(form: str) -> dict[str, Any]:
    """Return invented values of a text message, with every variable that it can have."""
    own = {} if form in TEXT_ANSWERS else a_sample_notice(form).values()
    about = {"account_end": "37.1", "shows_amount": True, "link": "", "code": "271828"}
    return {"utility": "Larkspur", "words": "Water is off on Friday."} | own | about


def _with(letter: BillLetter, variable: str) -> BillLetter:
    if variable == "bill_link":
        return replace(letter, bill_link="https://larkspur.example/bills/01.1037.1/2026-10")
    return replace(letter, password_hint=a_sample().password_hint)


def _from(draft: Mapping[str, str]) -> Callable[[str], tuple[str, str, None] | None]:
    """Return what finds a draft's texts, each under its own name: its faults bear it too."""
    return lambda name: (draft[name], name, None) if name in draft else None


def _environment(loader: BaseLoader, *, escapes: bool) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=escapes,
        undefined=StrictUndefined,
        auto_reload=False,  # else every mail looks at the files once more
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


COMMON = {
    "utility": "the utility's name",
    "language": "of the reader: `en`, or `es` where the template is written in Spanish",
    "period": "the billing period, a month as `October 2026`",
    "account_number": "the account's number",
    "customer_name": "a person's `O'Neil, Ann` is turned round",
    "service_address": "may be empty",
    "LatestCommunicationLink": "of the latest communication that is live; may be empty",
}
BILL = {
    "form_title": "what people call the form",
    "amount_due": "what the bill shows; never with a minus: of a credit, say that it is one",
    "since_bill": "what was received or added after it was made, and what is left; mostly empty",
    "open_balance": "what is still to be paid: the amount due and what moved since",
    "remaining_due": "what an autopay draw leaves to be paid",
    "due_date": "the day by which it is to be paid",
    "autopay_line": "names the method to its owner alone; empty without a draw",
    "password_hint": "how the PDF is opened; empty where `ebill.password` is not set",
    "bill_link": "where a bill too large for a mail is to be read; empty where it is attached",
    "bill_page": "where the portal shows the same as a page that is read aloud; may be empty",
    "is_payment_due": "true where something is owed",
    "is_credit": "true where the account is in credit",
    "is_paid_by_autopay": "true where the draw pays all of it",
    "changes": "of a corrected bill, a list of sentences: old and new amount and due date",
    "standing": "the same: what was received and what is left to be paid, by whom",
}
NOTICE = {
    "open_balance": "what is owed now",
    "since_bill": BILL["since_bill"],
    "due_date": BILL["due_date"],
    "amount_due": "what the bill says",
    "remaining_due": BILL["remaining_due"],
    "autopay_line": BILL["autopay_line"],
    "days_overdue": "since the due date",
    "payment_amount": "of the payment; empty where there is none",
    "payment_date": "the day it was drawn, or will be; empty where there is none",
    "payment_method": "empty for whoever is not its owner",
    "retry_date": "the day it is drawn once more; empty where it is not",
    "failure_reason": "in a customer's words; empty for whoever is not the method's owner",
    "what_to_do": "a sentence or two",
    "confirmation": "the payment's number at the gateway",
    "service_fee": "within the payment's amount; empty where there is none",
    "receipt_number": "cash receipting's; empty until it is posted",
    "what_happened": "to a payment after it was taken: a sentence; mostly empty",
    "plan_amount": "of a payment plan, all installments together",
    "last_day": "by which an installment has to be paid at the latest",
    "lines": "a list of texts: a plan's installments, or what a payment or a card pays where "
    "that is more than the one account",
    "expires": "the day, and of a link the time; empty where it is not known",
    "title": "what it is about",
    "paragraphs": "a list of texts: `{% for paragraph in paragraphs %}`",
    "link": "a web address; may be empty",
    "unsubscribe_link": "the web address that stops communications; empty where none is set up",
    "code": "a number to be typed in; may be empty",
    "agreed": "a list of texts: what was agreed to when autopay was set up; mostly empty",
    "records": "how many there are",
    "findings": "a list of sentences: `{% for finding in findings %}`",
    "ways": "a list of texts: the page on which it is done, and what is typed for it",
    "is_payment_due": BILL["is_payment_due"],
    "is_paid_by_autopay": BILL["is_paid_by_autopay"],
}
