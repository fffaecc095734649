"""What `make lint` makes of pip-audit's answers."""

from __future__ import annotations

import importlib.util
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

LOADER = SourceFileLoader("audit", str(Path(__file__).parents[1] / ".ci" / "audit"))
SPEC = importlib.util.spec_from_loader("audit", LOADER)
audit = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(audit)

FAULT = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fix_versions": ["1.1"]}
GOOD = {"name": "click", "version": "8.3", "vulns": []}
BAD = {"name": "hole", "version": "1.0", "vulns": [FAULT]}
UNKNOWN = {"name": "rich", "skip_reason": "could not be audited"}


def test_a_known_vulnerability_fails_the_build():
    status, sentences = audit.judge({"dependencies": [GOOD, BAD]}, {})

    assert 1 == status
    assert "VULNERABLE: hole 1.0: PYSEC-2026-1; cure: 1.1" in sentences


@pytest.mark.parametrize("name", ["PYSEC-2026-1", "CVE-2026-1"])
def test_one_that_is_ignored_with_a_reason_does_not(name):
    ignored = audit.read_ignored(f'[[ignored]]\nid = "{name}"\nreason = "not called"\n')

    status, sentences = audit.judge({"dependencies": [BAD]}, ignored)

    assert 0 == status
    assert f"ignored: {name}: not called" in sentences


def test_nothing_is_ignored_without_a_reason():
    with pytest.raises(ValueError, match="without a reason"):
        audit.read_ignored('[[ignored]]\nid = "CVE-2026-1"\n')


def test_what_could_not_be_audited_is_said():
    status, sentences = audit.judge({"dependencies": [UNKNOWN, GOOD]}, {})

    assert (0, "1 of 2 packages were audited.") == (status, sentences[0])
    assert "NOT AUDITED" in sentences[1]
    assert "rich" in sentences[1]


def test_a_service_that_does_not_answer_holds_nobody_up(monkeypatch, capsys):
    def silent(*_words, **_options):
        raise subprocess.TimeoutExpired("pip-audit", audit.SECONDS)

    monkeypatch.setattr(audit.subprocess, "run", silent)

    assert 0 == audit.main()
    assert "NOT AUDITED, the service gave no answer" in capsys.readouterr().out


def test_what_is_ignored_now_has_reasons():
    audit.read_ignored(audit.IGNORED.read_text())
