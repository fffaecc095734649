"""How long customer service waits until a customer is found (rule 170)."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC
from email.utils import localtime
from pathlib import Path
from typing import Any

import httpx

from bench.web.books import books_url, make_city
from bench.writing import machine, memory_disk, write_down
from database.books import Database
from domain.identity import Role
from identity.passwords import Passwords
from identity.staff import add_staff, choose_staff_password
from office.clock import Clock
from office.equipment.office import Office
from office.secrets.files import make_secret
from office.settings.settings import open_settings
from web.desk import desk_of

TARGET_MS = 100.0
TIMES = 15
WORKS_HERE, PASSWORD = "csr@larkspur.example", "seven gray herons wade"
URL = "https://pay.larkspur.example"
SETTINGS = '[web]\nurl = "{web}"\nstaff_totp = false\n[database]\nurl = "{url}"\n'
ASKED = {
    "a whole account number": "1000017",
    "a part of one": "00017",
    "a last name": "abbott17",
    "first and last name": "Ann Abbott17",
    "a house number: the whole building": "2172",
    "a street of every account": "canyon st",
    "a billing address": "PO Box 4711",
    "an e-mail address": "ann17@example.com",
    "a part of one address": "ann1777",
    "nobody": "no such customer",
}


@dataclass(frozen=True)
class Found:
    """One way to ask, and how long the page took."""

    books: str
    accounts: int
    asked: str
    cpu_ms: float  # of this process, the middle of all: a busy machine does not lengthen it
    median_ms: float
    worst_ms: float


def measure_finding(sizes: list[int], postgres: str, folder: Path) -> None:
    """Ask the console's page in each way, in cities of these sizes, and write the results."""
    rows = [row for url in _places(postgres) for size in sizes for row in _in_city(size, url)]
    written = _table(rows)
    told = {"machine": machine(), "load": os.getloadavg()[1], "rows": [asdict(row) for row in rows]}
    write_down("finding", told, written, folder=folder)
    print(written)


def _places(postgres: str) -> list[str]:
    return ["", *([postgres] if postgres else [])]


def _in_city(accounts: int, url: str) -> Iterator[Found]:
    with tempfile.TemporaryDirectory(prefix="billclose-find-", dir=memory_disk()) as name:
        home = Path(name)
        place = url or books_url(home)
        (home / "billclose.toml").write_text(SETTINGS.format(web=URL, url=place))
        database = Database(place)
        make_city(database, accounts, localtime().astimezone(UTC), has_movements=False)
        database.close()
        make_secret(home)
        office = Office(
            home, open_settings(home), Clock(lambda: localtime().astimezone(UTC)), "bench"
        )
        yield from asyncio.run(_ask_all(office, accounts, "PostgreSQL" if url else "SQLite"))
        office.database.close()


async def _ask_all(office: Office, accounts: int, books: str) -> list[Found]:
    desk: Any = desk_of(office)
    _let_in(office)
    transport = httpx.ASGITransport(desk)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        sent = {"email": WORKS_HERE, "password": PASSWORD}
        await client.post("/office/sign-in", data=sent)
        return [
            Found(books, accounts, name, *await _ask(client, typed))
            for name, typed in ASKED.items()
        ]


async def _ask(client: httpx.AsyncClient, typed: str) -> tuple[float, float, float]:
    worked, taken = [], []
    for _ in range(TIMES):
        began, working = time.perf_counter(), time.process_time()
        answer = await client.get("/csr", params={"q": typed})
        taken.append(1000 * (time.perf_counter() - began))
        worked.append(1000 * (time.process_time() - working))
        if answer.status_code != 200 or "Results" not in answer.text:
            raise RuntimeError(f"the console answered {answer.status_code}")
    return statistics.median(worked), statistics.median(taken), max(taken)


def _let_in(office: Office) -> None:
    now = office.due_now()
    with office.database.writing() as books:
        mail = add_staff(books, office.link_tokens, WORKS_HERE, Role.CSR, now, "bench")
    token = office.link_tokens.token(mail.link)
    choose_staff_password(office.database, Passwords(), token, PASSWORD, now)


def _table(rows: list[Found]) -> str:
    slowest = max(row.cpu_ms for row in rows)
    lines = [
        "# Finding a customer",
        "",
        f"{machine()}, load {os.getloadavg()[1]:.1f}. The console's whole page with its first 25 "
        f"rows, asked {TIMES} times each way in one process.",
        "",
        "| books | accounts | typed | CPU ms | median ms | worst ms |",
        "| --- | ---: | --- | ---: | ---: | ---: |",
        *(
            f"| {row.books} | {row.accounts:,} | {row.asked} | {row.cpu_ms:.1f} | "
            f"{row.median_ms:.1f} | {row.worst_ms:.1f} |"
            for row in rows
        ),
        "",
        f"The slowest takes {slowest:.0f} ms of CPU; {TARGET_MS:.0f} ms are the most it should.",
        "",
    ]
    return "\n".join(lines)
