"""What `journal` writes of a closed period."""

from __future__ import annotations

import stat


def test_the_journal_of_a_closed_period_goes_to_the_screen_or_a_private_file(closed, tmp_path):
    file = tmp_path / "books.journal"

    shown = closed("journal", "--period", "2026-10")
    written = closed("journal", "--period", "2026-10", "--format", "hledger", "--to", str(file))

    assert (0, "") == (shown.status, shown.err)
    assert (0, "") == (written.status, written.out)
    assert shown.out == file.read_text()
    assert "commodity $1,000.00" in shown.out
    assert " bill\n    assets:receivable:" in shown.out
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert [file] == list(tmp_path.iterdir())


def test_the_journal_of_a_period_that_nobody_imported_is_wrong_use(closed):
    answer = closed("journal", "--period", "2019-01")

    assert 2 == answer.status
    assert "2019-01" in answer.err
