"""
Lives seeds of the simulations of money by hand: a seed is the same life in every process.

    python -m tests.billing_system.live_seeds feed.url 700 25

lives through 25 seeds from 700 on and says of each what was wrong in the end, how much failed
meanwhile, and a digest of all that happened: of every boundary and call in their order, and of
what the books say of money. `--postgres URL` keeps the books there, `--minutes` ends it early.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from database.books import Database
from database.tables import metadata
from tests.billing_system.collected_simulation import CollectedSimulation
from tests.billing_system.fed_simulation import FOLDER, URL
from tests.billing_system.test_fed_simulation import a_town, live, more_books
from tests.conftest import MEMORY, fresh_postgres, sqlite_reads
from tests.payments.checkout.customers import bad_days
from tests.payments.checkout.test_checkout_simulation import DAILY
from tests.payments.checkout.truth import faults_of
from tests.payments.simulated_faults import Weather
from tests.payments.simulated_truth import what_is_written
from tests.payments.simulation import Size, simulate


@dataclass(frozen=True)
class Life:
    """What came of a seed."""

    faults: list[str]
    weather: Weather
    written: list[str]

    @property
    def digest(self) -> str:
        told = "\n".join([*self.weather.diary, *self.written])
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        died, struck = self.weather.crashes.total(), self.weather.struck.total()
        said = "; ".join(self.faults[:5]) or "all agree"
        return f"{said} ({died} deaths, {struck} faults, {self.digest})"


def live_payments(place: Path, empty: Path, seed: int, url: str) -> Life:
    """Live through sixty bad days of a collector."""
    world = simulate(place, empty, seed, Size(payments=60), url)
    life = Life(world.find_faults(), world.weather, what_is_written(world.books))
    world.close()
    return life


def live_checkout(place: Path, empty: Path, seed: int, url: str) -> Life:
    """Live through bad days with customers who pay by hand."""
    world, payers = bad_days(place, empty, seed, DAILY, 5, url)
    life = Life(list(faults_of(world, payers)), world.weather, what_is_written(world.books))
    world.close()
    return life


def live_collected(place: Path, _empty: Path, seed: int, url: str) -> Life:
    """Live through half a year of two cycles without a feed's faults."""
    place.mkdir()
    books = Database(url) if url else more_books(place)
    simulation = CollectedSimulation(books, seed, place=place)
    return _to_life(simulation, simulation.run() or simulation.settle())


def live_fed(place: Path, seed: int, url: str, way: str) -> Life:
    """Live through months with a feed."""
    place.mkdir()
    books = Database(url) if url else more_books(place)
    simulation = a_town(books, seed, place, way)
    faults = live(simulation)
    return _to_life(simulation, [*faults, *map(str, simulation.four_books())])


def _to_life(simulation: CollectedSimulation, faults: list[str]) -> Life:
    held, in_the_books = simulation.chain()
    if held != in_the_books:
        faults = [*faults, f"the gateway holds {held}, the books say {in_the_books}"]
    life = Life(faults, simulation.weather, what_is_written(simulation.books))
    simulation.close()
    simulation.books.close()
    return life


KINDS: dict[str, Callable[[Path, Path, int, str], Life]] = {
    "payments": live_payments,
    "checkout": live_checkout,
    "collected": live_collected,
    FOLDER: lambda place, _empty, seed, url: live_fed(place, seed, url, FOLDER),
    URL: lambda place, _empty, seed, url: live_fed(place, seed, url, URL),
}


@contextmanager
def _template(server: str) -> Iterator[str]:
    """Make the tables once; each seed has a copy."""
    with fresh_postgres(server, "template0") as url:
        books = Database(url)
        metadata.create_all(books.engine)
        books.close()
        yield sa.make_url(url).database or ""


def main(arguments: list[str]) -> int:
    told = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    told.add_argument("kind", choices=sorted(KINDS))
    told.add_argument("first", type=int, help="the first seed")
    told.add_argument("count", type=int, nargs="?", default=1, help="how many seeds")
    told.add_argument("--postgres", default="", metavar="URL", help="of a server for the books")
    told.add_argument("--minutes", type=float, default=10_000.0, help="after which none is begun")
    told.add_argument("--forwards", action="store_true", help="read unordered rows from the front")
    asked = told.parse_args(arguments)
    until = time.monotonic() + asked.minutes * 60
    wrong = 0
    with (
        TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder,
        sqlite_reads(backwards=not asked.forwards),
        _template(asked.postgres) if asked.postgres else nullcontext("") as template,
    ):
        empty = Path(folder) / "books.db"
        more_books(Path(folder)).close()
        for seed in range(asked.first, asked.first + asked.count):
            if time.monotonic() > until:
                break
            server = fresh_postgres(asked.postgres, template) if template else nullcontext("")
            with server as url:
                life = KINDS[asked.kind](Path(folder) / str(seed), empty, seed, url)
            wrong += bool(life.faults)
            print(f"{asked.kind} {seed}: {life}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
