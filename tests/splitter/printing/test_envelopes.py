"""Bills in envelopes: who shares one, in which order, and what it weighs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitter.bulk_file.filing import FiledBill
from splitter.printing.envelopes import PaperBill, envelopes_of, post_order, zip_parts
from splitter.printing.terms import EnvelopeSharing, PrintTerms

HOME = ("12 Oak Street", "Larkspur", "CO")


def a_paper(account="01.1037.1", zip="80301", *, pages=1, name="Ann Abbott", address=HOME):
    bill = FiledBill(account, 1, "utility-bill", pages, 0, None, None, "", "", 0)
    return PaperBill(bill, zip, 0, name, address)


def accounts_of(papers, household):
    envelopes = envelopes_of(papers, PrintTerms(household=EnvelopeSharing(household)))
    return [[paper.bill.account for paper in one.bills] for one in envelopes]


@pytest.mark.parametrize(
    ("household", "expected"),
    [
        ("none", [["1"], ["2"], ["3"]]),
        ("person", [["1", "3"], ["2"]]),
        ("address", [["1", "2", "3"]]),
    ],
)
def test_a_household_is_who_the_office_says(household, expected):
    papers = [a_paper("1"), a_paper("2", name="Ben Baker"), a_paper("3")]

    assert expected == accounts_of(papers, household)


@pytest.mark.parametrize(
    "address",
    [
        ("12 OAK ST.", "Larkspur", "CO"),
        ("12  oak street", "LARKSPUR", "co"),
        ("12 Oak St,", "Larkspur ", "CO"),
    ],
)
def test_an_address_is_the_same_however_it_is_spelled(address):
    assert [["1", "2"]] == accounts_of([a_paper("1"), a_paper("2", address=address)], "address")


@pytest.mark.parametrize(
    "other",
    [
        {"address": ("12 Oak Street Apt 4", "Larkspur", "CO")},
        {"address": ("1 2 Oak Street", "Larkspur", "CO")},
        {"address": ("12 Oak Street #4", "Larkspur", "CO")},
        {"address": ("12 Oak Avenue", "Larkspur", "CO")},
        {"address": ("12 Oak Street", "Larkspur", "UT")},
        {"zip": "80302"},
        {"zip": "80301-1234"},
    ],
    ids=str,
)
def test_in_doubt_there_are_two_envelopes(other):
    assert [["1"], ["2"]] == accounts_of([a_paper("1"), a_paper("2", **other)], "address")


@pytest.mark.parametrize(
    "unknown", [{"address": ("", "Larkspur", "CO")}, {"zip": ""}, {"zip": "80"}, {"address": ()}]
)
def test_who_has_no_address_shares_no_envelope(unknown):
    papers = [a_paper("1", **unknown), a_paper("2", **unknown)]

    assert [["1"], ["2"]] == accounts_of(papers, "address")


def test_without_a_name_nobody_is_the_same_person():
    assert [["1"], ["2"]] == accounts_of([a_paper("1", name=" "), a_paper("2", name="")], "person")


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("80301", ("80301", "")),
        ("80301-1234", ("80301", "1234")),
        ("803011234", ("80301", "1234")),
        (" 80301 - 1234 ", ("80301", "1234")),
        ("8030", ("", "")),
        ("K1A 0B1", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_zip_code_has_two_parts(written, parts):
    assert parts == zip_parts(written)


@pytest.mark.parametrize(
    ("pages", "duplex", "sheets", "ounces", "kind"),
    [(1, False, 1, 1, "letter"), (5, False, 5, 1, "letter"), (6, False, 6, 2, "flat"),
     (6, True, 3, 1, "letter"), (11, True, 6, 2, "flat")],
)  # fmt: skip
def test_weight_and_kind_come_from_the_sheets(pages, duplex, sheets, ounces, kind):
    terms = PrintTerms(
        duplex=duplex, sheet_ounces=Decimal("0.16"), envelope_ounces=Decimal("0.20"),
        flats_beyond=5,
    )  # fmt: skip

    (envelope,) = envelopes_of([a_paper(pages=pages)], terms)

    told = (envelope.sheets, envelope.ounces(terms), envelope.kind(terms))
    assert (sheets, ounces, kind) == told


PAPERS = st.lists(
    st.builds(
        a_paper,
        st.from_regex(r"[0-9]{4}", fullmatch=True),
        st.sampled_from(["80301", "80301-1234", "80302", ""]),
        pages=st.integers(1, 9),
        name=st.sampled_from(["Ann", "Ben", ""]),
        address=st.sampled_from([HOME, ("", "", ""), ("9 Elm", "Larkspur", "CO")]),
    ),
    unique_by=lambda paper: paper.bill.account,
)


@given(PAPERS, st.sampled_from(EnvelopeSharing), st.booleans())
def test_every_bill_lies_in_one_envelope_and_no_stranger_with_it(papers, household, duplex):
    terms = PrintTerms(household=household, duplex=duplex)

    envelopes = envelopes_of(papers, terms)

    assert list(range(1, len(envelopes) + 1)) == [one.number for one in envelopes]
    firsts = [post_order(one.bills[0]) for one in envelopes]
    assert sorted(firsts) == firsts
    assert sorted(map(post_order, papers)) == sorted(
        post_order(paper) for one in envelopes for paper in one.bills
    )
    for one in envelopes:
        assert 1 == len({(paper.address, paper.zip) for paper in one.bills})
        if household is not EnvelopeSharing.ADDRESS:
            assert 1 == len({paper.name for paper in one.bills})
        if household is EnvelopeSharing.NONE:
            assert 1 == len(one.bills)
        assert one.sheets == sum(terms.sheets_of(paper.bill.pages) for paper in one.bills)
    assert envelopes == envelopes_of(papers[::-1], terms)
