"""E-mail addresses of customer records.

Rule 22, ruling 7.
"""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.mail.written_addresses import (
    FAULT_LENGTH,
    LONGEST_LOCAL,
    _validate,
    check_address,
    split_addresses,
)
from tests.release import so_many


def test_addresses_are_split_trimmed_and_taken_once():
    field = " a@example.com;b@example.com ; A@Example.com;;, c@example.com d@example.com;"

    assert [written.address for written in split_addresses(field)] == [
        "a@example.com",
        "b@example.com",
        "c@example.com",
        "d@example.com",
    ]


@pytest.mark.parametrize(
    "mistyped",
    [
        "john smith@example.com",
        "john,smith@example.com",
        "smith@example.co m",
        "john\tsmith@example.com,jo@example.com",
        "Smith, John smith@example.com",
        "smith@example.com (home)",
    ],
)
def test_part_of_a_mistyped_address_is_no_address(mistyped):
    found = split_addresses(f"a@example.com; {mistyped}")

    assert ["a@example.com"] == [one.address for one in found if one.fault is None]
    assert 2 == len(found)


@pytest.mark.parametrize("field", ["", "  ", ";", " ; , "])
def test_nothing_is_no_address(field):
    assert split_addresses(field) == []


@pytest.mark.parametrize(
    "written",
    [
        "kaya.eriksen0@example.com",
        "PRIYA.ODELL8@EXAMPLE.COM",
        "a@city.test",
        "a@larkspur.example",
        "o'brien@example.com",
        "a+bills@mail.example.co.uk",
    ],
)
def test_an_ordinary_address_has_no_fault(written):
    found = check_address(written)

    assert (written.casefold(), None) == (found.address.casefold(), found.fault)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("nobody103.example.com", "@-sign"),
        ("broken3@@example", "@-sign"),
        ("a@", "after the @-sign"),
        ("@example.com", "before the @-sign"),
        ("a..b@example.com", "period"),
        ("a@example", "period"),
        ("straße@example.com", "Letters before the @-sign"),  # folds into "ss"
        (f"{'ë' * 33}@example.com", "Letters before the @-sign"),  # 66 octets
        ("a@server.local", "special-use"),
        (f"{'a' * 65}@example.com", "too long"),
        ("<a@example.com>", ""),
    ],
)
def test_a_wrong_address_has_its_reason(written, reason):
    found = check_address(written)

    assert written == found.address
    assert found.fault is not None
    assert reason in found.fault
    assert len(found.fault) <= FAULT_LENGTH


@pytest.mark.parametrize("written", ["zoë@example.com", "ZOË@example.com", "zoe\u0308@example.com"])
def test_other_letters_before_the_at_sign_are_kept_in_one_way_of_writing(written):
    found = check_address(written)

    assert (found.address.lower(), found.fault) == ("zoë@example.com", None)
    assert found.address.rpartition("@")[0] == "zoë"


def test_a_mailbox_written_in_two_ways_is_one():
    field = "zoe\u0308@bücher.example;ZOË@xn--bcher-kva.example"

    assert ["zoë@xn--bcher-kva.example"] == [one.address for one in split_addresses(field)]


def test_an_international_domain_is_given_in_ascii():
    found = check_address("info@bücher.example")

    assert (found.address, found.fault) == ("info@xn--bcher-kva.example", None)


@settings(max_examples=so_many(60, release=500))
@given(st.from_regex(r"[a-zA-Z0-9._+-]{1,40}@[a-zA-Z0-9.-]{1,40}", fullmatch=True))
def test_the_short_cut_and_the_validator_agree(written):
    try:
        validate_email(
            written,
            check_deliverability=False,
            strict=True,
            allow_smtputf8=False,
            test_environment=True,
        )
        is_valid = True
    except EmailNotValidError:
        is_valid = False

    assert is_valid == (check_address(written).fault is None)


@pytest.mark.parametrize(
    "domain", ["in-addr.arpa", "x.invalid", "x.local", "x.localhost", "x.onion"]
)
def test_a_domain_that_reaches_nobodys_mailbox_is_none(domain):
    assert "special-use" in (check_address(f"a@{domain}").fault or "")


@pytest.mark.parametrize("written", ["o'brien@city.test", "O'Brien@city.test"])
def test_an_address_is_kept_as_it_is_written_and_nothing_is_asked_of_the_network(
    written, monkeypatch
):
    monkeypatch.setattr(
        "email_validator.deliverability.validate_email_deliverability",
        lambda *_args, **_options: pytest.fail("asked the network"),
    )
    _validate.cache_clear()

    assert (written, None) == (check_address(written).address, check_address(written).fault)


def test_letters_before_the_at_sign_may_take_64_octets_and_a_fault_is_told_in_200_letters():
    longest = "ë" * 32 + "@example.com"

    assert None is check_address(longest).fault
    assert (64, 200) == (LONGEST_LOCAL, FAULT_LENGTH)
    assert "Letters before the @-sign that mail servers may not take." == (
        check_address("straße@example.com").fault
    )
