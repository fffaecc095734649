"""The steps of a close as a page watches them: in order, from where it was, until the end."""

from __future__ import annotations

import json
import re
import threading

import pytest

from database.definitions.desk import desk_work
from database.owners import this_process
from domain.desk_work import WorkKind, WorkState
from domain.identity import Role
from domain.steps import Step
from tests.builders import NOW, RUN
from tests.web.customers.conftest import Browser
from web.office import watching
from web.office.begun.steps import StepState, StepWriter, list_steps, said_since, written_down

KEY, PATH = "abc123", f"/office/close/{RUN}/steps"


@pytest.fixture
def begun(office):
    """A close of October that a page has begun and that goes on."""
    with office.database.writing() as books:
        books.execute(
            desk_work.insert().values(
                key=KEY, kind=WorkKind.CLOSE, period=RUN, bundle="", who="clerk 1",
                state=WorkState.BEGUN, owner=this_process(), began_at=NOW,
            )
        )  # fmt: skip
    return office


def end(office):
    with office.database.writing() as books:
        books.execute(desk_work.update().values(state=WorkState.DONE, ended_at=NOW))


def say(office, *told):
    """Let a close say something: `("begin", Step.SPLIT)`, `("end", Step.SPLIT, "12 bills")`."""
    with written_down(office.database, KEY) as writer:
        for what, *words in told:
            getattr(writer, what)(*words)


def events(text: str) -> list[tuple[str, dict]]:
    found = re.findall(r"^id: (\S+)\ndata: (.*)\n\n", text, re.M)
    return [(name, json.loads(told)) for name, told in found]


SPLIT = (
    ("begin", Step.SPLIT),
    ("move", Step.SPLIT, 1, 100),
    ("move", Step.SPLIT, 40, 100),
    ("move", Step.SPLIT, 41, 100),
    ("end", Step.SPLIT, "12 bills of 24 pages"),
)


def test_what_a_step_says_is_in_the_books_in_order_and_small_moves_are_left_out(begun):
    say(begun, *SPLIT)

    with begun.database.reading() as books:
        said = said_since(books, KEY, 0)

    assert [
        (1, "going on"), (2, "going on, 40 %"), (3, "done: 12 bills of 24 pages")
    ] == [(one.number, one.standing.says) for one in said]  # fmt: skip


def test_a_step_that_says_something_in_its_own_transaction_waits_for_nobody(begun):
    with written_down(begun.database, KEY) as writer, begun.database.writing() as books:
        books.execute(desk_work.update().values(code="x"))
        writer.begin(Step.SPLIT)
        writer.end(Step.SPLIT, "done while the books were held")

    with begun.database.reading() as books:
        assert 2 == len(said_since(books, KEY, 0))


def test_a_page_that_comes_late_gets_all_and_hears_of_the_end(begun, signed_in):
    say(begun, *SPLIT)
    end(begun)

    answer = signed_in(Role.AUDITOR).get(PATH)

    assert "text/event-stream" in answer.headers["content-type"]
    assert ("no-store", "no") == (
        answer.headers["cache-control"], answer.headers["x-accel-buffering"]
    )  # fmt: skip
    assert [f"{KEY}-1", f"{KEY}-2", f"{KEY}-3"] == [name for name, _ in events(answer.text)]
    assert {"step": Step.SPLIT, "state": "done", "says": "done: 12 bills of 24 pages"} == (
        events(answer.text)[-1][1]
    )
    assert answer.text.endswith("event: ended\ndata: {}\n\n")


@pytest.mark.parametrize("way", ["header", "address"])
def test_a_page_that_comes_again_goes_on_where_it_was(begun, signed_in, way):
    say(begun, *SPLIT)
    end(begun)
    browser = signed_in(Role.CLERK)

    if way == "header":
        answer = browser.get(PATH, headers={"Last-Event-ID": f"{KEY}-2"})
    else:
        answer = browser.get(f"{PATH}?after={KEY}-2")

    assert [f"{KEY}-3"] == [name for name, _ in events(answer.text)]


@pytest.mark.parametrize("name", ["", "fff-2", "abc123", "abc123-x", "abc123-9999999", "' or 1"])
def test_a_name_of_another_close_or_of_none_begins_at_the_first_step(begun, signed_in, name):
    say(begun, *SPLIT)
    end(begun)

    answer = signed_in(Role.CLERK).get(PATH, headers={"Last-Event-ID": name})

    assert 3 == len(events(answer.text))


def test_steps_are_sent_as_they_move_until_the_close_ends(begun, signed_in, monkeypatch):
    monkeypatch.setattr(watching, "LOOK_EVERY", 0.01)
    browser = signed_in(Role.CLERK)

    def close():
        say(begun, *SPLIT)
        end(begun)

    closing = threading.Timer(0.2, close)
    closing.start()
    answer = browser.get(PATH)
    closing.join()

    assert 3 == len(events(answer.text))
    assert answer.text.endswith("event: ended\ndata: {}\n\n")


def test_an_answer_has_a_bound_after_which_the_browser_asks_again(begun, signed_in, monkeypatch):
    monkeypatch.setattr(watching, "LONGEST", 0.0)

    answer = signed_in(Role.CLERK).get(PATH)

    assert "retry: 2000\n\n" == answer.text


def test_whoever_is_signed_out_hears_no_more(begun, signed_in, monkeypatch):
    monkeypatch.setattr(watching, "LOOK_EVERY", 0.01)
    browser = signed_in(Role.CLERK)
    leaving = threading.Timer(0.2, lambda: _end_sessions(begun))
    leaving.start()

    answer = browser.get(PATH)
    leaving.join()

    assert (200, "retry: 2000\n\n") == (answer.status_code, answer.text)


def _end_sessions(office):
    from database.definitions.identity import web_session

    with office.database.writing() as books:
        books.execute(web_session.update().values(ended_at=NOW))


def test_without_a_close_that_a_page_began_there_is_nothing_to_hear(office, signed_in):
    assert 204 == signed_in(Role.CLERK).get(PATH).status_code


def test_too_many_watchers_are_told_to_come_later_and_a_place_is_free_again(begun, desk, signed_in):
    end(begun)
    clerk = signed_in(Role.CLERK)
    session = clerk.cookies.get("__Host-office")
    watchers = desk.state.watchers

    with watchers.counted(session), watchers.counted(session):
        busy = clerk.get(PATH)
        another = signed_in(Role.AUDITOR).get(PATH)

    assert (503, "30") == (busy.status_code, busy.headers["retry-after"])
    assert (200, 200) == (another.status_code, clerk.get(PATH).status_code)
    assert 0 == watchers.of_session.total()


def test_nobody_without_a_session_hears_anything(begun, desk):
    assert 303 == Browser(desk).get(PATH).status_code


class TestThePage:
    def test_it_lists_every_step_and_watches_while_the_close_goes_on(self, begun, signed_in):
        say(begun, ("begin", Step.SPLIT), ("move", Step.SPLIT, 40, 100))

        page = signed_in(Role.CLERK).get(f"/office/close/{RUN}").text

        assert f'data-watched="{PATH}?after={KEY}-2"' in page
        assert 'src="/static/steps.' in page
        assert len(Step) - 1 == page.count("data-step=")  # only `check` reads and does not split
        assert "<strong>Split bulk bills</strong>: <span>going on, 40 %</span>" in page
        assert "<strong>Publish bills</strong>: <span>to do</span>" in page

    def test_a_step_at_which_it_stopped_says_so_and_nothing_is_watched(self, begun, signed_in):
        say(begun, ("begin", Step.SPLIT))
        end(begun)

        page = signed_in(Role.CLERK).get(f"/office/close/{RUN}").text

        assert "data-watched" not in page
        assert "steps.js" not in page
        assert "<strong>Split bulk bills</strong>: <span>stopped here</span>" in page

    def test_what_a_step_says_is_escaped(self, begun, signed_in):
        say(begun, ("end", Step.SPLIT, "<script>alert(1)</script>"))

        page = signed_in(Role.CLERK).get(f"/office/close/{RUN}").text

        assert "<script>alert" not in page


def test_steps_of_a_close_that_a_command_made_are_those_that_ended(office):
    steps, last = list_steps(office.database, RUN, "", going_on=False)

    assert 0 == last
    assert {StepState.TO_DO} == {one.state for one in steps}


def test_a_writer_whose_books_are_gone_ends_all_the_same(begun, monkeypatch):
    from sqlalchemy.exc import OperationalError

    monkeypatch.setattr("web.office.begun.steps._TRIES", 2)
    writer = StepWriter(begun.database, KEY)

    def gone(_said):
        raise OperationalError("insert", {}, Exception("away"))

    monkeypatch.setattr(writer, "_insert", gone)
    writer.begin(Step.SPLIT)

    writer.close()

    assert not writer._thread.is_alive()
