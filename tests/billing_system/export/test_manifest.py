"""What is wrong with a bundle.toml, said in one sentence."""

from __future__ import annotations

import re
from datetime import date

import pytest

from billing_system.export.manifest import parse_manifest
from domain.failures import Misuse
from domain.money import Money
from tests.builders_export import MANIFEST


def changed(pattern: str, replacement: str) -> bytes:
    text, count = re.subn(pattern, lambda _: replacement, MANIFEST, count=1, flags=re.MULTILINE)
    assert count == 1, pattern
    return text.encode()


@pytest.mark.parametrize(
    ("pattern", "replacement", "sentence"),
    [
        ("^due_date.*", "", "[period] due_date: is missing"),
        (r"^\[utility\]", "[town]", "[utility]: is missing"),
        (r"^\[control_totals\]", "[sums]", "[control_totals]: is missing"),
        (r"^\[control_totals\]", "[totals]", '[totals]: is unknown; did you mean "control_totals"'),
        (r"^\[period\]", "[periods]", '[periods]: is unknown; did you mean "period"'),
        ("^due_date.*", "due = 2026-11-20", '[period] due: is unknown; did you mean "due_date"'),
        ("^form.*", 'form = "a"\namount = "(b)"', 'amount: is unknown; did you mean "amount_due"'),
        (r"\Z", '\n[column.accounts]\nname = "b"', '[column]: is unknown; did you mean "columns"'),
        (r"\Z", '\n[columns.account]\nname = "b"', 'no table; did you mean "accounts"'),
        (r"\Z", '\n[columns.autopay]\nmax = "b"', 'no column; did you mean "maximum"'),
        (r"\Z", '\n[columns.accounts]\nname = ""', '[columns.accounts] name: is ""'),
        (r"\Z", '\n[values.accounts.status]\nA = "activ"', '"A": "activ" is not one of active'),
        (r"\Z", '\n[values.accounts]\nstatus = "A"', '[values.accounts.status]: is "A"; write'),
        (r"\Z", '\n[values.accounts.stat]\nA = "active"', "[values.accounts] stat: is no column"),
        (r"\Z", '\n[values.accounts.account_number]\n1 = "2"', "account numbers stay as they are"),
        (
            r"\Z",
            '\n[files]\nautopayment = "a.csv"',
            "[files] autopayment: is no table; did you mean",
        ),
        ("^form.*", 'form = "a"\nby = "outline"', 'by: is "outline"; write one of "text", "bookm'),
        ("^form.*", 'form = "a"\nby = 1', "by: is 1; write one of"),
        ("^form.*", 'form = "a"\ntitle = "(a)"', 'title: needs by = "bookmarks" or "attachments"'),
        ("^form.*", 'form = "a"\nby = "bookmarks"\ntitle = "a"', "title: "),
        ("^form.*", 'form = "a"\nlevel = 2', 'level: needs by = "bookmarks"'),
        ("^form.*", 'form = "a"\nby = "bookmarks"\nlevel = 0', "level: is 0; write 1 to 32"),
        ("^form.*", 'form = "a"\nby = "bookmarks"\nlevel = true', "level: is true; write 1 to"),
        (
            "^form.*",
            'form = "a"\nby = "bookmarks"\nnameless = "before"',
            'nameless: cannot be "before" with by = "bookmarks"',
        ),
        (r"\A", 'encoding = "ebcdic"\n', 'encoding: is "ebcdic"; it may be utf-8'),
        ("^id.*", 'id = "2026-10"\ncycle = "A/B"', '[period] cycle: is "A/B"; use up to 40'),
        (r"^\[\[documents\]\]", "[[papers]]", "[[documents]]: is missing"),
        (r"^\[\[documents\]\]", "[documents]", "[[documents]]: is missing"),
        ("^name.*", "name = 7", "[utility] name: is 7; write a text"),
        ("^name.*", 'name = ""', "[utility] name: is"),
        ("^timezone.*", 'timezone = "America/Denvr"', "did you mean America/Denver?"),
        ("^timezone.*", 'timezone = "../etc/passwd"', "is no time zone"),
        ("^id.*", 'id = "../2026"', '[period] id: is "../2026"; use up to 40 letters'),
        ("^id.*", 'id = "2026/10"', '[period] id: is "2026/10"'),
        ("^id.*", f'id = "{"9" * 41}"', "use up to 40 letters"),
        ("^start.*", 'start = "soon"', '[period] start: is "soon", which is no date'),
        ("^start.*", "start = 2026", "[period] start: is 2026, which is no date"),
        ("^start.*", "start = 2026-10-01T00:00:00", "which is no date"),
        ("^start.*", "start = 2026-11-01", "is before the start 2026-11-01"),
        ("^due_date.*", "due_date = 2026-10-20", "2026-10-20 is not after the period's end"),
        ("^accounts.*", "accounts = -1", "[control_totals] accounts: is -1"),
        ("^accounts.*", "accounts = 1.5", "write a whole number"),
        ("^bills.*", "bills = true", "[control_totals] bills: is true"),
        ("^billed.*", 'billed = "12O.00"', 'billed: is "12O.00", which is no amount'),
        ("^billed.*", "billed = 27.355", "billed: is 27.355, which is no amount"),
        ("^billed.*", "billed = nan", "which is no amount"),
        ("^billed.*", "billed = [1]", "which is no amount"),
        ("^account =.*", "account = '(['", 'number 1, account: is "([", which is no regular'),
        ("^account =.*", r"account = 'Account: \d+'", "which has no group"),
        ("^file.*", 'file = "../bills.pdf"', "must lie within the export"),
        ("^file.*", 'file = "/bills.pdf"', "must lie within the export"),
        ("^form.*", 'form = "utility bill"', 'form: is "utility bill"'),
        ("^form.*", 'form = "a"\nregion = [1, 2, 3]', "region: is [1, 2, 3]; write left"),
        ("^form.*", 'form = "a"\nregion = [9, 0, 5, 5]', "region: is [9, 0, 5, 5]; write left"),
        ("^form.*", 'form = "a"\nregion = "top"', 'region: is "top"; write left'),
        ("^form.*", 'form = "a"\nseperator = "X"', 'seperator: is unknown; did you mean "separ'),
        ("^form.*", 'form = "a', "is not valid TOML"),
        (r"\Z", '\n[columns.clients]\na = "b"', "[columns.clients]: is no table; ours are"),
        (r"\Z", '\n[columns.accounts]\nnumber = "b"', "[columns.accounts] number: is no column"),
        (r"\Z", "\n[columns.accounts]\nname = 7", "[columns.accounts] name: is 7"),
        (r"\Z", '\n[[documents]]\nform="a"\nfile="bills.pdf"\naccount="(a)"', "named twice"),
    ],
)
def test_a_wrong_manifest_is_told_by(pattern, replacement, sentence):
    with pytest.raises(Misuse) as misuse:
        parse_manifest(changed(pattern, replacement))

    assert sentence in misuse.value.message
    assert "bundle.toml" in misuse.value.message


def test_bytes_that_are_no_utf8_are_told_with_their_line():
    with pytest.raises(Misuse, match="line 2 is not UTF-8"):
        parse_manifest(b'[utility]\nname = "Beltr\xe1n"\n')


def test_amounts_may_be_numbers_and_never_pass_through_a_float():
    manifest = parse_manifest(
        changed("^billed.*", "billed = 900719925474.93").replace(
            b'payments = "0.00"', b"payments = -6443"
        )
    )

    assert Money(900719925474_93) == manifest.control_totals.billed
    assert Money(-6443_00) == manifest.control_totals.payments


def test_dates_may_be_texts_and_region_is_in_points():
    written = changed("^due_date.*", 'due_date = "11/20/2026"').replace(
        b'form = "utility-bill"', b'form = "utility-bill"\nregion = [300, 0, 612.5, 120]'
    )

    manifest = parse_manifest(b"\xef\xbb\xbf" + written)

    assert date(2026, 11, 20) == manifest.period.due_on
    assert manifest.bulk_files[0].region == (300.0, 0.0, 612.5, 120.0)


def test_keys_that_nothing_is_made_of_are_named():
    written = (
        changed("^form.*", 'form = "a"\ncolor = "blue"')
        + b"""
[export]
written_at = 2026-10-31T17:00:00
[vendor]
program = "x"
"""
    )

    notes = parse_manifest(written).notes

    assert [
        "bundle.toml: [vendor] is not used",
        "bundle.toml: [[documents]] number 1, color is not used",
    ] == [note.message for note in notes]


def test_a_period_may_be_of_one_cycle():
    assert "" == parse_manifest(MANIFEST.encode()).period.cycle
    assert "A" == parse_manifest(changed("^id.*", 'id = "x"\ncycle = "A"')).period.cycle
