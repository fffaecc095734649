"""The figures of the mailers: rows, peaks of memory, and the targets they are held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from bench.mail.clients import Measured
from bench.measuring import how_many_times

SOURCE, FIRST = "smtp-source (C)", "billclose"
PREBUILT, ONE_BY_ONE = "billclose, prebuilt", "billclose, not pipelined"
OUTBOX, SIXTEEN = "billclose, whole outbox", "billclose, 16 connections"
KEPT = "aiosmtplib, prebuilt, kept"
FLAT = 1.05  # times the memory of a tenth of the mails


@dataclass(frozen=True, slots=True)
class Row:
    """A client with one kind of mail and one server; the middle of its runs."""

    client: str
    kind: str
    latency_ms: int
    connections: int
    runs: int
    messages: int  # of all runs
    messages_per_second: float
    cpu_us: float  # of the client, a message
    ratio: float  # to smtp-source right before and after
    ratios: list[float]
    peak_megabytes: float | None  # None: not looked at

    @classmethod
    def of(
        cls, client: str, kind: str, latency: int, connections: int,
        runs: list[Measured], ratios: list[float],
    ) -> Row:  # fmt: skip
        return cls(
            client, kind, latency, connections, len(runs),
            messages=sum(run.messages for run in runs),
            messages_per_second=median(run.rate for run in runs),
            cpu_us=median(run.cpu_us for run in runs),
            ratio=median(ratios),
            ratios=ratios,
            peak_megabytes=max(run.peak_megabytes or 0 for run in runs) or None,
        )  # fmt: skip

    def line(self) -> str:
        return (
            f"{self.kind:5} {self.latency_ms:2} ms  {self.client:34} {self.connections:2} conn."
            f" {self.messages_per_second:7,.0f}/s {self.cpu_us:7,.0f} us  x {self.ratio:.2f}"
        )


@dataclass(frozen=True, slots=True)
class Peak:
    """The memory it took to send so many small mails in one go."""

    count: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class Target:
    """What the mailer is to reach, and what it reached."""

    what: str
    wanted: str
    found: str
    is_met: bool


@dataclass(frozen=True)
class Figures:
    """Everything measured in one run; `load` is the machine's before and after it."""

    rows: list[Row]
    peaks: list[Peak]
    load: list[float]

    @cached_property
    def known(self) -> dict[tuple[str, str, int], Row]:
        return {(row.client, row.kind, row.latency_ms): row for row in self.rows}

    def ratio(self, client: str, kind: str, latency: int) -> float:
        return self.known[client, kind, latency].ratio

    def targets(self) -> Iterator[Target]:
        wanted = (("bill", 0, 0.6), ("small", 0, 0.7), ("bill", 20, 3.0), ("small", 20, 3.0))
        for kind, latency, least in wanted:
            found = self.ratio(FIRST, kind, latency)
            what = f"{kind} mails built and sent, {latency} ms, beside smtp-source"
            yield Target(what, f"at least {least:g}", f"{found:.2f}", found >= least)
        cpu = self.known[FIRST, "bill", 0].cpu_us
        yield Target(
            "CPU a bill of 60 KB, built and sent", "under 500 µs", f"{cpu:.0f} µs", cpu < 500
        )
        few, many = self.peaks
        growth = how_many_times(many.megabytes, few.megabytes)
        what = f"memory of {many.count:,} mails beside {few.count:,}"
        yield Target(what, f"at most {FLAT:g} times", f"{growth:.3f} times", growth <= FLAT)
