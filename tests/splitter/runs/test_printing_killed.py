"""A print file that is killed on its way out is written once, the very same (ruling 18)."""

from __future__ import annotations

import signal

import pytest
import sqlalchemy as sa

from database.tables import outsorted_bill, paper, print_batch, print_plan, print_plan_bill
from domain.accounts import account_key
from tests.builders import RUN, a_hold
from tests.splitter.runs.printing_town import (
    ACCOUNTS,
    come_back,
    files,
    print_and_die,
    print_part,
    rows,
    stage_town,
)

LISTS = (paper, print_batch, print_plan, print_plan_bill)
# Planned; two files and their lists opened; what they are; each renamed; written down.
MOMENTS = {"planned": 1, "opened": 4, "made": 1, "renamed": 4, "written": 1}
ALL = sum(MOMENTS.values())
OUT = ALL - MOMENTS["written"] - 1  # right before the last PDF gets its name: the first one has it
# Of each kind of moment the first: another file of the same kind is another like it.
OF_EACH_KIND = tuple(1 + sum(list(MOMENTS.values())[:kind]) for kind in range(len(MOMENTS)))
WAIT = {"first": (), "next": (ACCOUNTS[2], ACCOUNTS[5])}


@pytest.fixture
def town(database, tmp_path):
    stage_town(database, tmp_path)
    return tmp_path


@pytest.fixture(params=["first", "next"])
def part(request, database, town):
    """Which part is printed; before the next one the close's own is."""
    if request.param == "next":
        print_part(database, town, "first")
        come_back(database, *WAIT["next"])
    return request.param


def kills(*parts_in_every_run, moments=OF_EACH_KIND):
    """Return each part with each moment; what is not of every run is for a release."""
    return [
        pytest.param(part, moment, marks=() if is_daily else pytest.mark.release)
        for part in ("first", "next")
        for moment in range(1, ALL + 1)
        for is_daily in [part in parts_in_every_run and moment in moments]
    ]


@pytest.fixture
def undisturbed(database, town, part, tmp_path_factory):
    """The files that nobody disturbed, from the same books in another folder; then nothing is."""
    other = tmp_path_factory.mktemp("undisturbed")
    (other / "exports").symlink_to(town / "exports")
    before = rows(database, *LISTS)
    print_part(database, other, part)
    after = rows(database, *LISTS)
    with database.writing() as books:
        for table in (print_plan, paper, print_batch):
            books.execute(table.delete())
        for table, kept in zip(LISTS, before, strict=True):
            if kept:
                names = [column.name for column in table.columns]
                books.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in kept])
    earlier = files(town)
    return {**earlier, **files(other)}, after


def test_an_undisturbed_run_has_just_these_moments(database, town, part):
    assert ALL == print_and_die(database, town, part, 0)


@pytest.mark.parametrize(("part", "moment"), kills("first", "next"), indirect=["part"])
def test_killed_at_any_moment_and_run_again_it_is_written_once(
    database, town, part, undisturbed, moment
):
    assert -signal.SIGKILL == print_and_die(database, town, part, moment)
    if moment <= OUT - MOMENTS["renamed"] + 1:
        assert not [name for name in new_files(town, part) if not name.startswith(".new-")]

    again = print_part(database, town, part)

    assert (undisturbed, ()) == ((files(town), rows(database, *LISTS)), again.faults)
    assert print_part(database, town, "first").files
    assert undisturbed == (files(town), rows(database, *LISTS))


def new_files(town, part):
    folder = "part-2/" if part == "next" else ""
    return [
        name.rpartition("/")[2]
        for name in files(town)
        if name.startswith(f"{RUN}/{folder}") and ("part-2/" in name) == (part == "next")
    ]


@pytest.mark.parametrize(("part", "moment"), kills("next"), indirect=["part"])
def test_killed_twice_at_the_same_moment_it_is_written_once(
    database, town, part, undisturbed, moment
):
    for _ in range(2):
        print_and_die(database, town, part, moment)

    print_part(database, town, part)

    assert undisturbed == (files(town), rows(database, *LISTS))


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(moment, marks=() if moment in (*OF_EACH_KIND, OUT) else pytest.mark.release)
        for moment in range(1, ALL + 1)
    ],
)
def test_what_is_held_back_after_a_kill_is_printed_only_where_it_was_out(database, town, moment):
    print_and_die(database, town, "first", moment)
    held = ACCOUNTS[0]
    out = f"{RUN}/utility-bill-0.pdf" in files(town)
    with database.writing() as books:
        hold = a_hold("", period=RUN, account_key=account_key(held), account=held)
        books.execute(outsorted_bill.insert(), [hold])

    print_part(database, town, "first")

    with database.reading() as books:
        printed = set(books.scalars(sa.select(paper.c.account)))
    assert ({ACCOUNTS[1], ACCOUNTS[3], ACCOUNTS[4]} | ({held} if out else set())) == printed
    listed = files(town)[f"{RUN}/utility-bill-0.csv"].decode()
    assert out == (held in listed)
    assert not [name for name in files(town) if ".new-" in name]
    assert [[], []] == rows(database, print_plan, print_plan_bill)


def test_a_bill_that_comes_back_after_a_kill_goes_with_the_next_part(database, town):
    print_and_die(database, town, "first", ALL)
    come_back(database, ACCOUNTS[2])

    first = print_part(database, town, "first")
    following = print_part(database, town, "next")

    assert (4, 2, 1) == (first.bills, following.number, following.bills)
    assert [f"print/{RUN}/part-2/utility-bill-0.pdf"] == list(following.files)


def test_a_part_that_was_half_out_is_ended_before_another_begins(database, town):
    print_part(database, town, "first")
    come_back(database, ACCOUNTS[2], ACCOUNTS[5])
    print_and_die(database, town, "next", OUT)  # one of two files is out
    come_back_again(database, ACCOUNTS[1])

    ended = print_part(database, town, "next")
    following = print_part(database, town, "next")

    assert (2, 2) == (ended.number, ended.bills)
    assert (3, 1) == (following.number, following.bills)


def come_back_again(database, number):
    with database.writing() as books:
        books.execute(paper.delete().where(paper.c.account == number))
    come_back(database, number)


@pytest.mark.parametrize("end", ["pdf", "csv"])
@pytest.mark.parametrize("change", ["missing", "changed"])
def test_a_file_that_somebody_changed_or_took_is_told(database, town, end, change):
    print_part(database, town, "first")
    place = town / "print" / RUN / f"final-bill-1.{end}"
    if change == "missing":
        place.unlink()
    else:
        place.write_bytes(place.read_bytes() + b" ")

    (fault,) = print_part(database, town, "first").faults

    assert (f"print/{RUN}/final-bill-1.{end}", change) == (fault.file, fault.what)
    assert fault == print_part(database, town, "next").faults[0]
    with database.writing() as books:
        books.execute(print_batch.update().values(fetched_by="ben", fetched_at=sa.func.now()))
    assert () == print_part(database, town, "first").faults


def test_a_file_that_somebody_put_in_the_way_is_replaced_and_told(database, town):
    print_and_die(database, town, "first", OUT)
    place = town / "print" / RUN / "final-bill-1.pdf"
    place.write_bytes(b"%PDF of somebody")

    part = print_part(database, town, "first")

    assert [(f"print/{RUN}/final-bill-1.pdf", "replaced")] == [
        (fault.file, fault.what) for fault in part.faults
    ]
    assert place.read_bytes().startswith(b"%PDF-1")
    assert () == print_part(database, town, "first").faults


def test_a_key_is_made_of_what_is_in_the_file(database, town):
    part = print_part(database, town, "first", duplex=True)
    keys = keys_of(database)
    with database.writing() as books:
        books.execute(print_batch.delete())
        books.execute(paper.delete())

    assert part.files
    print_part(database, town, "first", duplex=True)
    assert keys == keys_of(database)
    with database.writing() as books:
        books.execute(print_batch.delete())
        books.execute(paper.delete())
    print_part(database, town, "first")
    assert not set(keys) & set(keys_of(database))
    assert all(key.startswith(f"print/{RUN}/close/") for key in keys)


def keys_of(database):
    with database.reading() as books:
        return sorted(books.scalars(sa.select(print_batch.c.key)))
