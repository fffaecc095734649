"""Files of the feed: what is read, and what is refused as a whole."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from billing_system.feed.reading import parse_heading, read_feed_file
from domain.failures import Misuse, Refused
from domain.feeds import ChangeField, FeedKind
from tests.billing_system.feed.builders import (
    A_PAYMENT,
    MOVEMENT_HEADINGS,
    a_movement,
    write_feed,
    write_table,
    zipped,
)


def test_a_movement_is_read_with_all_that_it_says(tmp_path):
    headings = (*MOVEMENT_HEADINGS, "service", "description", "posted_at", "in_balance_due")
    row = ("M9", "01-1037-1", "11/10/2026", "Fee", "($7.77)", "R 1", "WATER", "turn-on",
           "2026-11-10 16:05", "no")  # fmt: skip

    read = read_feed_file(write_feed(tmp_path / "in", row, headings=headings))

    assert (
        a_movement(
            "M9", "-7.77",
            account="01-1037-1", kind=FeedKind.FEE, reference="R 1", service="WATER",
            description="turn-on", posted_at=datetime(2026, 11, 10, 16, 5), in_balance_due=False,
        ),
    ) == read.movements  # fmt: skip
    assert ("0110371", date(2026, 11, 10)) == (
        read.movements[0].key,
        read.movements[0].happened_on,
    )


@pytest.mark.parametrize("top", ["", "2026-11-30/"], ids=["flat", "below a folder"])
def test_a_folder_and_its_zip_are_one_file_of_the_feed(tmp_path, top):
    folder = write_feed(tmp_path / "in", A_PAYMENT, heading="sequence = 7\n")

    one, other = read_feed_file(folder), read_feed_file(zipped(folder, top))

    assert (one.sha256, one.movements, 7) == (other.sha256, other.movements, other.sequence)


def test_a_single_table_is_a_file_of_the_feed(tmp_path):
    movements = write_table(tmp_path / "movements-0930.csv", [MOVEMENT_HEADINGS, A_PAYMENT])
    changes = write_table(
        tmp_path / "today.csv", [("account_number", "phone"), ("01.1037.1", "555-0100")]
    )

    assert (a_movement(),) == read_feed_file(movements).movements
    assert {ChangeField.PHONE: "555-0100"} == read_feed_file(changes).changes[0].values


def test_an_empty_cell_is_no_change_and_a_dash_empties(tmp_path):
    changes = [
        ("account_number", "email", "phone", "block_ach", "ebill", "status"),
        ("01.1037.1", "-", "", "Y", "-", "closed"),
    ]

    read = read_feed_file(write_feed(tmp_path / "in", changes=changes))

    assert {
        ChangeField.EMAIL: "",
        ChangeField.EBILL: "no",
        ChangeField.STATUS: "closed",
        ChangeField.BLOCK_ACH: "yes",
    } == read.changes[0].values


def test_a_quiet_day_is_a_feed_toml_alone(tmp_path):
    heading = (
        'utility = "City of Larkspur"\nsequence = 8\nwritten_at = 2026-11-30T17:00:00\n'
        'movements = 0\namount = "0.00"\n'
    )

    read = read_feed_file(write_feed(tmp_path / "in", heading=heading))

    assert ("City of Larkspur", 8, datetime(2026, 11, 30, 17), ()) == (
        read.utility, read.sequence, read.written_at, read.movements,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (("M1", "01.1037.1", "2026-11-10", "payment", "", ""), "is empty"),
        (("M1", "01.1037.1", "2026-11-10", "payment", "0.00", ""), "is zero"),
        (("", "01.1037.1", "2026-11-10", "payment", "-40.00", ""), "is empty"),
        (("M1", "01.1037.1", "2026-11-31", "payment", "-40.00", ""), "is not a date"),
        (("M1", "01.1037.1", "2026-11-10", "billing", "40.00", ""), "is not one of payment"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_and_the_others_are_taken(tmp_path, row, what):
    other = ("M2", *A_PAYMENT[1:])

    read = read_feed_file(write_feed(tmp_path / "in", row, other))

    assert ["M2"] == [one.movement_id for one in read.movements]
    assert 1 == len(read.problems)
    assert "movements.csv row 2" in read.problems[0].message and what in read.problems[0].message


def test_a_movement_twice_in_a_file_is_one_and_one_that_contradicts_itself_is_named(tmp_path):
    other = ("M1", "01.1037.1", "2026-11-10", "payment", "-50.00", "")

    read = read_feed_file(write_feed(tmp_path / "in", A_PAYMENT, A_PAYMENT, other))

    assert ((a_movement(),), 1) == (read.movements, len(read.problems))
    assert "row 4" in read.problems[0].message


def test_what_looks_like_a_card_number_is_not_kept(tmp_path):
    row = ("M1", "01.1037.1", "2026-11-10", "payment", "-40.00", "4111 1111 1111 1111")

    read = read_feed_file(write_feed(tmp_path / "in", row))

    assert "sensitive-data" == read.problems[0].code
    assert "4111" not in repr(read)


@pytest.mark.parametrize(
    ("heading", "what"),
    [
        ("movements = 2\n", "holds 1 movements and feed.toml says 2"),
        ('amount = "-41.00"\n', "adds up to -40.00 and feed.toml says -41.00"),
        ("writtenat = 2026-11-30T17:00:00\n", 'did you mean "written_at"'),
        ("written_at = 2026-11-30T17:00:00Z\n", "without a zone"),
        ("sequence = -1\n", "whole number"),
        ("sequence = \n", "not valid TOML"),
    ],
)
def test_a_file_that_was_not_written_whole_or_says_nonsense_is_refused(tmp_path, heading, what):
    with pytest.raises(Misuse, match=what):
        read_feed_file(write_feed(tmp_path / "in", A_PAYMENT, heading=heading))


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["movement.csv"], "did you mean movements.csv"),
        (["movments.csv"], "did you mean movements.csv"),
        (["change.csv"], "did you mean changes.csv"),
        (["bundle.toml", "movements.csv"], "billing export"),
        (["notes.txt"], "holds notes.txt; a feed is"),
        ([], "holds nothing"),
    ],
)
def test_a_folder_that_is_no_feed_is_refused_with_what_was_meant(tmp_path, names, what):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in names:
        write_table(folder / name, [MOVEMENT_HEADINGS, A_PAYMENT])

    with pytest.raises(Misuse, match=what):
        read_feed_file(folder)


def test_a_utility_is_named_as_a_text_or_as_in_an_export():
    assert ["Larkspur", "Larkspur", ""] == [
        parse_heading(text)[0]
        for text in (b'utility = "Larkspur"', b'[utility]\nname = "Larkspur"', b"")
    ]


def test_rows_that_all_fail_in_one_way_are_sent_to_no_bundle_toml_either(tmp_path):
    day = MOVEMENT_HEADINGS.index("date")
    row = [*A_PAYMENT]
    row[day] = "31.10.2026"

    file = read_feed_file(write_feed(tmp_path / "in", row, row, row))

    (problem,) = file.problems
    assert "all 3 rows of movements.csv fail in one way; row 2, column date" in problem.message
    assert "bundle.toml" not in problem.message


@pytest.mark.parametrize("encoding", ["utf-16", "mac-roman", "cp850"])
def test_a_file_in_another_encoding_is_sent_to_no_bundle_toml_either(tmp_path, encoding):
    folder = write_feed(tmp_path / "in", [*A_PAYMENT[:-1], "Señor Muñoz, Peña é"])
    file = folder / "movements.csv"
    file.write_bytes(file.read_text("utf-8").encode(encoding))

    with pytest.raises(Refused) as refused:
        read_feed_file(folder)

    assert "wrong-encoding" == refused.value.code
    assert "bundle.toml" not in refused.value.message


@pytest.mark.parametrize(
    ("theirs", "what"),
    [("account", "Let whoever writes the file name it so."), ("services", "Rename it.")],
)
def test_a_heading_of_another_name_is_not_sent_to_a_bundle_toml_that_a_feed_has_not(
    tmp_path, theirs, what
):
    ours = {"account": "account_number"}.get(theirs)
    headings = [theirs if name == ours else name for name in MOVEMENT_HEADINGS]
    row = [*A_PAYMENT]
    if ours is None:
        headings, row = [*headings, theirs], [*row, "WATER"]

    with pytest.raises(Misuse) as refused:
        read_feed_file(write_feed(tmp_path / "in", row, headings=headings))

    assert (True, False) == (
        refused.value.message.endswith(what), "bundle.toml" in refused.value.message
    )  # fmt: skip
