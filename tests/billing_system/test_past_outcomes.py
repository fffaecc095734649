"""What an office did in a past month: read, or refused with the month, the file and the column."""

from __future__ import annotations

import pytest

from billing_system.past_outcomes import read_past_month
from domain.failures import Misuse


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "paper.csv",
            "account;address\n01.1037.1;x\n",
            '2026-10: paper.csv has no column "account_number"; did you mean account_number by its '
            '"account"? Its headings are account, address. Let whoever writes the file name it so.',
        ),
        ("papers.csv", "account_number\n1\n", "2026-10 holds papers.csv; did you mean paper.csv?"),
        ("drafts.csv", "account_number,amount\n1,-5.00\n", "2026-10: .*write it above zero"),
    ],
)
def test_a_file_that_cannot_be_compared_is_refused_with_its_month(tmp_path, file, text, said):
    month = tmp_path / "2026-10"
    month.mkdir()
    (month / file).write_text(text, encoding="utf-8")

    with pytest.raises(Misuse) as refused:
        read_past_month(month)

    assert "against" == refused.value.code
    assert refused.match(said.replace("?", r"\?") if ".*" not in said else said)
