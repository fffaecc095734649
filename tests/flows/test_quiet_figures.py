"""A quiet command tells what its flow would have told: the same fields, the same figures."""

from __future__ import annotations

import pytest

AS_OF = "2026-11-03T09:00"


@pytest.mark.parametrize(
    "words", [("retry-postings",), ("mail", "send"), ("remind",), ("collect",), ("notify",)]
)
def test_a_quiet_command_says_what_its_flow_says(closed, tmp_path, words):
    desk = closed.copied(tmp_path / "office")
    desk(*words, "--as-of", AS_OF, "--json", "--even-if-nothing")

    ran = desk(*words, "--as-of", AS_OF, "--json", "--even-if-nothing")
    quiet = desk(*words, "--as-of", AS_OF, "--json")

    told = quiet.json
    assert "quiet" not in ran.json
    assert True is told.pop("quiet"), quiet.err
    assert (ran.status, ran.json) == (quiet.status, told)
