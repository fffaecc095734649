"""When a password is good enough, a name is the one on file, and a path is our own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.portal_access import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    TOO_LONG,
    TOO_SHORT,
    TRIED_FIRST,
    NameMatching,
    find_password_fault,
    fold,
    is_last_name,
    own_path,
)

FOLDED, EXACT = NameMatching


@pytest.mark.parametrize(
    ("said", "last_name", "name"),
    [
        ("larkin", "Larkin", "Ann Larkin"),
        ("O’dell", "O'Dell", "Pat O'Dell"),
        ("GARCIA LOPEZ", "García-López", "Ana García-López"),
        ("Garcia Lopez, Jr.", "García-López", "Ana García-López"),
        ("Müller", "Mu\u0308ller", "Jo Müller"),
        ("smith", "Smith, Jr.", "Al Smith, Jr."),
        ("nguyen", "Nguyễn", "Lan Nguyễn"),
        ("acme", "ACME PLUMBING LLC", "ACME PLUMBING LLC"),
        ("Acme Plumbing LLC", "ACME PLUMBING LLC", "ACME PLUMBING LLC"),
        ("  Larkin  ", "Larkin", "Ann Larkin"),
    ],
)
def test_rule_125_a_last_name_is_known_however_it_is_written(said, last_name, name):
    assert is_last_name(said, last_name, name, FOLDED)


@pytest.mark.parametrize(
    ("said", "last_name", "name"),
    [
        ("Larki", "Larkin", "Ann Larkin"),
        ("Ann", "Larkin", "Ann Larkin"),
        ("", "Larkin", "Ann Larkin"),
        ("Jr.", "Smith, Jr.", "Al Smith, Jr."),
        ("", "", ""),
        ("-", "", ""),
        ("x", "", ""),
        ("XXXX", "", ""),
        ("PLUMBING", "ACME PLUMBING LLC", "ACME PLUMBING LLC"),
    ],
)
def test_what_is_not_the_last_name_opens_nothing(said, last_name, name):
    assert not is_last_name(said, last_name, name, FOLDED)


def test_ruling_24_an_office_may_want_the_name_exactly():
    assert is_last_name("LARKIN", "Larkin", "Ann Larkin", EXACT)
    assert not is_last_name("Garcia", "García", "Ana García", EXACT)
    assert is_last_name("van  der Berg", "Van der Berg", "Jan Van der Berg", EXACT)
    assert not is_last_name("vanderberg", "Van der Berg", "Jan Van der Berg", EXACT)


@given(st.text(max_size=30))
def test_folding_again_changes_nothing(name):
    assert fold(name) == fold(fold(name))


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "ich-gehe-gern-ins-kino", "пароль из слов", "x9!" * 3 + "plum tree"],
)
def test_a_long_password_of_any_make_is_good(password):
    assert "" == find_password_fault(password, "City of Larkspur", "ann")


@pytest.mark.parametrize("size", [SHORTEST_PASSWORD, LONGEST_PASSWORD])
def test_the_bounds_of_a_password_are_within_them(size):
    words = "the river is low and cold "

    assert "" == find_password_fault((words * 20)[:size])
    assert find_password_fault((words * 20)[: size + (1 if size == LONGEST_PASSWORD else -1)])


def test_a_word_of_the_office_in_a_longer_password_is_no_fault_and_one_too_short_to_tell_is_none():
    assert "" == find_password_fault("larkspurriverboat", "larkspur")
    assert "" == find_password_fault("larkspur-boat42", "larkspur")
    assert "" == find_password_fault("oak2026oak2026", "oak")
    assert find_password_fault("elms2026elms!!!", "elms")
    assert "" == find_password_fault("193847561029", "elms")
    assert "" == find_password_fault("plumeplumeplume", "elms")


@pytest.mark.parametrize("run", ["1234567890", "abcdefghijklmnopqrstuvwxyz"])
def test_a_run_of_keys_is_guessed_first_however_long_it_is_and_from_either_end(run):
    for size in (SHORTEST_PASSWORD, 3 * len(run) + 1, LONGEST_PASSWORD):
        assert find_password_fault((run * 30)[3 : 3 + size])
        assert find_password_fault((run * 30)[::-1][3 : 3 + size])


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "a" * 300,
        "password1234",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "123456789012",
        "qwertyuiopas",
        "larkspurlarkspur",
        "Welcome-2026!!",
    ],
)
def test_what_everybody_tries_first_is_refused(password):
    assert find_password_fault(password, "larkspur", "ann")


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "/\\evil.example", "https://evil.example", "evil.example", "/a//b",
     "javascript:alert(1)", "/%0d%0aSet-Cookie:x", "", "/\tx", "/a b", "\\\\evil", "/@evil"],
)  # fmt: skip
def test_no_path_leads_to_another_site(path):
    assert "/" == own_path(path)


@pytest.mark.parametrize("path", ["/", "/bills", "/accounts/0110371/pay", "/bills?page=2"])
def test_a_path_of_ours_is_kept(path):
    assert path == own_path(path)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("eleven char", "Your password needs 12 characters or more. A few words that only you "
                        "put together are fine."),
        ("the river " * 20 + "s", "Your password may have 200 characters at most."),
        ("password1234", "That password is one of those that are tried first. "
                         "Choose another one."),
    ],
)  # fmt: skip
def test_why_a_password_is_none_is_said(password, sentence):
    assert sentence == find_password_fault(password)
    assert sentence in (TOO_SHORT, TOO_LONG, TRIED_FIRST)


@pytest.mark.parametrize(
    "word",
    ["password", "passw0rd", "letmein", "welcome", "iloveyou", "administrator", "changeme",
     "sunshine", "princess", "football", "baseball", "superman", "trustno1", "whatever"],
)  # fmt: skip
def test_a_common_word_and_a_year_is_tried_first(word):
    assert find_password_fault(f"{word}-2026-2026")


@pytest.mark.parametrize("run", ["01234567890", "qwertyuiopasdfghjklzxcvbnm", "9876543210"])
def test_a_run_of_keys_begins_again_after_its_end(run):
    assert find_password_fault((run * 3)[len(run) - 6 : len(run) + 6])


@pytest.mark.parametrize("suffix", ["jr", "Sr.", "II", "iii", "IV"])
def test_a_suffix_of_a_name_is_not_heard_wherever_it_is_joined(suffix):
    assert ["smith"] * 2 == [fold(f"Smith, {suffix}"), fold(f"Smith-{suffix}")]
