"""The documentation says what the code does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from billing_system.embedded import EmbeddedBillingSystem
from data_checks.catalog import CATALOG
from domain.checks import Severity
from mail.letters.bill import a_sample, variables
from office.settings.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"
SPEC = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
generate = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate)

README = DOCS.parent / "README.md"
PAGES = [*sorted(DOCS.rglob("*.md")), README, DOCS.parent / "CONTRIBUTING.md"]


def example_files() -> dict[str, str]:
    """Return the files of the example in export.md by their names."""
    example = (DOCS / "export.md").read_text().partition("## A small full example")[2]
    return dict(re.findall(r"`([a-z_]+\.(?:toml|csv))`\n\n```\w*\n(.*?)```", example, re.DOTALL))


@pytest.mark.parametrize("page", generate.pages(), ids=lambda page: page.name)
def test_a_page_that_the_code_writes_is_up_to_date(page):
    expected = generate.pages()[page]

    assert expected == page.read_text(), "run: .venv/bin/python docs/generate.py"


def test_every_check_is_named():
    page = (DOCS / "checks.md").read_text()

    assert [] == [check.name for check in CATALOG if f"`{check.name}`" not in page]


def test_the_readme_counts_the_checks():
    blocking = sum(check.severity is Severity.BLOCKING for check in CATALOG)

    assert f"[{len(CATALOG)} checks](docs/checks.md); {blocking} of them" in README.read_text()


def test_every_section_of_the_settings_is_named():
    page = (DOCS / "running.md").read_text()

    assert [] == [section for section in Settings.model_fields if f"`{section}." not in page]


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())

    assert [] == [link for link in links if not (page.parent / link).exists()]
