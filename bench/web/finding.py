"""How long customer service waits until a customer is found (rule 170)."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC
from email.utils import localtime
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from bench.web.books import books_url, empty, make_city, sign_in, tidy
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
ENROLLED, UNENROLLED = [("status", "enrolled")], [("status", "unenrolled")]
LOCKED = [("status", "permanent-lock"), ("status", "hidden")]
Filters = Sequence[tuple[str, str]]
ASKED: dict[str, tuple[str, Filters]] = {
    "a whole account number": ("1000017", ()),
    "a part of one": ("00017", ()),
    "a last name": ("abbott17", ()),
    "first and last name": ("Ann Abbott17", ()),
    "a house number: the whole building": ("2172", ()),
    "a street of every account": ("canyon st", ()),
    "a billing address": ("PO Box 4711", ()),
    "an e-mail address": ("ann17@example.com", ()),
    "a part of one address": ("ann1777", ()),
    "a person ID": ("customer 17", ()),
    "a meter": ("WM7-1000017", ()),
    "a part of a meter": ("wm71000", ()),
    "nobody": ("no such customer", ()),
    "a house number, in one district": ("2172", [("district", "District 3")]),
    "a house number, enrolled alone": ("2172", ENROLLED),
    "a house number, unenrolled alone": ("2172", UNENROLLED),
    "a house number, locked or hidden": ("2172", LOCKED),
    "two letters that nobody has": ("qz", ()),
    "two letters of many": ("an", ()),
    "one letter": ("q", ()),
    "a street's second page": ("canyon st", [("page", "2")]),
    "a street's last page": ("canyon st", [("page", "20")]),
    "nothing: all customers": ("", ()),
    "nothing: all customers' last page": ("", [("page", "20")]),
    "nothing: all that are enrolled": ("", ENROLLED),
    "nothing: all of one district": ("", [("district", "District 3")]),
}
BARE = sa.text("SELECT account_key FROM account_search WHERE text LIKE '% no such customer %'")


@dataclass(frozen=True)
class Found:
    """One way to ask, and how long the page took."""

    books: str
    accounts: int
    asked: str
    cpu_ms: float  # of this process, the middle of all: a busy machine does not lengthen it
    median_ms: float
    worst_ms: float
    times_bare: float  # the median beside a bare LIKE's over all texts, asked in turn with it


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
        sign_in(database, accounts, localtime().astimezone(UTC), customers=accounts // 2)
        tidy(database)
        database.close()
        make_secret(home)
        office = Office(
            home, open_settings(home), Clock(lambda: localtime().astimezone(UTC)), "bench"
        )
        yield from asyncio.run(_ask_all(office, accounts, "PostgreSQL" if url else "SQLite"))
        office.database.close()
        if url:
            empty(url)


async def _ask_all(office: Office, accounts: int, books: str) -> list[Found]:
    desk: Any = desk_of(office)
    _let_in(office)
    transport = httpx.ASGITransport(desk)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        sent = {"email": WORKS_HERE, "password": PASSWORD}
        await client.post("/office/sign-in", data=sent)
        return [
            Found(books, accounts, name, *await _ask(client, office, *asked))
            for name, asked in ASKED.items()
        ]


async def _ask(
    client: httpx.AsyncClient, office: Office, typed: str, filters: Filters
) -> tuple[float, float, float, float]:
    worked, taken, bare = [], [], []
    asked = [("q", typed), *([("filtered", "1"), *_boxes(filters)] if filters else [])]
    for _ in range(TIMES):
        with office.database.reading() as books:
            if not office.database.is_sqlite:
                books.exec_driver_sql("SET LOCAL enable_bitmapscan = off")  # no index for it
            began = time.perf_counter()
            books.execute(BARE).all()
            bare.append(1000 * (time.perf_counter() - began))
        began, working = time.perf_counter(), time.process_time()
        answer = await client.get("/csr", params=asked)
        taken.append(1000 * (time.perf_counter() - began))
        worked.append(1000 * (time.process_time() - working))
        if answer.status_code != 200 or "Results" not in answer.text:
            raise RuntimeError(f"the console answered {answer.status_code}")
    median = statistics.median(taken)
    return statistics.median(worked), median, max(taken), median / statistics.median(bare)


def _boxes(filters: Filters) -> list[tuple[str, str]]:
    """Return the filters; where no box is named, with those that are checked at first."""
    checked = [] if any(name == "status" for name, _ in filters) else [*ENROLLED, *UNENROLLED]
    return [*filters, *checked]


def _let_in(office: Office) -> None:
    now = office.due_now()
    with office.database.writing() as books:
        mail = add_staff(books, office.link_tokens, WORKS_HERE, Role.CSR, now, "bench")
    token = office.link_tokens.token(mail.link)
    choose_staff_password(office.database, Passwords(), token, PASSWORD, now)


def _table(rows: list[Found]) -> str:
    slowest = max(rows, key=lambda row: row.median_ms)
    lines = [
        "# Finding a customer",
        "",
        f"{machine()}, load {os.getloadavg()[1]:.1f}. The console's whole page with 25 rows, asked "
        f"{TIMES} times each way in one process. Half of the accounts have a portal user.",
        "",
        "| books | accounts | typed | CPU ms | median ms | worst ms | times a bare LIKE |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {row.books} | {row.accounts:,} | {row.asked} | {row.cpu_ms:.1f} | "
            f"{row.median_ms:.1f} | {row.worst_ms:.1f} | {row.times_bare:.1f} |"
            for row in rows
        ),
        "",
        f"The slowest takes {slowest.median_ms:.0f} ms by the clock ({slowest.asked}, "
        f"{slowest.books}) and {slowest.cpu_ms:.0f} ms of this process's CPU; {TARGET_MS:.0f} ms "
        "are the most it should. The bare LIKE reads all texts once, in the same books, in turn.",
        "",
    ]
    return "\n".join(lines)
