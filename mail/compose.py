"""The wording of a mail: templates by form, and the message they make."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from domain.failures import Misuse, PermanentFailure
from mail.letters import FORM_TITLES, BillLetter, a_sample, variables

PARTS = ("subject", "txt", "html")
_OWN = Path(__file__).parent / "templates"
# A template may divide a text or ask a list for what it has not: its fault, and not the program's.
_FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


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
    a form without any of its own gets `default`. The sandbox keeps a template, which anybody in
    the office may edit, from reaching into the program; a variable that does not exist is an
    error instead of a hole in a customer's mail.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folders = [path for path in (folder, _OWN) if path is not None and path.is_dir()]
        self._folder = folder
        self._plain = _environment(folders, escapes=False)
        self._html = _environment(folders, escapes=True)
        self._find = lru_cache(maxsize=None)(self._select)

    def check(self) -> None:
        """
        Render every template with sample facts before anything is sent.

        A template that is broken is the office's to mend, once, instead of fifty thousand failed
        mails. Raises Misuse that names the form.
        """
        forms = {path.stem for path in self._folder.glob("*.*")} if self._folder else set()
        for form in sorted({*FORM_TITLES, "default", *forms}):
            if form.startswith("_"):
                continue
            try:
                self.word(a_sample(form))
            except PermanentFailure as failure:
                raise Misuse(f"{failure}; correct it in {self._folder}") from failure

    def word(self, letter: BillLetter) -> Wording:
        """Word one mail; raises PermanentFailure where its template does not work."""
        values = variables(letter)
        try:
            subject, text, html = (self._find(letter.form, part).render(values) for part in PARTS)
        except _FAULTS as failure:
            reason = f"{type(failure).__name__}: {failure}"
            raise PermanentFailure(
                f"the e-mail template of {letter.form} does not work ({reason})"
            ) from failure
        return Wording(subject, text, html)

    def _select(self, form: str, part: str) -> Template:
        environment = self._html if part == "html" else self._plain
        own = [f"{form}.{part}"] if _FORM.fullmatch(form) else []
        return environment.select_template([*own, f"default.{part}"])


def _environment(folders: list[Path], *, escapes: bool) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folders),
        autoescape=escapes,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
