"""Names that are nearly ours, and names that are not."""

from __future__ import annotations

import pytest

from billing_system.export.columns import AUTOPAY, TABLES
from billing_system.export.names import SYNONYMS, distance, nearest, plain
from billing_system.feed.columns import MOVEMENTS
from billing_system.feed.columns import TABLES as FEED

COLUMNS = sorted({column.name for table in TABLES for column in table.columns})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("max_amount", "maximum", id="a synonym"),
        pytest.param("MAXIMUM ", "maximum", id="capitals"),
        pytest.param("Max. Payment", "maximum", id="a synonym with marks"),
        pytest.param("maximums", "maximum", id="plural"),
        pytest.param("maxinum", "maximum", id="another letter"),
        pytest.param("maixmum", "maximum", id="two letters swapped"),
        pytest.param("days-prior", "days_prior", id="a hyphen"),
        pytest.param("DaysPrior", "days_prior", id="grown together"),
        pytest.param("portal user id", "portal_user", id="a word that says nothing"),
        pytest.param("days", None, id="another column"),
        pytest.param("note", None, id="a stranger"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_heading_of_autopay_means(written, meant):
    names = [column.name for column in AUTOPAY.columns]

    assert meant == nearest(written, names)


OTHER_WORDS = {
    "maximum": "maximum_draw max_debit draw_limit payment_cap ceiling MaxAmt max.draw.amount($) "
    "autopay-limit maximumPaymentAmt not_to_exceed",
    "portal_user": "portal_login web_user portal_user_email portal_username",
    "email": "contact_email primary-email BillingEmail email_list",
    "phone": "home_phone PrimaryPhone daytime-phone tel_no",
    "equal_pay_amount": "equal_payment_amount EqualPayAmt budget_amt monthly_budget "
    "levelized_amount "
    "level_pay_amount budget_plan_amount",
    "cosigner_id": "co-signer_number guarantor",
    "district": "zone Service_Zone service-area zone_code district_name districts sector",
    "deposit_held": "security_deposit_held deposit_on_hand",
    "reference": "ref_number confirmation_no receipt_id payment_reference",
    "usage": "qty units_used usage_qty",
    "previous_read": "prior_reading read_previous begin_read",
    "current_read": "curr_read present_meter_reading",
    "rate_code": "rate_schedule tariff_code",
    "autopay": "autopay_list export_autopay autopay_2026-10 bank_drafts",
    "payment_methods": "cards saved_payment_methods pay_methods",
    "portal_links": "user_links",
    "cosigners": "guarantors",
}
STRANGERS = {
    "accounts": "route book ward notes budget_flag credit_limit payment_plan max_usage "
    "owner_phone_type pressure_zone rate_zone time_zone floor_area "
    " email_opt_in email_status autopay_flag last_payment past_due_amount deposit_date",
    "transactions": "rate rate_amount batch unit_price previous_balance current_charges meter_size "
    "cashier running_balance days_late",
    "autopay": "last_draw max_retries frequency bank_name created_by",
    "payment_methods": "expires brand holder zip",
}


@pytest.mark.parametrize(
    ("meant", "written"),
    [(name, word) for name, words in OTHER_WORDS.items() for word in words.split()],
)
def test_what_others_call_it_is_known_again(meant, written):
    names = next(
        names
        for names in (
            [table.name for table in TABLES],
            *([c.name for c in t.columns] for t in TABLES),
        )
        if meant in names
    )

    assert meant == nearest(written, names)


@pytest.mark.parametrize(
    ("meant", "written"),
    [
        ("in_balance_due", "in_balance"),
        ("in_balance_due", "Include in Balance Due"),
        ("in_balance_due", "included_in_balance"),
        ("in_balance_due", "in_balance_due_flag"),
        ("posted_at", "posted_timestamp"),
        ("posted_at", "posted at"),
        ("reference", "confirmation_no"),
        (None, "running_balance"),
        (None, "balance_after"),
    ],
)
def test_what_others_call_a_column_of_the_feed_is_known_again(meant, written):
    optional = [column.name for column in MOVEMENTS.columns if column.optional]

    assert meant == nearest(written, optional)


@pytest.mark.parametrize(("table", "words"), STRANGERS.items(), ids=STRANGERS)
def test_what_billing_systems_have_besides_is_taken_for_nothing_of_ours(table, words):
    (ours,) = [one for one in TABLES if one.name == table]
    optional = [column.name for column in ours.columns if column.optional]

    assert [] == [word for word in words.split() if nearest(word, optional)]


def test_no_name_of_four_letters_is_taken_for_another():
    assert [None, None] == [nearest("rate", ["date"]), nearest("lame", ["name"])]


@pytest.mark.parametrize("name", COLUMNS)
def test_each_column_is_found_by_its_own_name_in_the_plural_and_in_capitals(name):
    assert name == nearest(f"{name}s", COLUMNS)
    assert name == nearest(name.upper().replace("_", " "), COLUMNS)


def test_every_column_that_others_name_has_words_that_they_call_it():
    ours = {column.name for table in FEED for column in table.columns} | set(COLUMNS)

    assert {"id", "reason"} == ours - set(SYNONYMS)  # of what is written for our feed alone


def test_synonyms_are_written_as_they_are_compared():
    words = {word for synonyms in SYNONYMS.values() for word in synonyms}

    assert words == set(map(plain, words))


@pytest.mark.parametrize(
    ("one", "other", "letters"),
    [("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("kitten", "sitting", 3)],
)
def test_letters_that_two_names_differ_by_are_counted(one, other, letters):
    assert letters == distance(one, other) == distance(other, one)
