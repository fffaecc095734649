"""A first bundle.toml for what a billing system writes."""

from __future__ import annotations

import re
import tomllib

import pytest

from billing_system.embedded import EmbeddedBillingSystem
from command_line.main import run
from tests.flows.town import write_town

TOTALS = ("opening_balance", "billed", "payments", "adjustments", "penalties", "closing_balance")


@pytest.fixture
def folder(tmp_path):
    """What a billing system writes that knows nothing of us."""
    folder = write_town(tmp_path / "larkspur")
    whole = tomllib.loads((folder / "bundle.toml").read_text())
    (folder / "bundle.toml").unlink()
    accounts = (folder / "accounts.csv").read_text()
    accounts = accounts.replace("account_number", "Customer No", 1).replace("email", "E-Mail", 1)
    (folder / "Customer List.csv").write_bytes(accounts.encode("utf-16"))
    (folder / "accounts.csv").unlink()
    (folder / "autopay.csv").rename(folder / "AutoPay.csv")
    (folder / "notes.csv").write_text("a,b\n1,2\n")
    return folder, whole


def filled_in(text: str, whole: dict) -> str:
    """Fill in what a draft cannot know."""
    for section in ("utility", "control_totals"):
        for key, value in whole[section].items():
            written = value if isinstance(value, int) else f'"{value}"'
            text = re.sub(rf'^{key} = ""', f"{key} = {written}", text, count=1, flags=re.MULTILINE)
    return text


def test_a_draft_that_is_filled_in_is_imported_without_problems(folder, capsys):
    place, whole = folder

    status = run(["draft-export", str(place)])

    said = capsys.readouterr().out
    assert 4 == status
    assert "notes.csv looks like none of our tables" in said
    draft = place / "bundle.toml"
    draft.write_text(filled_in(draft.read_text(), whole))
    export = EmbeddedBillingSystem().read_export(place)
    assert () == export.problems
    assert (whole["period"]["id"], whole["period"]["due_date"]) == (
        export.period.id,
        export.period.due_on,
    )
    assert whole["control_totals"]["accounts"] == len(export.accounts)
    assert any("@" in account.email for account in export.accounts)
    assert export.enrollments


def test_a_draft_takes_nobodys_place(folder, capsys):
    place, _ = folder
    (place / "bundle.toml").write_text("ours")

    assert 2 == run(["draft-export", str(place)])
    assert "ours" == (place / "bundle.toml").read_text()
    assert "is there already" in capsys.readouterr().err


def test_what_is_empty_in_a_draft_is_named_by_the_import(folder):
    place, _ = folder
    run(["draft-export", str(place)])

    with pytest.raises(Exception, match=r"bundle.toml, \[utility\] timezone"):
        EmbeddedBillingSystem().read_export(place)
