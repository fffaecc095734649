"""What was measured of the mailers, as JSON, as a table that says what it means, and as a plot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from bench.mail.figures import (
    FIRST,
    KEPT,
    ONE_BY_ONE,
    OUTBOX,
    PREBUILT,
    SIXTEEN,
    SOURCE,
    Figures,
    Row,
    Target,
)
from bench.plotting import bars
from bench.writing import machine, write_down

LONGEST = 4.0  # of the plot
UNITS = "Mails a second beside smtp-source over four connections, which is 1"


def write_results(figures: Figures, folder: Path) -> None:
    targets = list(figures.targets())
    for target in targets:
        print(f"{_verdict(target):8} {target.what}: {target.found} (wanted: {target.wanted})")
    told = {"machine": machine(), **asdict(figures), "targets": [asdict(one) for one in targets]}
    write_down("mail", told, table(figures, targets), plot(figures), folder)


def table(figures: Figures, targets: list[Target]) -> str:
    before, after = figures.load
    few, many = figures.peaks
    text = [
        "# The mailer beside its peers",
        "",
        f"{machine()}; load {before:.1f} before and {after:.1f} after: what is beyond some 2 is"
        " others' work. It lowers mails a second and, at 0 ms, the ratio of whoever needs more CPU"
        " than smtp-source, as client, server and others share the processors. Clients send in"
        " turn, smtp-source before and after each; connections are opened and closed within. The"
        " middle of the runs counts; in brackets the least and the greatest.",
        "",
        *reading(figures),
        "",
        "| kind | round trip | client | connections | mails a second | CPU µs a mail"
        " | beside smtp-source | peak MB |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |",
        *map(_line, figures.rows),
        "",
        "| target | wanted | found | |",
        "| --- | --- | --- | --- |",
        *(f"| {one.what} | {one.wanted} | {one.found} | {_verdict(one)} |" for one in targets),
        "",
        f"Peak of memory for small mails built and sent in one go: {few.megabytes:.1f} MB for"
        f" {few.count:,}, {many.megabytes:.1f} MB for {many.count:,}.",
        "",
    ]
    return "\n".join(text)


def _line(row: Row) -> str:
    peak = "" if row.peak_megabytes is None else f"{row.peak_megabytes:.0f}"
    span = "" if row.client == SOURCE else f" ({min(row.ratios):.2f}–{max(row.ratios):.2f})"
    return (
        f"| {row.kind} | {row.latency_ms} ms | {row.client} | {row.connections}"
        f" | {row.messages_per_second:,.0f} | {row.cpu_us:,.0f} | {row.ratio:.2f}{span} | {peak} |"
    )


def reading(figures: Figures) -> Iterator[str]:
    """Say what the table shows, in one paragraph."""
    ours, outbox = figures.known[FIRST, "bill", 0], figures.known[OUTBOX, "bill", 0]
    prebuilt, kept = figures.known[PREBUILT, "bill", 0], figures.known[KEPT, "bill", 0]
    far, slow = figures.ratio(FIRST, "bill", 20), figures.ratio(ONE_BY_ONE, "bill", 20)
    far_outbox = figures.ratio(OUTBOX, "bill", 20)
    yield (
        "`billclose` words each mail, reads its PDF, makes the MIME parts and sends it, as in"
        " production; so do the peers that are not `prebuilt`, with the same words."
    )
    yield (
        f"A bill of 60 KB (88 KB on the wire) costs {ours.cpu_us:,.0f} µs, of which sending"
        f" {prebuilt.cpu_us:,.0f} µs; aiosmtplib takes {kept.cpu_us:,.0f} µs for sending alone."
    )
    yield (
        f"Over 20 ms pipelining makes one round trip a mail instead of four: {far:.1f} times"
        f" smtp-source, against {slow:.1f} without it; 16 connections give"
        f" {figures.ratio(SIXTEEN, 'bill', 20):.1f}."
    )
    yield (
        "The whole outbox (recorded in SQLite, claimed, written into the journal, marked) adds"
        f" {outbox.cpu_us - ours.cpu_us:,.0f} µs a bill and the waits for the disk: to know after"
        f" a crash which bills have left costs {1 - outbox.ratio / ours.ratio:.0%} of the speed"
        f" beside a server that answers at once, and {1 - far_outbox / far:.0%} over 20 ms."
    )


def plot(figures: Figures) -> str:
    groups: dict[str, list[tuple[str, float]]] = {}
    for row in figures.rows:
        group = f"{row.kind}, {row.latency_ms} ms"
        groups.setdefault(group, []).append((row.client, row.ratio))
    return bars(groups, UNITS, longest=LONGEST)


def _verdict(target: Target) -> str:
    return "met" if target.is_met else "not met"
