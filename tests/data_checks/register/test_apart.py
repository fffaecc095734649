"""The review of a large city in a process of its own: it says what it says in this one."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import replace

import pytest
from sqlalchemy.exc import NoResultFound

from data_checks import reviewed
from data_checks.checking import AS_SHIPPED
from data_checks.register import apart
from data_checks.register.apart import Asked, review_apart
from data_checks.register.figures import ExpectedFigure
from data_checks.register.reviewing import review
from domain.failures import TemporaryFailure
from tests.data_checks.register.town import AT, LAST, build_town

OWN = (ExpectedFigure("lines", "WATER", low=1, high=2, because="there are ever two"),)


def change(month, house, line, rows):
    if month == 12 and house == 3:
        line["usage"] *= 30
    if month == 12 and house == 5:
        rows.append(dict(rows[1]))


@pytest.fixture
def town(database):
    build_town(database, change, houses=60)
    return database


def asked_of(database):
    return Asked(database.url, LAST, AS_SHIPPED.limits, AT, OWN)


@pytest.mark.release("postgresql")  # of which the other process is told by a URL as well
def test_it_finds_and_judges_what_a_review_in_this_process_does(town):
    asked = asked_of(town)

    told = review_apart(asked)

    with town.reading() as books:
        here = review(books, LAST, asked.limits, at=AT, own=OWN)
    assert here.findings == told.findings
    assert sum(map(len, here.findings.values())) >= 2
    assert (here.errors, here.bills, here.months) == (told.errors, told.bills, told.months)
    assert here.judgement.figures == told.judgement.figures
    assert any(OWN[0].because in one.figure.sentence for one in told.judgement.figures)
    for line in (("A7", "WATER"), ("A7", "GAS"), ("B7", "WATER")):
        assert (line in here.judged) == (line in told.judged)


@pytest.mark.release("postgresql")
def test_what_it_raises_is_raised_here_with_where_it_came_from(town):
    with pytest.raises(NoResultFound) as failure:
        review_apart(replace(asked_of(town), period="1999-01"))

    assert "_periods" in failure.value.__notes__[0]


def test_what_cannot_be_told_to_another_process_is_told_in_words():
    class Local(Exception):
        """A class that no other process knows."""

    told = apart._travelling(Local("secret"))

    assert RuntimeError is type(told)
    assert "secret" not in str(told)


@pytest.mark.release("postgresql")
def test_one_that_is_killed_is_a_failure_that_passes(town, monkeypatch):
    class Killed(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            os.kill(self.pid, signal.SIGKILL)

    monkeypatch.setattr(apart.subprocess, "Popen", Killed)

    with pytest.raises(TemporaryFailure, match="ended without an answer"):
        review_apart(asked_of(town))


@pytest.mark.parametrize("largest", [0, 10**9], ids=["apart", "here"])
def test_only_a_large_city_is_reviewed_apart(town, monkeypatch, largest):
    began = []
    monkeypatch.setattr(reviewed, "LARGE", largest)
    monkeypatch.setattr(reviewed, "review_apart", lambda asked: began.append(asked) or "reviewed")

    reviewed.review_lines(town, LAST, AS_SHIPPED, AT)

    assert (largest == 0) == (began == [replace(asked_of(town), own=AS_SHIPPED.own_figures)])
