"""The steps of a close as they move, sent to the page that is open (server-sent events)."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from office.equipment.office import Office
from web.office.begun.close_work import is_going_on, newest_work
from web.office.begun.steps import SaidStep, said_since
from web.office.permissions import Permission
from web.visits import STAFF_COOKIE, cookie_name, turn_away

STEPS = "/office/close/{period}/steps"
LOOK_EVERY = 1.0  # seconds
LONGEST = 120.0  # seconds of one answer; the browser then asks again, and is looked at again
BEAT = 15.0  # seconds of silence after which a word is sent, so that a dead connection is noticed
MOST_AT_ONCE = 32  # of this process: each looks into the books once a second
MOST_OF_ONE = 2  # of one session: a browser has six connections to us, and pages need some
WAIT_AFTER_BUSY = 30  # seconds; static/steps.js waits as long
RETRY_MILLISECONDS = 2_000
_NAME = re.compile(r"([0-9a-f]{1,32})-([0-9]{1,6})")


@dataclass
class Watchers:
    """Who watches a close just now, by session."""

    of_session: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def counted(self, session: str) -> Iterator[None]:
        self.of_session[session] += 1
        try:
            yield
        finally:
            self.of_session[session] -= 1
            if not self.of_session[session]:
                del self.of_session[session]

    def is_full(self, session: str) -> bool:
        most = self.of_session[session] >= MOST_OF_ONE
        return most or self.of_session.total() >= MOST_AT_ONCE


@dataclass(frozen=True, slots=True)
class StepLook:
    """What one look into the books found of the newest work: `last` is the number of its end."""

    key: str
    said: tuple[SaidStep, ...]
    last: int
    going_on: bool

    @property
    def name(self) -> str:
        """The name by which a browser goes on after this look."""
        return f"{self.key}-{self.last}"


async def watch_steps(request: Request) -> Response:
    """
    Send the steps of a close that goes on, until it ends or a bound of time is reached.

    What was sent before is known by `Last-Event-ID`, or by `after` in the address. 204 is the
    answer where nothing was begun; 503 says that too many watch already.
    """
    turned_away = await run_in_threadpool(turn_away, request, Permission.LOOK)
    if turned_away is not None:
        return turned_away
    watchers: Watchers = request.app.state.watchers
    session = session_of(request)
    asked = request.headers.get("last-event-id") or request.query_params.get("after", "")
    first = await run_in_threadpool(look_at, request, asked)
    if first is None:
        return Response(status_code=204)
    if watchers.is_full(session):
        return Response(status_code=503, headers={"Retry-After": f"{WAIT_AFTER_BUSY}"})
    unbuffered = {"X-Accel-Buffering": "no"}  # else nginx keeps the words to itself
    sent = _sent(request, first, watchers, session)
    return StreamingResponse(sent, media_type="text/event-stream", headers=unbuffered)


def session_of(request: Request) -> str:
    return request.cookies.get(cookie_name(request.app.state.office, STAFF_COOKIE), "")


def look_at(request: Request, asked: str) -> StepLook | None:
    """Look what the newest work on a period has said since `asked`, a name of a look before."""
    office: Office = request.app.state.office
    row = newest_work(office, request.path_params["period"])
    if row is None:
        return None
    going_on = is_going_on(row, office.due_now())  # before its words: none comes after its end
    found = _NAME.fullmatch(asked)
    since = int(found[2]) if found and found[1] == row.key else 0
    with office.database.reading() as books:
        said = tuple(said_since(books, row.key, since))
    return StepLook(row.key, said, said[-1].number if said else since, going_on)


async def _sent(
    request: Request, look: StepLook, watchers: Watchers, session: str
) -> AsyncIterator[str]:
    began = spoken = time.monotonic()
    with watchers.counted(session):
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        while True:
            for one in look.said:
                yield _event(look.key, one)
            if not look.going_on:
                yield "event: ended\ndata: {}\n\n"
                return
            now = time.monotonic()
            if look.said:
                spoken = now
            elif now - spoken > BEAT:
                spoken = now
                yield ": it goes on\n\n"
            if now - began >= LONGEST:
                return
            await asyncio.sleep(LOOK_EVERY)
            if await run_in_threadpool(turn_away, request, Permission.LOOK) is not None:
                return  # signed out, locked, or silent for too long
            following = await run_in_threadpool(look_at, request, look.name)
            if following is None:
                return
            look = following


def _event(key: str, said: SaidStep) -> str:
    told = {"step": said.standing.step, "state": said.standing.state, "says": said.standing.says}
    return f"id: {key}-{said.number}\ndata: {json.dumps(told)}\n\n"
