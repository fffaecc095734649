"""The pages of docs/ that are written by the code, whole or in part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from data_checks.catalog import CATALOG
from data_checks.check import Check
from data_checks.recording import is_waivable
from domain.checks import Severity
from domain.payments import DRAW, PAYMENT, POSTING
from domain.runs import RUN
from domain.states import Transitions
from mail.letters.bill import a_sample, variables
from mail.letters.notices import NOTICES
from mail.letters.phrases import Value
from mail.letters.samples import a_sample_notice
from mail.letters.templates import BILL, COMMON, NOTICE
from mail.outbox.deliveries import DELIVERY
from office.settings.settings import Settings

DOCS = Path(__file__).parent
MADE = "<!-- Written by `python docs/generate.py`; change the code, not this page. -->"
SETTINGS_BEGIN = "<!-- settings: written by `python docs/generate.py` -->"
SETTINGS_END = "<!-- end of settings -->"
VARIABLES_BEGIN = "<!-- variables: written by `python docs/generate.py` -->"
VARIABLES_END = "<!-- end of variables -->"


def pages() -> dict[Path, str]:
    """Return each page that is written by the code, as it should be now."""
    running, templates = DOCS / "running.md", DOCS / "templates.md"
    return {
        DOCS / "checks.md": checks_page(),
        DOCS / "states.md": states_page(),
        running: with_settings(running.read_text(encoding="utf-8")),
        templates: with_variables(templates.read_text(encoding="utf-8")),
    }


def checks_page() -> str:
    """List every check: what it says and what to do, in the order in which it is reported."""
    blocking = [check for check in CATALOG if check.severity is Severity.BLOCKING]
    warning = [check for check in CATALOG if check.severity is Severity.WARNING]
    return "\n".join(
        [
            "# The checks",
            "",
            MADE,
            "",
            f"A close runs {len(CATALOG)} checks on what is staged: {len(blocking)} block the "
            f"close, {len(warning)} warn. `billclose check PERIOD` runs them without closing; "
            "`billclose list checks` shows what came of them and `billclose list exceptions` each "
            "account with its finding.",
            "",
            "A check ends as *passed*, *warned*, *failed* or *waived*. A check that crashed has "
            "failed, whatever its severity: nothing is known about the data then. A blocking check "
            "may be waived by name and reason, unless the table says never; what a waiver does is "
            "told in [decision 0010](decisions/0010-what-a-waiver-does.md).",
            "",
            "Root causes come first: a row that cannot be read also spoils a total, so read from "
            "the top.",
            "",
            "## Blocking",
            "",
            *_check_table(blocking, waivers=True),
            "",
            "## Warning",
            "",
            *_check_table(warning, waivers=False),
            "",
        ]
    )


def states_page() -> str:
    """Draw the states of a run, a payment and a delivery; list those of a posting."""
    return "\n".join(
        [
            "# The states",
            "",
            MADE,
            "",
            "What may become of a thing is a table of moves in the code (`domain/states.py`). A "
            "move that is not drawn here is refused.",
            "",
            *_drawing("A bill run", "domain/runs.py", RUN),
            *_drawing("A payment", "domain/payments.py", PAYMENT),
            "`billclose collect` looks up what is *submitted* or *unknown*, and never asks for it "
            "blindly. What is left as *unknown* a person decides: `billclose unknown`.",
            "",
            *_drawing("A draw", "domain/payments.py", DRAW),
            "One asking of the gateway; a payment that was declined may need several.",
            "",
            *_drawing("A posting", "domain/payments.py", POSTING),
            "How a taken payment gets into cash receipting. One that is *submitted* is looked up "
            "there before it is asked for again.",
            "",
            *_drawing("A delivery", "mail/states.py", DELIVERY),
            "A delivery that is *sending* is shown as *queued* by `billclose list deliveries`.",
            "",
        ]
    )


def with_settings(page: str) -> str:
    """Put the table of settings between its two marks."""
    return _between(page, SETTINGS_BEGIN, SETTINGS_END, _settings_table())


def with_variables(page: str) -> str:
    """Put the variables of every mail's templates between their two marks."""
    return _between(page, VARIABLES_BEGIN, VARIABLES_END, _variables())


def _between(page: str, begin: str, end: str, lines: Iterable[str]) -> str:
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    table = "\n".join(lines)
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"


def _check_table(checks: Iterable[Check], *, waivers: bool) -> Iterator[str]:
    yield "| check | what it says | why | what to do | rules |" + (" waiver |" if waivers else "")
    yield "| --- | --- | --- | --- | --- |" + (" --- |" if waivers else "")
    for check in checks:
        rules = ", ".join(map(str, check.rules)) or "–"
        cells = [f"`{check.name}`", check.what, check.why, check.fix, rules]
        if waivers:
            cells.append("may be waived" if is_waivable(check) else "**never**")
        yield _row(cells)


def _drawing(title: str, file: str, transitions: Transitions[Any]) -> Iterator[str]:
    yield f"## {title} (`{file}`)"
    yield ""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {_node(transitions.start)}"
    for (state, event), after in transitions.moves.items():
        yield f"    {_node(state)} --> {_node(after)}: {event}"
    moved = {state for state, _ in transitions.moves}
    for state in type(transitions.start):
        if state not in moved:
            yield f"    {_node(state)} --> [*]"
    yield "```"
    yield ""


def _node(state: StrEnum) -> str:
    return state.value.replace("-", "_")


def _variables() -> Iterator[str]:
    yield from _variable_table("all mails", variables(a_sample()), COMMON)
    yield from _variable_table("bills", variables(a_sample()), BILL)
    for kind in NOTICES:
        yield from _variable_table(f"`{kind}`", a_sample_notice(kind).values(), NOTICE)


def _variable_table(
    whose: str, values: dict[str, Value], meanings: dict[str, str]
) -> Iterator[str]:
    yield f"### {whose[:1].upper()}{whose[1:]}"
    yield ""
    yield "| variable | example | meaning |"
    yield "| --- | --- | --- |"
    for name in sorted(values.keys() & meanings.keys(), key=list(meanings).index):
        yield _row([f"`{name}`", _example(values[name]), meanings[name]])
    yield ""


def _example(value: Value) -> str:
    if isinstance(value, tuple):
        return "<br>".join(value)
    return "–" if isinstance(value, bool) else value or "empty"


def _settings_table() -> Iterator[str]:
    yield "| setting | default | meaning |"
    yield "| --- | --- | --- |"
    for section, field in Settings.model_fields.items():
        model: Any = field.annotation
        for key, setting in model.model_fields.items():
            default = _written(setting.default)
            yield _row([f"`{section}.{key}`", default, setting.description or "–"])


def _written(default: Any) -> str:
    """Write a default as a person reads it; a password's is never anything but empty."""
    value = getattr(default, "get_secret_value", lambda: default)()
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return f"`{value}`" if value not in ("", ()) else "empty"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")
