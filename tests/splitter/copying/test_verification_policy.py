"""How many copies are read back and audited, and that it is told."""

from __future__ import annotations

import json
import sys

import pytest

from command_line.main import run
from domain.failures import Misuse
from splitter.bulk_file.splitting import Splitting, split
from splitter.copying import verifying
from splitter.copying.verifying import VerificationPolicy, say_verification
from splitter.store.bill_store import BillStore
from tests.splitter.pdf_builders import ACCOUNT, a_bulk_file, a_page, write_pdf

BILLS = 21
NOTHING = VerificationPolicy(sys.maxsize, sys.maxsize)  # but the first


@pytest.fixture(scope="module")
def bulk(tmp_path_factory):
    return write_pdf(
        tmp_path_factory.mktemp("bulk") / "bills.pdf",
        [a_page(f"01.{1000 + number}") for number in range(BILLS)],
    )


def split_with(bulk, folder, verification_policy, processes=1):
    with Splitting(bulk, a_bulk_file(), processes=processes) as splitting:
        assignment = splitting.plan()
        return splitting.file_bills(
            assignment, BillStore(folder), prefix="", verification_policy=verification_policy
        )


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("verification_policy", "read_back", "audited"),
    [
        pytest.param(VerificationPolicy(), BILLS, 1, id="every copy, and the audit of the first"),
        pytest.param(VerificationPolicy(1, 1), BILLS, BILLS, id="everything"),
        pytest.param(VerificationPolicy(10, 64), 3, 1, id="each tenth"),
        pytest.param(VerificationPolicy(1, 5), BILLS, 5, id="each fifth in full"),
        pytest.param(VerificationPolicy(10, 1), 3, BILLS, id="each audited, each tenth read back"),
        pytest.param(NOTHING, 1, 1, id="the first one always"),
    ],
)
def test_as_many_copies_are_looked_at_as_the_office_wants(
    bulk, tmp_path, verification_policy, read_back, audited, processes
):
    outcome = split_with(bulk, tmp_path, verification_policy, processes)

    assert (read_back, audited) == (outcome.read_back, outcome.audited)
    assert (BILLS, ()) == (len(outcome.bills), outcome.problems)


def test_without_a_word_every_copy_is_read_back(bulk, tmp_path):
    outcome = split(bulk, a_bulk_file(), BillStore(tmp_path), prefix="")

    assert (BILLS, 1) == (outcome.read_back, outcome.audited)


def test_scrutiny_changes_nothing_about_the_bills(bulk, tmp_path):
    strict = split_with(bulk, tmp_path / "strict", VerificationPolicy(1, 1))
    loose = split_with(bulk, tmp_path / "loose", NOTHING)

    assert strict.bills == loose.bills


def test_a_copy_that_the_swift_audit_cannot_tell_has_the_full_one(bulk, monkeypatch):
    from splitter.bulk_file.splitting import plan
    from splitter.copying.copier import BillCopier
    from splitter.copying.verifying import ForeignAccounts
    from splitter.text.patterns import compile_patterns

    patterns = compile_patterns(a_bulk_file())
    bill = plan(bulk, a_bulk_file()).bills[0]
    copy = BillCopier.open(bulk).copy(bill.pages)

    def look(copy):
        nobody = ForeignAccounts(frozenset())
        return verifying.examine(copy, bill, patterns, nobody, audits=False)

    assert (True, False, ()) == _of(look(copy))
    assert (True, True, ()) == _of(look(copy.replace(b"%\xe2\xe3\xcf\xd3", b"%abcd", 1)))


def _of(found):
    return found.is_read_back, found.is_audited, found.findings


@pytest.mark.parametrize("wrong", [(0, 64), (1, 0), (-1, 1)])
def test_less_than_every_copy_there_is_not(wrong):
    with pytest.raises(Misuse, match="1 is every copy"):
        VerificationPolicy(*wrong)


def test_what_was_done_is_said_in_words():
    assert "2,000 copies read back, 32 audited" == say_verification(2000, 32)
    assert "1 copy read back, 0 audited" == say_verification(1, 0)


def test_the_command_takes_both_and_tells_what_was_done(bulk, tmp_path, capsys):
    to = ["--account", ACCOUNT, "--to", str(tmp_path / "out")]

    status = run(
        ["split", str(bulk), *to, "--read-back-every", "10", "--audit-every", "7", "--json"]
    )

    said = capsys.readouterr()
    assert 0 == status
    assert {"read_back": 3, "audited": 3} == json.loads(said.out)["copies"]
    assert "21 bills; 3 copies read back, 3 audited" in said.err


@pytest.mark.parametrize("option", ["--read-back-every", "--audit-every"])
def test_the_command_refuses_less_than_one(bulk, tmp_path, capsys, option):
    to = ["--account", ACCOUNT, "--to", str(tmp_path / "out")]

    status = run(["split", str(bulk), *to, option, "0"])

    assert 2 == status
    assert option in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
