"""The documentation says what the code does."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import importlib_metadata  # noqa: F401 - once imported, it answers for the standard library's
import pytest

from billing_system.embedded import EmbeddedBillingSystem
from data_checks.checks.catalog import CATALOG
from data_checks.register.catalog import REVIEWED
from domain.checks import Severity
from mail.letters.bill import a_sample, variables
from office.secrets.sources import secret_keys
from office.settings.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"
SPEC = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
generate = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = generate
SPEC.loader.exec_module(generate)

README = DOCS.parent / "README.md"
CHANGELOG = DOCS.parent / "CHANGELOG.md"
OF_THE_HOME = [
    file
    for place in ("command_line", "office", "splitter", "tasks", "web")
    for file in sorted((DOCS.parent / place).rglob("*.py"))
]
PAGES = [*sorted(DOCS.rglob("*.md")), README, CHANGELOG, DOCS.parent / "CONTRIBUTING.md"]


def example_files() -> dict[str, str]:
    """Return the files of the example in export.md by their names."""
    example = (DOCS / "export.md").read_text().partition("## A small full example")[2]
    return dict(re.findall(r"`([a-z_]+\.(?:toml|csv))`\n\n```\w*\n(.*?)```", example, re.DOTALL))


@pytest.mark.parametrize("page", generate.pages(), ids=lambda page: page.name)
def test_a_page_that_the_code_writes_is_up_to_date(page):
    assert generate.pages()[page]() == page.read_text(), "run: .venv/bin/python docs/generate.py"


def test_no_package_is_under_the_agpl_or_under_the_gpl_alone():
    packages = generate.LOCKED.findall((DOCS.parent / "requirements.lock").read_text())
    named = {name: generate.license_of(name) for name, _ in packages}

    assert len(packages) == (DOCS.parent / "requirements.lock").read_text().count("==")
    assert [] == [name for name, told in named.items() if "AGPL" in told or "Affero" in told]
    assert ["text-unidecode"] == [  # under the Artistic License, its other one
        name for name, told in named.items() if re.search(r"(?<!L)GPL(?!-3.0-only)", told)
    ]


def test_every_check_is_named():
    page = (DOCS / "checks.md").read_text()

    assert [] == [check.name for check in CATALOG if f"`{check.name}`" not in page]


def test_the_readme_counts_the_checks():
    blocking = sum(check.severity is Severity.BLOCKING for check in CATALOG)

    said = README.read_text()
    assert f"[{len(CATALOG)} checks](docs/checks.md); {blocking} of them" in said
    assert f"\n{len(REVIEWED)} more [compare it with" in said  # together as many as a close counts


def test_every_rule_and_ruling_has_its_line():
    sections = generate.rule_book()
    rulings = sections.pop("rulings")

    assert list(range(1, 210)) == [int(number) for rules in sections.values() for number in rules]
    assert list(range(1, 27)) == [int(number) for number in rulings]


def test_every_rule_belongs_to_somebody():
    owners = {"pipeline", "portal", "console", "other system"}
    sections = generate.rule_book()
    del sections["rulings"]
    rules = {number: rule for some in sections.values() for number, rule in some.items()}

    assert [] == [key for key, rule in rules.items() if not owners >= set(rule["owners"]) != set()]


def test_every_rule_that_the_code_names_exists():
    last = {"rule": 209, "ruling": 26}

    unknown = [each for each in generate.citations() if not 1 <= each.number <= last[each.kind]]

    assert [] == unknown


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Schedule it (rule 54).", [("rule", 54)]),
        ("rules 2a, 5-7 and 9; ruling 3", [("rule", n) for n in (2, 5, 6, 7, 9)] + [("ruling", 3)]),
        ("# what waits (rules 84,\n    # 85), and how", [("rule", 84), ("rule", 85)]),
        ("rules=(61, 62),", [("rule", 61), ("rule", 62)]),
        ("Rulings 15–17", [("ruling", 15), ("ruling", 16), ("ruling", 17)]),
        ("def test_nothing_follows_rules_56_and_57():", [("rule", 56), ("rule", 57)]),
        ("a rule of 30 days", []),
    ],
)
def test_a_rule_is_named_as(words, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    (tmp_path / "page.txt").write_text(words)

    found = list(generate.citations_of(tmp_path / "page.txt"))

    assert expected == [(each.kind, each.number) for each in found]


def test_every_section_of_the_settings_is_named():
    page = (DOCS / "running.md").read_text()

    assert [] == [section for section in Settings.model_fields if f"`{section}." not in page]


def test_every_secret_is_named_where_secrets_are_told_of():
    told = (DOCS / "security.md").read_text().partition("## Where secrets come from")[2]

    names = [f"{section}.{key}" for section, key in secret_keys(Settings)]
    assert "database.url" in names
    assert [] == [name for name in names if f"`{name}`" not in told]


def test_security_tells_of_every_folder_that_the_home_gets():
    told = (DOCS / "security.md").read_text().partition("## Where secrets come from")[0]
    code = "".join(file.read_text() for file in OF_THE_HOME)

    made = set(re.findall(r"\.folder\(f?\"([a-z-]+)", code))
    made |= set(re.findall(r"^(?:FOLDER|PLACE|JOURNALS) = \"([a-z-]+)/?\"  ?#.*home", code, re.M))
    assert {"mail", "register", "attachments", "corrections"} <= made
    assert [] == sorted(name for name in made if f"`{name}/`" not in told)


def test_every_place_of_the_source_that_a_page_names_is_there():
    folders = "|".join(sorted(one.parent.name for one in DOCS.parent.glob("*/__init__.py")))
    named = re.compile(rf"`((?:{folders}|docs|tests|bench|deployments)/[\w./-]*\w/?)`")
    found = {(page.name, place) for page in PAGES for place in named.findall(page.read_text())}
    of_the_source = {one for one in found if not one[1].startswith("deployments/secrets/")}

    assert 100 <= len(of_the_source)
    assert [] == sorted(one for one in of_the_source if not (DOCS.parent / one[1]).exists())


def test_every_variable_of_a_mail_is_named():
    page = (DOCS / "templates.md").read_text()

    assert [] == [name for name in variables(a_sample()) if f"`{name}`" not in page]


def test_the_example_of_an_export_can_be_read(tmp_path):
    files = example_files()
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "bills.pdf").write_bytes(b"%PDF-1.7\n")

    export = EmbeddedBillingSystem().read_export(tmp_path)
    problems = list(export.problems)
    amounts = [amount for some in export.movements(problems.append) for amount in some.amount]

    totals = export.control_totals
    assert [] == problems
    assert (totals.accounts, totals.bills) == (len(export.accounts), 2)
    opening = sum(account.opening_balance.cents for account in export.accounts)
    closing = sum(account.closing_balance.cents for account in export.accounts)
    assert (totals.opening_balance.cents, totals.closing_balance.cents) == (opening, closing)
    assert closing == opening + sum(amount.cents for amount in amounts)


def test_one_version_is_named_everywhere():
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())["project"]["version"]
    images = [
        (DOCS.parent / "deployments/compose.yaml").read_text(),
        (DOCS / "running.md").read_text(),
    ]

    newest = re.search(r"^## \[(\d\S*)\]", CHANGELOG.read_text(), re.MULTILINE)
    assert newest is not None and project == newest[1]
    for text in images:
        assert {project} == set(re.findall(r"image: billclose:(\S+)", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())

    assert [] == [link for link in links if not (page.parent / link).exists()]


def headings(page: Path) -> set[str]:
    """Return the anchors that a page has: its own, and those that GitHub makes of headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    named = set(re.findall(r'<a id="([^"]+)">', text))
    return named | {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_into_a_page_lead_to_a_heading(page):
    links = re.findall(r"\]\((?!https?://)([^)#]*)#([^)]+)\)", page.read_text())

    assert [] == [
        (target, anchor)
        for target, anchor in links
        if anchor not in headings(page.parent / target if target else page)
    ]
