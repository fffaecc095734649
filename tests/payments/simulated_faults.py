"""A process that may die at any moment, and an outside world that fails and does not forget."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection, Engine

from cash_receipting.port import CashReceipting, PostingRequest, Receipt, ServiceDown
from database.books import Database
from domain.failures import OutcomeUnknown, PermanentFailure
from domain.payments import PostingKind
from payments.sandbox.behavior import GatewayFault, SeededFaults


class Crash(BaseException):
    """The process is gone: no `except Exception` and no clean-up of ours has a say."""


@dataclass
class Weather:
    """How bad the days are: the chance of a crash at a boundary, and of each fault of a call."""

    chance: random.Random
    crash: float
    faults: SeededFaults
    outage: float
    is_calm: bool = False
    is_out: bool = False  # cash receipting is down for a while
    crashes: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    diary: list[str] = field(default_factory=list)  # every boundary and call, in their order
    lives_in: int = field(default_factory=threading.get_ident)

    def strike(self, call: str) -> GatewayFault | None:
        self.calls[call] += 1
        fault = None if self.is_calm else self.faults.strike(call)
        if fault is not None:
            self.struck[f"{call} {fault}"] += 1
        self.note(call if fault is None else f"{call} {fault}")
        return fault

    def note(self, what: str) -> None:
        """Write down what happens next; of several threads none but the processor knows which."""
        if threading.get_ident() != self.lives_in:
            raise RuntimeError(f"{what}: in a thread of its own no seed is lived twice")
        self.diary.append(what)

    def delay(self) -> timedelta:
        return self.faults.delay()

    def change(self) -> None:
        """An outage begins, or lasts, or is over."""
        likely = 0.6 if self.is_out else self.outage
        self.is_out = not self.is_calm and self.chance.random() < likely


@dataclass
class Process:
    """One run of the program; after its crash nothing that it does has any effect."""

    weather: Weather
    is_alive: bool = True

    def pass_by(self, boundary: str) -> None:
        """Go past a boundary, or die there."""
        if not self.is_alive:
            raise Crash(boundary)
        weather = self.weather
        weather.note(boundary)
        if not weather.is_calm and weather.chance.random() < weather.crash:
            weather.crashes[boundary] += 1
            weather.note("died")
            self.is_alive = False
            raise Crash(boundary)


class MortalBooks(Database):
    """
    The books, opened by a process that may die before and after each commit.

    Connections and compiled statements outlive the process, which only makes the simulation fast:
    a transaction does not.
    """

    def __init__(self, books: Database, process: Process) -> None:
        super().__init__(books.url)
        self._books, self._process = books, process

    @property
    def engine(self) -> Engine:
        return self._books.engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        if not self._process.is_alive:
            raise Crash("reading")
        with super().reading() as books:
            yield books

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        if not self._process.is_alive:
            raise Crash("writing")
        with super().writing() as books:
            yield books
            self._process.pass_by("before a commit")
        self._process.pass_by("after a commit")


class Mortal:
    """Somebody outside, asked by a process that may die before the call and after it."""

    def __init__(self, other: object, process: Process) -> None:
        self._other, self._process = other, process

    def __getattr__(self, name: str) -> object:
        found = getattr(self._other, name)
        if not callable(found):
            return found

        def call(*arguments: object) -> object:
            self._process.pass_by(f"before {name}")
            answer = found(*arguments)
            self._process.pass_by(f"after {name}")
            return answer

        return call


@dataclass
class Notebook:
    """A cash-receipting system without keys: what is posted twice is booked twice."""

    name: str = "cash receipting"
    keeps_keys: bool = False
    entries: list[PostingRequest] = field(default_factory=list)

    def post(self, request: PostingRequest) -> Receipt:
        if request.kind is PostingKind.REVERSAL:
            number = int((request.reverses or "N0").removeprefix("N"))
            if not 0 < number <= len(self.entries):
                raise PermanentFailure("there is no such receipt to reverse")
        self.entries.append(request)
        return self._receipt(len(self.entries))

    def find(self, request: PostingRequest) -> Receipt | None:
        for number, entry in enumerate(self.entries, start=1):
            if entry.key == request.key:
                return self._receipt(number)
        return None

    def check_health(self) -> None:
        """It is always well; the way to it is not."""

    def close(self) -> None:
        """Nothing is open."""

    def _receipt(self, number: int) -> Receipt:
        entry = self.entries[number - 1]
        return Receipt(f"N{number}", entry.key, entry.account, entry.amount)


@dataclass
class FaultyReceipting:
    """A cash-receipting system behind a bad network, sometimes down as a whole."""

    inner: CashReceipting | Notebook
    weather: Weather
    clock: object
    longest_in_flight: timedelta = timedelta(hours=2)
    under_way: list[tuple[datetime, PostingRequest]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def keeps_keys(self) -> bool:
        return self.inner.keeps_keys

    def post(self, request: PostingRequest) -> Receipt | None:
        fault = self._reach("post")
        if fault is GatewayFault.LATE:
            self.under_way.append((self.clock() + self.weather.delay(), request))
        if fault in (GatewayFault.NEVER, GatewayFault.LATE):
            raise OutcomeUnknown("no answer")
        receipt = self.inner.post(request)
        if fault is GatewayFault.LOST:
            raise OutcomeUnknown("no answer")
        return receipt

    def find(self, request: PostingRequest) -> Receipt | None:
        if self._reach("find") is not None:
            raise OutcomeUnknown("no answer")
        return self.inner.find(request)

    def hand_over(self) -> None:
        """Each posting is entered at once."""

    def check_health(self) -> None:
        if self._reach("check_health") is not None:
            raise ServiceDown("no answer")

    def close(self) -> None:
        self.inner.close()

    def arrive(self) -> None:
        """Book what was under way and has arrived by now."""
        arrived = [one for one in self.under_way if one[0] <= self.clock()]
        self.under_way = [one for one in self.under_way if one[0] > self.clock()]
        for _, request in sorted(arrived, key=lambda one: one[0]):
            self.inner.post(request)

    def _reach(self, call: str) -> GatewayFault | None:
        self.arrive()
        fault = self.weather.strike(call)
        if self.weather.is_out or fault is GatewayFault.BEFORE:
            raise ServiceDown("cannot be reached")
        return fault
