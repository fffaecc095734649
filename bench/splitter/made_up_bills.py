"""Made-up bills for the bulk files that are measured; no customer is real."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

PAGES_OF_BILLS, WEIGHTS = (1, 2, 3, 4), (62, 28, 7, 3)
LINES_A_PAGE = 30
ACCOUNT = r"Account:\s*([0-9.\-]+)"
AMOUNT_DUE = r"Amount Due:\s*(\(?-?\$?[\d,]+\.\d\d\)?)"
DUE_DATE = r"Due Date:\s*(\d{1,2}/\d{1,2}/\d{4})"

_STREETS = ("Elm", "Oak", "Main", "First", "River", "Hill", "Mill", "Lake", "Park", "Cedar")
_NAMES = ("Ashby", "Brandt", "Cole", "Doyle", "Eaton", "Flores", "Grant", "Hayes", "Irwin", "Novak")
_LINES = ("Water usage tier", "Sewer volume", "Storm drain", "Refuse cart 64 gal", "Recycling")


@dataclass(frozen=True, slots=True)
class MadeUpBill:
    account: str
    name: str
    street: str
    amount_due: str
    pages: tuple[tuple[str, ...], ...]  # the lines of each page


def made_up_bills(count: int, seed: int = 7) -> Iterator[MadeUpBill]:
    """Yield bills of one to four pages; only the first page of a bill names its account."""
    chance = random.Random(seed)
    for number in range(count):
        pages = chance.choices(PAGES_OF_BILLS, WEIGHTS)[0]
        account = f"{chance.randint(10, 99)}-{number:06d}-{chance.randint(10, 99)}"
        amount = f"${chance.randint(900, 42000) / 100:,.2f}"
        yield MadeUpBill(
            account=account,
            name=f"Customer {chance.choice(_NAMES)}",
            street=f"{chance.randint(1, 9999)} {chance.choice(_STREETS)} Street",
            amount_due=amount,
            pages=tuple(_page(chance, page, pages, account, amount) for page in range(pages)),
        )


def _page(
    chance: random.Random, page: int, pages: int, account: str, amount: str
) -> tuple[str, ...]:
    head = [f"Account: {account}", f"Amount Due: {amount}", "Due Date: 11/20/2026"]
    charges = [_charge(chance) for _ in range(LINES_A_PAGE)]
    return (
        *(["Usage details"] if page else head),
        f"Page {page + 1} of {pages}",
        *charges,
    )


def _charge(chance: random.Random) -> str:
    usage = chance.randint(0, 20000) / 1000
    return f"{chance.choice(_LINES)}   {usage:.3f}   {chance.randint(0, 9999) / 100:.2f}"


def square_code(text: str, modules: int = 29, scale: int = 3) -> bytes:
    """Return a PNG that looks like a QR code and is another one for each text."""
    chance = random.Random(text)
    rows = []
    for _ in range(modules):
        row = [chance.choice((0, 255)) for _ in range(modules)]
        rows += [b"\0" + bytes(shade for shade in row for _ in range(scale))] * scale
    return _png(modules * scale, modules * scale, b"".join(rows))


def logo(width: int = 220, height: int = 90) -> bytes:
    """Return a grey PNG that does not compress away: the letterhead's picture."""
    chance = random.Random(1)
    rows = [b"\0" + chance.randbytes(width) for _ in range(height)]
    return _png(width, height, b"".join(rows))


def _png(width: int, height: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
