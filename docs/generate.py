"""The pages of docs/ that are written by the code, whole or in part."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Any

from command_line.help import EXAMPLES, grouped
from command_line.registry import COMMANDS
from data_checks.check import Check
from data_checks.checks.catalog import CATALOG
from data_checks.recording import is_waivable
from data_checks.register.catalog import REGISTER, REVIEWED
from domain.arrangements import ARRANGEMENT
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
from reporting.lists.catalog import LISTS
from reporting.lists.sentences import SENTENCES

DOCS = Path(__file__).parent
ROOT = DOCS.parent
MADE = "<!-- Written by `python docs/generate.py`; change the code, not this page. -->"
SETTINGS_BEGIN = "<!-- settings: written by `python docs/generate.py` -->"
SETTINGS_END = "<!-- end of settings -->"
VARIABLES_BEGIN = "<!-- variables: written by `python docs/generate.py` -->"
VARIABLES_END = "<!-- end of variables -->"
COMMANDS_BEGIN = "<!-- commands: written by `python docs/generate.py` -->"
COMMANDS_END = "<!-- end of commands -->"
LISTS_BEGIN = "<!-- lists: written by `python docs/generate.py` -->"
LISTS_END = "<!-- end of lists -->"
LOCKED = re.compile(r"(?m)^([a-z0-9][a-z0-9.-]*)==([^ ;\\\s]+)")
_LICENSE = "License ::"
RULINGS = "rulings"  # the one section of rules.toml that holds no rules
NUMBER = r"\d{1,3}[a-d]?"
BETWEEN = r"[\s#_]*(?:,|-|–|(?<=[\s_])and(?=[\s_]))[\s#_]*"
CITED = re.compile(
    rf"(?<![a-z])(rule|ruling)s?[\s#_]+({NUMBER}(?:{BETWEEN}{NUMBER})*)(?![a-z0-9])", re.IGNORECASE
)
OF_A_CHECK = re.compile(r"\b(rule)s=\(([\d, ]+)\)")


@dataclass(frozen=True)
class Citation:
    """One place of the code or the tests that names a rule or a ruling."""

    kind: str  # rule or ruling
    number: int
    file: Path
    test: str  # the test that names it; empty outside of tests and above them


def pages() -> dict[Path, Callable[[], str]]:
    """Return each page that is written by the code, with what writes it as it should be now."""
    running, templates = DOCS / "running.md", DOCS / "templates.md"
    commands = DOCS / "commands.md"
    return {
        commands: lambda: with_commands(commands.read_text(encoding="utf-8")),
        DOCS / "checks.md": checks_page,
        DOCS / "states.md": states_page,
        DOCS / "rules.md": rules_page,
        DOCS / "licenses.md": licenses_page,
        running: lambda: with_settings(running.read_text(encoding="utf-8")),
        templates: lambda: with_variables(templates.read_text(encoding="utf-8")),
    }


def licenses_page() -> str:
    """List every locked package by the license that its own files name."""
    packages = LOCKED.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    by_license: dict[str, list[str]] = {}
    for name, version in packages:
        by_license.setdefault(license_of(name), []).append(f"{name} {version}")
    return "\n".join(
        [
            MADE,
            "# Licenses of what it runs on",
            "",
            f"The {len(packages)} packages of `requirements.lock`, for tests and development too,",
            "by the license that each names in its own files. None is under the AGPL. Where a",
            "package may be used under one of several, it is not used under the GPL.",
            "",
            _row(["license", "packages"]),
            _row(["---", "---"]),
            *(_row([name, ", ".join(by_license[name])]) for name in sorted(by_license)),
            "",
        ]
    )


def license_of(package: str) -> str:
    """Return the license that a package's metadata names; raises where it is not installed."""
    told = metadata.metadata(package)
    named = [
        line.rpartition("::")[2].strip()
        for line in told.get_all("Classifier") or []
        if _LICENSE in line
    ]
    return str(
        told.get("License-Expression") or "; ".join(named) or told.get("License") or "not named"
    )


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
            "## The register review",
            "",
            f"Is this month like the months before? These {len(REVIEWED)} checks look at what was "
            "billed beside each account's own closed periods; [the register](register.md) tells "
            "how. *usage-outlier*, *usage-zero* and *usage-negative* stand above and are judged by "
            "the review too, where a line has three months of its own. What is *folded* is good "
            "to know: shown before the yes, and no exception; *charge-doubled*, *bill-copied* and "
            "*last-month-again* block where the meters' own numbers and reads prove it.",
            "",
            *_check_table(list(REVIEWED), waivers=False),
            "",
            "Their limits, which `billclose checks set` changes for all, a service or a rate code:",
            "",
            *_limit_table(),
            "",
        ]
    )


def _limit_table() -> Iterator[str]:
    yield "| check | severity | limit | start | what it is |"
    yield "| --- | --- | --- | --- | --- |"
    for one in REGISTER:
        for name, limit in (one.limits or {"": None}).items():
            start = limit.write(limit.start) if limit else ""
            says = limit.says if limit else ""
            severity = one.check.severity.value
            yield f"| `{one.check.name}` | {severity} | {name} | {start} | {says} |"


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
            *_drawing("A payment arrangement", "domain/arrangements.py", ARRANGEMENT),
            "Without four eyes (`arrangements.people`) a plan begins *in force*. What is paid of "
            "it is read from the ledger every night, and is no state.",
            "",
            *_drawing("A delivery", "mail/outbox/deliveries.py", DELIVERY),
            "A delivery that is *sending* is shown as *queued* by `billclose list deliveries`.",
            "",
        ]
    )


def rules_page() -> str:
    """List the office's rules and rulings: who carries each out, where, and which test shows it."""
    cited = list(citations())
    sections = rule_book()
    rulings = sections.pop(RULINGS)
    return "\n".join(
        [
            "# The rules",
            "",
            MADE,
            "",
            "What the office asks of a close, of bills by mail, of autopay and of the portal, rule "
            "by rule in our words (`docs/rules.toml`). Code and tests name a rule where they carry "
            "it out or show it (`rule 54`, `ruling 13`); the links below are made of that. "
            "**Open** is what no line of ours names yet; a dash in one of the last columns, that "
            "no code, or no test, does. What another system does is not ours to build.",
            "",
            *_rule_sections(sections, cited),
            "## Rulings",
            "",
            "Where the rules are silent or contradict each other, these say what holds.",
            "",
            "| ruling | what it says | carried out in | shown by |",
            "| --- | --- | --- | --- |",
            *(
                _row([number, says, *_places(cited, "ruling", int(number), "**open**")])
                for number, says in rulings.items()
            ),
            "",
        ]
    )


def rule_book() -> dict[str, dict[str, Any]]:
    """Return the sections of docs/rules.toml: rules by number, and the rulings."""
    return tomllib.loads((DOCS / "rules.toml").read_text(encoding="utf-8"))


def citations() -> Iterator[Citation]:
    """Find each place where shipped code or a test names a rule or a ruling."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for package in [*project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], "tests"]:
        kinds = (".py",) if package == "tests" else (".py", ".html", ".txt")
        for file in sorted((ROOT / package).rglob("*")):
            if file.suffix in kinds and file.name != "test_docs.py":
                yield from citations_of(file)


def citations_of(file: Path) -> Iterator[Citation]:
    text = file.read_text(encoding="utf-8")
    found = [*CITED.finditer(text), *OF_A_CHECK.finditer(text)]
    tests = _tests_by_line(text) if found and file.name.startswith("test_") else {}
    for match in found:
        test = tests.get(text.count("\n", 0, match.start()) + 1, "")
        for number in _numbers(match[2]):
            yield Citation(match[1].lower(), number, file.relative_to(ROOT), test)


def _tests_by_line(text: str) -> dict[int, str]:
    """Return which test each line of a file belongs to, the parameters above it included."""
    return {
        line: node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for line in range(
            min([node.lineno, *(each.lineno for each in node.decorator_list)]),
            (node.end_lineno or node.lineno) + 1,
        )
    }


def _numbers(cited: str) -> Iterator[int]:
    """Read `1, 3-5` as 1, 3, 4, 5; the letter of a part (`2b`) is left out."""
    for first, last in re.findall(rf"({NUMBER})(?:[\s#]*[-–][\s#]*({NUMBER}))?", cited):
        start = int(first.rstrip("abcd"))
        yield from range(start, int(last.rstrip("abcd") or start) + 1)


def _rule_sections(sections: dict[str, dict[str, Any]], cited: list[Citation]) -> Iterator[str]:
    for title, rules in sections.items():
        yield f"## {title}"
        yield ""
        yield "| rule | what it asks | whose | carried out in | shown by |"
        yield "| --- | --- | --- | --- | --- |"
        for number, rule in rules.items():
            ours = rule["owners"][0] != "other system"
            nowhere = "**open**" if ours else "another system"
            places = _places(cited, "rule", int(number), nowhere)
            yield _row([number, rule["asks"], ", ".join(rule["owners"]), *places])
        yield ""


def _places(cited: list[Citation], kind: str, number: int, nowhere: str) -> tuple[str, str]:
    """Return where a rule is carried out and what shows it, as links."""
    places = [each for each in cited if (each.kind, each.number) == (kind, number)]
    code = [_link(each) for each in places if each.file.parts[0] != "tests"]
    tests = [_link(each) for each in places if each.file.parts[0] == "tests"]
    carried_out = ", ".join(dict.fromkeys(code)) or ("–" if tests else nowhere)
    return carried_out, ", ".join(dict.fromkeys(tests)) or "–"


def _link(citation: Citation) -> str:
    told = f"`{citation.test or citation.file.as_posix()}`"
    return f"[{told}](../{citation.file.as_posix()})"


def with_settings(page: str) -> str:
    """Put the table of settings between its two marks."""
    return _between(page, SETTINGS_BEGIN, SETTINGS_END, _settings_table())


def with_variables(page: str) -> str:
    """Put the variables of every mail's templates between their two marks."""
    return _between(page, VARIABLES_BEGIN, VARIABLES_END, _variables())


def with_commands(page: str) -> str:
    """Put the commands by their groups, and the lists, between their marks."""
    page = _between(page, COMMANDS_BEGIN, COMMANDS_END, _command_tables())
    return _between(page, LISTS_BEGIN, LISTS_END, _list_table())


def _command_tables() -> Iterator[str]:
    for number, (title, names) in enumerate(grouped(list(COMMANDS))):
        yield from (*([""] if number else []), f"### {title}", "")
        yield _row(["command", "what it does", "for example"])
        yield _row(["---", "---", "---"])
        for name in names:
            yield _row([f"`{name}`", COMMANDS[name].help, f"`{EXAMPLES[name][0]}`"])


def _list_table() -> Iterator[str]:
    yield _row(["list", "shows"])
    yield _row(["---", "---"])
    for name in LISTS:
        yield _row([f"`{name}`", SENTENCES[name]])


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
    for page, written in pages().items():
        page.write_text(written(), encoding="utf-8")
