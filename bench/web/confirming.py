"""What confirming a payment by hand costs the server, beside its own statements alone."""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import localtime
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from bench.measuring import how_many_times
from bench.web.books import books_url, empty, make_city, sign_in
from bench.web.load import cpu_of
from bench.web.serving import office_that_pays
from bench.writing import machine, memory_disk, write_down
from database.books import Database
from database.definitions.identity import account_link, wallet_method, web_user
from database.tables import gateway_payment
from domain.checkout import CheckoutOwner, PayLine
from domain.money import Money
from domain.payments import MethodKind, PaymentState
from office.secrets.files import make_secret
from payments.checkout.confirming import PayWish, draft_checkout
from rules.money.checkout import CheckoutPolicy
from web.desk import desk_of

CUSTOMERS = 400
WARM = 100  # of them, whose confirms are not counted
SETTINGS = '[web]\nurl = "http://127.0.0.1"\n[database]\nurl = "{url}"\n'
OURS, FLOOR = "billclose", "floor"
Statements = list[tuple[str, Any, bool]]  # as the driver had them; many: one for each parameter


@dataclass(frozen=True)
class Confirmed:
    """One way to confirm so many payments, and what each took."""

    served: str
    books: str
    accounts: int
    confirms: int
    cpu_ms: float
    middle_ms: float


def measure_confirming(accounts: int, postgres: str, folder: Path, serving: Any) -> None:
    """Confirm payments over the wire on each database, then by the bare driver; write it down."""
    places = ["", *([postgres] if postgres else [])]
    rows = [row for url in places for row in _measure(accounts, url, serving)]
    written = _table(rows)
    told = {"machine": machine(), "load": os.getloadavg()[1], "rows": [asdict(row) for row in rows]}
    write_down("confirming", told, written, folder=folder)
    print(written)


def _measure(accounts: int, url: str, serving: Any) -> Iterator[Confirmed]:
    with tempfile.TemporaryDirectory(prefix="billclose-confirm-", dir=memory_disk()) as name:
        home = Path(name) / "home"
        home.mkdir()
        place = url or books_url(home)
        (home / "billclose.toml").write_text(SETTINGS.format(url=place))
        make_secret(home)
        now = localtime().astimezone(UTC)
        database = Database(place)
        make_city(database, accounts, now, has_movements=False)
        cookies = sign_in(database, accounts, now)[:CUSTOMERS]
        _draft_all(database, len(cookies), now)
        database.close()
        if not url:
            for copy in ("floor", "heard"):
                shutil.copytree(home, Path(name) / copy)
                own = SETTINGS.format(url=books_url(Path(name) / copy))
                (Path(name) / copy / "billclose.toml").write_text(own)
        yield _over_the_wire(home, url, accounts, cookies, serving)
        if url:
            empty(url)
            return
        heard = asyncio.run(_hear(Path(name) / "heard", cookies))
        yield _by_the_driver(Path(name) / "floor" / "billclose.db", accounts, heard)


def _draft_all(database: Database, customers: int, now: datetime) -> None:
    """Show each customer the check page of one dollar on their own account, so to speak."""
    known = {"kind": MethodKind.CARD, "last4": "4242", "added_at": now}
    methods = [
        {"token": _token(number), "user_number": number} for number in range(1, customers + 1)
    ]
    with database.writing() as books:
        books.execute(wallet_method.insert().values(**known), methods)
        books.execute(web_user.update().values(address=web_user.c.mailbox))  # wallets go by it
        mine = dict(
            books.execute(sa.select(account_link.c.user_number, account_link.c.account_key))
            .tuples()
            .all()
        )
    for number in range(1, customers + 1):
        owner = CheckoutOwner(number, f"{number - 1}@p.example")
        line = PayLine(mine[number], mine[number], Money(100))
        with database.writing() as books:
            wish = PayWish(owner, (line,), _token(number))
            refusal = draft_checkout(books, _key(number), wish, CheckoutPolicy(), now)
        if refusal is not None:
            raise RuntimeError(f"nothing can be paid: {refusal.reason}")


def _over_the_wire(
    home: Path, url: str, accounts: int, cookies: Sequence[str], serving: Any
) -> Confirmed:
    """Press every button once, over one connection; each must have paid."""
    waits: list[float] = []
    with serving("paying", home, []) as (port, server):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        begun = 0.0
        for number, cookie in enumerate(cookies, 1):
            if number == WARM + 1:
                begun, waits = cpu_of(server), []
            asked = time.perf_counter()
            body = f"csrf={cookie[:43]}"
            head = {
                "Cookie": f"portal={cookie}",
                "Content-Type": "application/x-www-form-urlencoded",
            }
            connection.request("POST", f"/payments/{_key(number)}/confirm", body, head)
            answer = connection.getresponse()
            answer.read()
            waits.append(time.perf_counter() - asked)
            if answer.status != 303:
                raise RuntimeError(f"the page answered {answer.status}")
        used = cpu_of(server) - begun
        connection.close()
    _require_all_paid(url or books_url(home), len(cookies))
    count = len(cookies) - WARM
    books = "PostgreSQL" if url else "SQLite"
    middle = 1000 * statistics.median(waits)
    return Confirmed(OURS, books, accounts, count, 1000 * used / count, middle)


def _require_all_paid(url: str, customers: int) -> None:
    database = Database(url)
    paid = sa.select(sa.func.count()).where(
        gateway_payment.c.key.startswith("checkout/"),
        gateway_payment.c.state == PaymentState.SUCCEEDED,
    )
    with database.reading() as books:
        found = books.scalar(paid)
    database.close()
    if found != customers:
        raise RuntimeError(f"{found} of {customers} payments were made")


async def _hear(home: Path, cookies: Sequence[str]) -> list[Statements]:
    """Confirm the same in this process, and take down what each confirm says to the books."""
    office = office_that_pays(home)
    heard: list[Statements] = []

    def hear(_b: Any, _c: Any, statement: str, given: Any, _context: Any, many: bool) -> None:
        heard[-1].append((statement, given, many))

    sa.event.listen(office.database.engine, "before_cursor_execute", hear)
    for ending in ("commit", "rollback"):
        sa.event.listen(
            office.database.engine,
            ending,
            lambda _books, ending=ending: heard[-1].append((ending.upper(), (), False)),
        )
    transport = httpx.ASGITransport(desk_of(office))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for number, cookie in enumerate(cookies, 1):
            heard.append([])
            await client.post(
                f"/payments/{_key(number)}/confirm",
                data={"csrf": cookie[:43]},
                headers={"cookie": f"portal={cookie}"},
            )
    office.database.close()
    return heard


def _by_the_driver(file: Path, accounts: int, heard: Sequence[Statements]) -> Confirmed:
    """Say the same to a copy of the books, and do nothing else."""
    waits: list[float] = []
    with closing(sqlite3.connect(file, isolation_level=None)) as books:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            books.execute(f"PRAGMA {pragma}")
        begun = time.process_time()
        for at, statements in enumerate(heard):
            if at == WARM:
                begun, waits = time.process_time(), []
            asked = time.perf_counter()
            for statement, given, many in statements:
                _say(books, statement, given, many=many)
            waits.append(time.perf_counter() - asked)
        used = time.process_time() - begun
    _require_all_paid(f"sqlite:///{file}", len(heard))
    count = len(heard) - WARM
    middle = 1000 * statistics.median(waits)
    return Confirmed(FLOOR, "SQLite", accounts, count, 1000 * used / count, middle)


def _say(books: sqlite3.Connection, statement: str, given: Any, *, many: bool) -> None:
    if statement in ("COMMIT", "ROLLBACK"):
        if books.in_transaction:
            books.execute(statement)
    elif many:
        books.executemany(statement, given)
    else:
        if not statement.startswith(("BEGIN", "PRAGMA")) and not books.in_transaction:
            books.execute("BEGIN")
        books.execute(statement, given).fetchall()


def _token(number: int) -> str:
    return f"tok_bench_{number}"


def _key(number: int) -> str:
    return f"bench-{number:037}"


def _table(rows: Sequence[Confirmed]) -> str:
    floor = next(row for row in rows if row.served == FLOOR)
    lines = [
        "# Confirming a payment",
        "",
        f"{machine()}, load {os.getloadavg()[1]:.1f}. The yes of a customer's check page: POST"
        " `/payments/KEY/confirm`, from the request to the redirect, with the draw recorded, asked"
        " and answered, the balance, the posting and the receipt's mail written down. The gateway"
        " says yes at once and costs nothing. CPU of the server, a confirm. `floor` is the same"
        " statements in the same transactions by the bare driver.",
        "",
        "| served by | books | accounts | confirms | CPU ms | times the floor | p50 ms |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        times = (
            f"{how_many_times(row.cpu_ms, floor.cpu_ms):.1f}" if row.books == floor.books else ""
        )
        lines.append(
            f"| {row.served} | {row.books} | {row.accounts:,} | {row.confirms:,} |"
            f" {row.cpu_ms:.2f} | {times} | {row.middle_ms:.2f} |"
        )
    return "\n".join([*lines, ""])
