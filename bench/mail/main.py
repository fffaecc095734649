"""The mailer beside its peers and beside what a C client can do, each in turn in the same run."""

from __future__ import annotations

import argparse
import os
import tempfile
from math import sqrt
from pathlib import Path

from bench.mail.clients import DJANGO, Client, Measured, clients, installed_django, peak_of
from bench.mail.figures import FIRST, SIXTEEN, SOURCE, Figures, Peak, Row
from bench.mail.jobs import CONNECTIONS
from bench.mail.messages import KINDS, file_documents
from bench.mail.results import write_results
from bench.mail.servers import CONNECTIONS as SOURCE_CONNECTIONS
from bench.mail.servers import Source, are_installed, server
from bench.writing import RESULTS

LATENCIES = {0: 1.0, 20: 1.4}  # milliseconds a round trip: times as long a sending
NEAR_ONLY = ("billclose, prebuilt, one by one",)
FAR_ONLY = (SIXTEEN,)
COUNTS = (10_000, 100_000)


def main(arguments: list[str]) -> None:
    """Measure, print and write `mail.json`, `mail.md` and `mail.svg`."""
    parser = argparse.ArgumentParser(prog="python -m bench mail")
    parser.add_argument("--rounds", type=int, default=3, help="of all clients in turn")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each sending")
    parser.add_argument(
        "--counts", type=int, nargs=2, default=COUNTS, help="whose peaks to compare"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    told = parser.parse_args(arguments)
    if not are_installed():
        print("mail: smtp-sink and smtp-source are not installed (Debian: postfix)")
        return

    load, rows = [os.getloadavg()[0]], []
    like_django = "like Django" if installed_django() else DJANGO
    with tempfile.TemporaryDirectory(prefix="billclose-bench-") as place:
        folder = Path(place)
        file_documents(folder)
        for latency, longer in LATENCIES.items():
            left_out = {like_django, *(NEAR_ONLY if latency else FAR_ONLY)}
            names = [name for name in CONNECTIONS if name not in left_out]
            for kind in KINDS:
                seconds = told.seconds * longer
                rows += measure(names, kind, latency, folder, told.rounds, seconds)
        peaks = measure_peaks(told.counts, folder)
    load.append(os.getloadavg()[0])
    write_results(Figures(rows, peaks, load), told.results)


def measure(
    names: list[str], kind: str, latency: int, folder: Path, rounds: int, seconds: float
) -> list[Row]:
    """Let the clients send in turn, rounds times, smtp-source before and after each."""
    with server(latency) as port, clients(names, kind, port, folder) as started:
        source = Source(port, started[0].size)
        source.send(0)  # to know its speed
        ratios: dict[str, list[float]] = {client.name: [] for client in started}
        limits = [Measured(*source.send(seconds))]
        for _ in range(rounds):
            for client in started:
                client.runs.append(client.send(seconds))
                limits.append(Measured(*source.send(seconds)))
                limit = sqrt(limits[-2].rate * limits[-1].rate)
                ratios[client.name].append(client.runs[-1].rate / limit)
    rows = [Row.of(SOURCE, kind, latency, SOURCE_CONNECTIONS, limits, [1.0])]
    rows += [to_row(client, kind, latency, ratios[client.name]) for client in started]
    for row in rows:
        print(row.line(), flush=True)
    return rows


def to_row(client: Client, kind: str, latency: int, ratios: list[float]) -> Row:
    return Row.of(client.name, kind, latency, CONNECTIONS[client.name], client.runs, ratios)


def measure_peaks(counts: list[int], folder: Path) -> list[Peak]:
    """Send few and many small mails, each in one go in a new process."""
    peaks = []
    with server(0) as port:
        for count in counts:
            peaks.append(Peak(count, peak_of(FIRST, "small", port, folder, count)))
            print(f"{count:,} small mails in one go: peak {peaks[-1].megabytes:.1f} MB", flush=True)
    return peaks
