"""How many people have to say yes, and who."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.approvals import Decided, Decision
from domain.failures import Refused
from rules.approving import ApprovalProgress, ApprovalTerms, identity, require_may_decide, weigh
from tests.builders import NOW

ONE, TWO = ApprovalTerms(people=1), ApprovalTerms(people=2)
ANNA = Decided(Decision.APPROVE, "anna", NOW)
BEN = replace(ANNA, who="ben")
NO = Decided(Decision.REFUSE, "cleo", NOW, "the rates are old")


@pytest.mark.parametrize(
    ("decisions", "terms", "missing"),
    [
        pytest.param([], ONE, 1, id="nobody said anything"),
        pytest.param([ANNA], ONE, 0, id="one is enough"),
        pytest.param([ANNA], TWO, 1, id="one of two"),
        pytest.param([ANNA, BEN], TWO, 0, id="two people"),
        pytest.param([ANNA, ANNA], TWO, 1, id="the same person twice"),
        pytest.param([ANNA, replace(ANNA, who="Anna (Prefect UI)")], TWO, 1, id="in two places"),
        pytest.param([ANNA, NO, BEN], TWO, 1, id="a no takes the yes before it"),
        pytest.param([NO, ANNA], ONE, 0, id="a yes after a no"),
    ],
)
def test_missing_are(decisions, terms, missing):
    assert missing == weigh(decisions, terms).missing


def test_a_no_stands_until_somebody_says_yes():
    after_no, after_yes = weigh([ANNA, NO], ONE), weigh([NO, ANNA], ONE)

    assert (NO, False) == (after_no.refusal, after_no.is_approved)
    assert (None, True) == (after_yes.refusal, after_yes.is_approved)


def test_before_anybody_spoke_there_is_neither_a_yes_nor_a_no():
    assert ApprovalProgress((), None, 2) == weigh([], TWO)


def test_no_user_of_the_machine_who_proved_no_name_counts_again_after_others():
    said = [
        replace(ANNA, origin="uid 1000"),
        replace(BEN, origin="uid 1001"),
        replace(ANNA, who="cleo", origin="uid 1000"),
    ]

    standing = weigh(said, ApprovalTerms(people=3))

    assert (("anna", "ben"), 1) == (standing.approved_by, standing.missing)
    with pytest.raises(
        Refused, match="another person has to, with a login of their own or by sudo"
    ):
        require_may_decide(
            "dora", Decision.APPROVE, standing, ApprovalTerms(people=3), origin="uid 1001"
        )


def test_the_second_person_is_another_one():
    standing = weigh([ANNA], TWO)

    require_may_decide("ben", Decision.APPROVE, standing, TWO)
    require_may_decide("anna", Decision.REFUSE, standing, TWO)
    with pytest.raises(Refused, match="anna has approved already") as refused:
        require_may_decide("anna", Decision.APPROVE, standing, TWO)
    assert "same-person" == refused.value.code


@pytest.mark.parametrize("decision", Decision)
def test_only_who_is_named_may_decide_where_people_are_named(decision):
    terms = ApprovalTerms(approvers=("Anna", "ben"))

    require_may_decide("anna (Prefect UI)", decision, weigh([], terms), terms)
    with pytest.raises(Refused, match=r"approval\.approvers") as refused:
        require_may_decide("cleo", decision, weigh([], terms), terms)
    assert "not-an-approver" == refused.value.code


def test_a_person_is_the_same_in_any_spelling():
    assert {"anna beltran"} == {
        identity(who) for who in ("anna beltran", "Anna  Beltran ", "ANNA BELTRAN (Prefect UI)")
    }


def test_two_names_of_one_user_are_one_person_where_nothing_proves_them():
    first = replace(ANNA, origin="uid 1000")
    standing = weigh([first], TWO)

    with pytest.raises(Refused, match="works as the same user") as refused:
        require_may_decide("ben", Decision.APPROVE, standing, TWO, "uid 1000")

    assert "same-person" == refused.value.code
    assert 1 == weigh([first, replace(first, who="ben")], TWO).missing
    require_may_decide("ben", Decision.APPROVE, standing, TWO, "uid 1001")
    require_may_decide("ben", Decision.APPROVE, standing, TWO, "")


def test_a_request_is_approved_where_nobody_is_missing_and_nobody_refused():
    assert [False, False, True] == [
        ApprovalProgress((), refusal, missing).is_approved
        for refusal, missing in ((NO, 0), (None, 1), (None, 0))
    ]
    assert 1 == ApprovalTerms().people


def test_whose_yes_is_enough_may_say_it_again_and_who_said_yes_may_still_refuse():
    first = replace(ANNA, origin="uid 1000")
    enough = weigh([first, replace(BEN, origin="uid 1001")], TWO)

    require_may_decide("anna", Decision.APPROVE, enough, TWO, "uid 1000")
    require_may_decide("anna", Decision.APPROVE, enough, TWO)
    require_may_decide("cleo", Decision.APPROVE, enough, TWO, "uid 1000")
    require_may_decide("ben", Decision.REFUSE, weigh([first], TWO), TWO, "uid 1000")


@pytest.mark.parametrize(
    ("who", "origin", "terms", "sentence"),
    [
        pytest.param(
            "cleo", "", ApprovalTerms(approvers=("anna",)),
            "cleo may not decide about a close; the setting approval.approvers names who may.",
            id="who is not named",
        ),
        pytest.param(
            "anna", "", TWO,
            "anna has approved already; with approval.people = 2 another person has to.",
            id="the same name",
        ),
        pytest.param(
            "ben", "uid 1000", TWO,
            "ben works as the same user of this machine (uid 1000) as whoever approved already, "
            "and nothing here proves that it is another person; another person has to, with a "
            "login of their own or by sudo from it.",
            id="the same user",
        ),
    ],
)  # fmt: skip
def test_whose_word_does_not_count_is_told_why(who, origin, terms, sentence):
    standing = weigh([replace(ANNA, origin="uid 1000")], terms)

    with pytest.raises(Refused) as refused:
        require_may_decide(who, Decision.APPROVE, standing, terms, origin)

    assert sentence == refused.value.message


def test_no_user_of_the_machine_is_known_where_none_is_said():
    standing = ApprovalProgress(("anna",), None, 1, ("",))

    with pytest.raises(Refused):
        require_may_decide("ben", Decision.APPROVE, standing, TWO)
