"""Exports that are nearly right: each kind is read, named, or refused with what to do."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from billing_system.embedded import EmbeddedBillingSystem
from billing_system.port import BillingExport, NoteKind
from domain.failures import Misuse, Refused
from domain.money import Money
from tests.builders_export import (
    ACCOUNT,
    AUTOPAY,
    MANIFEST,
    METHOD,
    MOVEMENT,
    a_table,
    export_files,
    write_export,
)

CUSTOMER = "Beltr\u00e1n, Jos\u00e9 Mu\u00f1oz"


def read_files(folder: Path, files: dict[str, str | bytes]) -> BillingExport:
    folder = folder / "export"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return EmbeddedBillingSystem().read_export(folder)


def read(folder: Path, **changes: str | bytes | None) -> BillingExport:
    return EmbeddedBillingSystem().read_export(write_export(folder / "export", **changes))


def renamed(old: str, new: str) -> dict[str, str | bytes]:
    return {new if name == old else name: text for name, text in export_files().items()}


def headed(row: dict[str, str], **headings: str) -> str:
    return a_table({headings.get(name, name): value for name, value in row.items()})


def named(export: BillingExport, kind: NoteKind) -> list[str]:
    return [note.name for note in export.notes if note.kind is kind]


@pytest.mark.parametrize(
    ("table", "row", "column", "heading"),
    [
        ("autopay", AUTOPAY, "maximum", "max_amount"),
        ("autopay", AUTOPAY, "portal_user", "Portal Users"),
        ("accounts", ACCOUNT, "equal_pay_amount", "Budget Amount"),
        ("accounts", ACCOUNT, "email", "e-mail"),
        ("accounts", ACCOUNT, "phone", "Phone Number"),
        ("transactions", MOVEMENT, "usage", "useage"),
        ("payment_methods", METHOD, "portal_user", "portal_usr"),
    ],
)
def test_a_heading_that_is_nearly_ours_is_refused(tmp_path, table, row, column, heading):
    with pytest.raises(Misuse, match=f'did you mean "{column}"') as refused:
        read(tmp_path, **{table: headed(row, **{column: heading})})

    assert f"{table}.csv" in refused.value.message
    assert f'[columns.{table}] {column} = "{heading}"' in refused.value.message


def test_a_heading_that_is_nearly_a_needed_column_is_told_with_both(tmp_path):
    with pytest.raises(Misuse, match='no column "amount"; did you mean amount by its "amt"'):
        read(tmp_path, transactions=headed(MOVEMENT, amount="amt"))


@pytest.mark.parametrize(
    ("mapped", "maximum"),
    [("max_amount", Money(20_00)), ("", None)],
    ids=["ours", "something else"],
)
def test_a_heading_that_is_nearly_ours_is_taken_as_bundle_toml_says(tmp_path, mapped, maximum):
    autopay = headed(AUTOPAY | {"maximum": "20.00"}, maximum="max_amount")
    bundle = f'{MANIFEST}\n[columns.autopay]\nmaximum = "{mapped}"\n'

    export = read(tmp_path, autopay=autopay, bundle=bundle)

    assert [maximum] == [enrollment.maximum for enrollment in export.enrollments]
    assert ([] if mapped else ["max_amount"]) == named(export, NoteKind.UNUSED_HEADING)


def test_a_heading_beside_the_column_it_is_like_is_only_named(tmp_path):
    export = read(tmp_path, accounts=a_table(ACCOUNT | {"email2": "x", "Ward": "3"}))

    assert ["email2", "Ward"] == named(export, NoteKind.UNUSED_HEADING)


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("autopay.csv", "auto-pay.csv", "autopay"),
        ("autopay.csv", "autopays.csv", "autopay"),
        ("autopay.csv", "Autopay.CSV.txt", "autopay"),
        ("portal_links.csv", "Portal Links.csv", "portal_links"),
        ("payment_methods.csv", "wallet.xlsx", "payment_methods"),
        ("cosigners.csv", "cosigner.tsv", "cosigners"),
    ],
)
def test_a_file_whose_name_is_nearly_ours_is_refused(tmp_path, old, new, meant):
    with pytest.raises(Misuse, match=f'The export holds {new}; did you mean "{meant}.csv"'):
        read_files(tmp_path, renamed(old, new))


def test_a_needed_file_that_is_nearly_there_is_told(tmp_path):
    with pytest.raises(Misuse, match=r"did you mean accounts\.csv"):
        read_files(tmp_path, renamed("accounts.csv", "Customers.csv"))


@pytest.mark.parametrize("theirs", ["Autopay.csv", "AUTOPAY.CSV"])
def test_letters_case_does_not_count_in_names_of_files(tmp_path, theirs):
    export = read_files(tmp_path, renamed("autopay.csv", theirs))

    assert (1, []) == (len(export.enrollments), named(export, NoteKind.UNUSED_FILE))
    assert read(tmp_path).sha256 == export.sha256


def test_a_file_that_is_there_twice_but_for_its_letters_case_is_refused(tmp_path):
    files = export_files()

    with pytest.raises(Misuse, match=r"twice, as Autopay.csv and autopay.csv"):
        read_files(tmp_path, files | {"Autopay.csv": files["autopay.csv"]})


def test_files_may_have_their_own_names(tmp_path):
    bundle = MANIFEST + '\n[files]\nautopay = "AP2026.csv"\n'

    export = read_files(tmp_path, renamed("autopay.csv", "AP2026.csv") | {"bundle.toml": bundle})

    assert (1, []) == (len(export.enrollments), named(export, NoteKind.UNUSED_FILE))


def test_whatever_is_not_used_or_absent_is_named(tmp_path):
    files = export_files(cosigners=None) | {"notes.csv": "a,b\n1,2\n", "more.pdf": b"%PDF"}
    files["accounts.csv"] = a_table({k: v for k, v in ACCOUNT.items() if k != "email"} | {"X": "1"})

    export = read_files(tmp_path, files | {"Thumbs.db": b"", ".DS_Store": b""})

    assert ["more.pdf", "notes.csv"] == named(export, NoteKind.UNUSED_FILE)
    assert ["X"] == named(export, NoteKind.UNUSED_HEADING)
    assert ["cosigners.csv"] == named(export, NoteKind.ABSENT_FILE)
    absent = [n.name for n in export.notes if n.kind == NoteKind.ABSENT_COLUMN]
    assert "email" == absent[0]


ACCENTED = a_table(ACCOUNT | {"name": CUSTOMER})


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-16", "is UTF-16"),
        ("utf-16-le", "is UTF-16"),
        ("utf-16-be", "is UTF-16"),
        ("mac-roman", "looks like Mac Roman"),
        ("cp850", "looks like DOS"),
    ],
)
def test_an_encoding_that_is_not_taken_unasked_is_named(tmp_path, encoding, told):
    with pytest.raises(Refused, match=told) as refused:
        read(tmp_path, accounts=ACCENTED.encode(encoding))

    assert "wrong-encoding" == refused.value.code
    assert 'say encoding = "' in refused.value.message
    assert CUSTOMER not in refused.value.message


@pytest.mark.parametrize("encoding", ["utf-32", "utf-32-le", "utf-32-be"])
def test_utf_32_is_not_taken_for_utf_16(tmp_path, encoding):
    with pytest.raises(Refused, match="is UTF-32") as refused:
        read(tmp_path, accounts=ACCENTED.encode(encoding))

    assert "wrong-encoding" == refused.value.code
    assert refused.value.message.endswith("export it again as UTF-8")


@pytest.mark.parametrize("encoding", ["utf-16", "mac-roman", "cp850", "cp1252"])
@pytest.mark.parametrize("form", ['encoding = "{}"\n{}', '{1}\n[encoding]\naccounts = "{0}"\n'])
def test_an_encoding_is_taken_where_bundle_toml_says_it(tmp_path, encoding, form):
    others = (
        {}
        if "accounts" in form
        else {
            name: (a_table(row).encode(encoding))
            for name, row in {"transactions": MOVEMENT}.items()
        }
    )
    absent = dict.fromkeys(
        ("portal_users", "portal_links", "cosigners", "payment_methods", "autopay")
    )

    export = read(
        tmp_path,
        bundle=form.format(encoding, MANIFEST),
        accounts=ACCENTED.encode(encoding),
        **others,
        **absent,
    )

    assert [CUSTOMER] == [account.name for account in export.accounts]


@pytest.mark.parametrize(
    "name",
    [
        "Beltr\u00e1n, Zo\u00eb \u2013 \u201c\u00d1\u201d",
        "O\u2019Brien",
        "Novotn\u00fd, B\u0161",
        "caf\u00e9 \u2026 \u0153uf \u20ac",
    ],
)
def test_what_windows_writes_is_not_taken_for_anything_else(tmp_path, name):
    export = read(tmp_path, accounts=a_table(ACCOUNT | {"name": name}).encode("cp1252"))

    assert [name] == [account.name for account in export.accounts]


@pytest.mark.parametrize("mark", [";", "\t", ","])
def test_a_row_that_announces_the_separator_is_passed_over(tmp_path, mark):
    table = f"sep={mark}\r\n" + a_table(ACCOUNT, delimiter=mark)

    assert 1 == len(read(tmp_path, accounts=table).accounts)


def test_titles_above_the_headings_are_told_with_the_row_of_the_headings(tmp_path):
    table = "City of Larkspur\nAccounts as of 10/31/2026\n\n" + a_table(ACCOUNT)

    with pytest.raises(Misuse, match=r"accounts.csv row 1 .* row 4 looks like the headings"):
        read(tmp_path, accounts=table)


def test_headings_that_are_missing_are_told(tmp_path):
    rows = a_table(ACCOUNT, ACCOUNT).splitlines(keepends=True)[1:]

    with pytest.raises(Misuse, match=r"headings of accounts.csv are missing: row 1 looks like"):
        read(tmp_path, accounts="".join(rows))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"date": "31.10.2026"}, 'row 2, column date: "31.10.2026" is not a date'),
        ({"type": "CHG"}, 'row 2, column type: "CHG" is not one of billing'),
    ],
)
def test_rows_that_all_fail_in_one_way_are_one_sentence(tmp_path, change, told):
    movements = a_table(*[MOVEMENT | {"amount": f"{n}.00"} | change for n in range(1, 301)])
    problems: list = []

    list(read(tmp_path, transactions=movements).movements(problems.append))

    assert [("unreadable-row", 2)] == [(problem.code, problem.row) for problem in problems]
    assert f"all 300 rows of transactions.csv fail in one way; {told}" in problems[0].message


def test_rows_that_fail_among_good_ones_are_told_one_by_one(tmp_path):
    bad = [MOVEMENT | {"date": "31.10.2026"}] * 5

    problems: list = []
    list(read(tmp_path, transactions=a_table(MOVEMENT, *bad)).movements(problems.append))

    assert [3, 4, 5, 6, 7] == [problem.row for problem in problems]


def test_their_values_are_taken_as_bundle_toml_says(tmp_path):
    bundle = (
        MANIFEST
        + """
[values.accounts.status]
A = "active"
"F " = "final"
[values.accounts.ebill]
E = true
[values.accounts.equal_pay_amount]
"n/a" = ""
[values.transactions.type]
CHG = "billing"
"""
    )
    accounts = a_table(
        ACCOUNT | {"status": "a", "ebill": "E", "equal_pay_amount": "N/A"},
        ACCOUNT | {"account_number": "2", "status": "F"},
        ACCOUNT | {"account_number": "3", "status": "closed"},
    )

    export = read(
        tmp_path, bundle=bundle, accounts=accounts, transactions=a_table(MOVEMENT | {"type": "chg"})
    )

    assert () == export.problems
    assert ["active", "final", "closed"] == [account.status for account in export.accounts]
    assert (True, None) == (export.accounts[0].ebill, export.accounts[0].equal_pay_amount)
    assert ["billing"] == [kind for some in export.movements([].append) for kind in some.kind]


@pytest.mark.parametrize("char", "\u061c\u200e\u200f\u202a\u202e\u2066\u2069")
@pytest.mark.parametrize("column", ["name", "last_name", "service_address", "email"])
def test_a_character_that_turns_the_writing_is_refused(tmp_path, column, char):
    problems = read(tmp_path, accounts=a_table(ACCOUNT | {column: f"Ann{char} Olsen"})).problems

    assert ["unreadable-row"] == [problem.code for problem in problems]
    assert f"turns the direction of writing (U+{ord(char):04X})" in problems[0].message
    assert char not in problems[0].message


@pytest.mark.parametrize("mark", "|^~")
def test_a_separator_that_is_none_of_ours_is_named(tmp_path, mark):
    table = a_table(ACCOUNT).replace(",", mark)

    with pytest.raises(Misuse, match=re.escape(f"{mark} seems to stand between its columns")):
        read(tmp_path, accounts=table)


@pytest.mark.parametrize("number", ["1.03E+09", "1E+12", "1,03e+09"])
def test_an_account_number_that_a_spreadsheet_shortened_is_refused(tmp_path, number):
    problems = read(tmp_path, accounts=a_table(ACCOUNT | {"account_number": number})).problems

    assert ["unreadable-row"] == [problem.code for problem in problems]
    assert "its last digits are lost" in problems[0].message


def test_a_zip_may_hold_other_files_beside_the_folder(tmp_path):
    archive = tmp_path / "october.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("readme.txt", "by the vendor")
        for name, content in export_files().items():
            made.writestr(f"export/2026-10/{name}", content)

    export = EmbeddedBillingSystem().read_export(archive)

    assert read(tmp_path).sha256 == export.sha256
    assert ["readme.txt"] == named(export, NoteKind.UNUSED_FILE)


def test_a_zip_with_two_exports_is_refused(tmp_path):
    archive = tmp_path / "both.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("a/bundle.toml", MANIFEST)
        made.writestr("b/bundle.toml", MANIFEST)

    with pytest.raises(Misuse, match="several exports"):
        EmbeddedBillingSystem().read_export(archive)


def test_a_folder_around_the_export_is_told(tmp_path):
    write_export(tmp_path / "all" / "october")

    with pytest.raises(Misuse, match="october/ within it does: give "):
        EmbeddedBillingSystem().read_export(tmp_path / "all")
