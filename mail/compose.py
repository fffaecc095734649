"""The wording of a mail: templates by form, and the text and page that they make."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from domain.failures import Misuse, PermanentFailure
from mail.letters import FORM_TITLES, BillLetter, Letter, a_sample
from mail.notices import FOLDER, NOTICES, kind_of
from mail.samples import a_sample_notice
from mail.styling import StyledLoader

PARTS = ("subject", "txt", "html")
_OWN = Path(__file__).parent / "templates"
# A template may divide a text or ask a list for what it has not: its fault, and not the program's.
_FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_NAME = re.compile(rf"({FOLDER}/)?[A-Za-z0-9][A-Za-z0-9_-]*")
# What every bill's template must say, and what of a bill makes it say so.
_SAID_WHERE = {
    "password_hint": "how the PDF is opened",
    "bill_link": "where the bill is to be read",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """A mail in words: the subject, and the same body as text and as HTML."""

    subject: str
    text: str
    html: str


class Templates:
    """
    The office's templates, and ours for all it has not written (rules 14, 16).

    `FORM.subject`, `FORM.txt` and `FORM.html` in the office's folder take the place of ours;
    a form without any of its own gets `default`. Those of the other mails lie in `notices/` and
    are named by their kind. The sandbox keeps a template, which anybody in the office may edit,
    from reaching into the program; a variable that does not exist is an error instead of a hole
    in a customer's mail.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folders = [path for path in (folder, _OWN) if path is not None and path.is_dir()]
        self._folder = folder
        self._plain = _environment(FileSystemLoader(folders), escapes=False)
        self._html = _environment(StyledLoader(folders), escapes=True)
        self._find = lru_cache(maxsize=None)(self._select)

    def check(self, *, is_protected: bool = False, has_links: bool = False) -> None:
        """
        Render every template with sample facts before anything is sent.

        A template that is broken is the office's to mend, once, instead of fifty thousand failed
        mails. So is one that does not say how a protected bill is opened, or where one that is too
        large to be mailed is to be read. Raises Misuse that names the form.
        """
        told = {"password_hint": is_protected, "bill_link": has_links}
        for form in sorted({*FORM_TITLES, "default", *self._forms_in("")}):
            self._try(a_sample(form))
            for variable in (name for name, is_needed in told.items() if is_needed):
                self._require(form, variable)
        for form in sorted({*NOTICES, *self._forms_in(FOLDER)}):
            if kind_of(form) is None:
                raise Misuse(
                    f"The e-mail template {FOLDER}/{form} in {self._folder} is of no kind; its "
                    f"name begins with one of {', '.join(NOTICES)}."
                )
            self._try(a_sample_notice(form))

    def word(self, letter: Letter) -> Wording:
        """Word one mail; raises PermanentFailure where its template does not work."""
        values = letter.values()
        try:
            subject, text, html = (
                self._find(letter.templates, part).render(values) for part in PARTS
            )
        except _FAULTS as failure:
            reason = f"{type(failure).__name__}: {failure}"
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

    def _require(self, form: str, variable: str) -> None:
        """Raise Misuse where a body says the same with the variable filled as without it."""
        plain = replace(a_sample(form), password_hint="", bill_link="")
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
            [f"{name}.{part}" for name in names if _NAME.fullmatch(name)]
        )


def _with(letter: BillLetter, variable: str) -> BillLetter:
    if variable == "bill_link":
        return replace(letter, bill_link="https://larkspur.example/bills/01.1037.1/2026-10")
    return replace(letter, password_hint=a_sample().password_hint)


def _environment(
    loader: FileSystemLoader | StyledLoader, *, escapes: bool
) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=escapes,
        undefined=StrictUndefined,
        auto_reload=False,  # else every mail looks at the files once more
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
