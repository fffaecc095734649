"""What every page for payment methods does, held at the sandbox's and at Stripe's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.failures import PermanentFailure
from domain.payments import MethodKind
from payments.port import DrawAnswer
from tests.contracts.capture_desks import a_visit
from tests.contracts.gateway_desks import a_draw

KINDS = (MethodKind.CARD, MethodKind.ACH)


def test_before_anything_is_given_nothing_was(capture_desk):
    page = capture_desk.capture.begin(a_visit())

    assert capture_desk.capture.finish("key-1", page.reference) is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_given_is_known_by_kind_last_four_and_a_token(capture_desk, kind):
    page = capture_desk.capture.begin(a_visit())
    capture_desk.give(page, kind)

    given = capture_desk.capture.finish("key-1", page.reference)

    assert (kind, 4, True) == (given.kind, len(given.last4), given.last4.isdecimal())
    assert (kind is MethodKind.CARD) is (given.expires_on is not None)
    assert given.token not in repr(given)


@pytest.mark.parametrize("kind", KINDS)
def test_a_visit_comes_to_the_same_however_often_it_is_asked(capture_desk, kind):
    page = capture_desk.capture.begin(a_visit())
    capture_desk.give(page, kind)

    given = [capture_desk.capture.finish("key-1", page.reference) for _ in range(3)]

    assert [given[0]] * 3 == given


def test_a_visit_that_is_begun_twice_is_one(capture_desk):
    """A button pressed twice, or a browser that asks again after a lost answer."""
    pages = [capture_desk.capture.begin(a_visit()) for _ in range(2)]

    assert pages[0] == pages[1]


def test_two_visits_have_nothing_to_do_with_each_other(capture_desk):
    first = capture_desk.capture.begin(a_visit("key-1"))
    second = capture_desk.capture.begin(a_visit("key-2", "customer 18"))
    capture_desk.give(first, MethodKind.CARD)

    assert capture_desk.capture.finish("key-2", second.reference) is None


def test_an_unknown_visit_is_refused_for_good(capture_desk):
    with pytest.raises(PermanentFailure):
        capture_desk.capture.finish("key-9", "cs_never_made")


def test_the_visit_of_somebody_else_is_not_taken_for_ones_own(capture_desk):
    theirs = capture_desk.capture.begin(a_visit("key-2", "customer 18"))
    capture_desk.give(theirs, MethodKind.CARD)

    with pytest.raises(PermanentFailure):
        capture_desk.capture.finish("key-1", theirs.reference)


def test_a_card_that_was_given_can_be_drawn_from(capture_desk):
    page = capture_desk.capture.begin(a_visit())
    capture_desk.give(page, MethodKind.CARD)
    given = capture_desk.capture.finish("key-1", page.reference)
    draw = a_draw(capture_desk, method_token=given.token)

    reference = capture_desk.gateway.prepare(draw)
    result = capture_desk.gateway.confirm(reference, draw)

    assert (DrawAnswer.APPROVED, draw.amount) == (result.answer, result.amount)


@pytest.mark.parametrize("kind", list(MethodKind))
def test_a_page_for_one_kind_offers_no_other(capture_desk, kind):
    page = capture_desk.capture.begin(replace(a_visit(), kinds=(kind,)))

    assert (kind,) == capture_desk.offered(page)
