"""How heavy the portal's pages are for a browser that comes for the first time."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape

PLAIN, WITH_CHART = 20_000, 60_000  # octets; what a page may weigh
PAGES = ("/", "/bills", "/wallet", "/news", "/link", "/account", "/sign-in", "/register", "/usage")
_PART = re.compile(r'(?:href|src)="(/(?:static|theme)/[^"]+)"')
_CLOCK = re.compile(r"As of \d+:\d\d [AP]M")


@dataclass(frozen=True)
class Weight:
    """A page in octets: its HTML, its charts in it, and what it loads beside, uncompressed."""

    path: str
    html: int
    beside: int
    charts: int

    @property
    def whole(self) -> int:
        return self.html + self.beside

    @property
    def most(self) -> int:
        return WITH_CHART if self.charts else PLAIN


def weigh(port: int, cookie: str) -> list[Weight]:
    """Load every page of a customer with what it names, as a browser that has kept nothing."""
    weights = []
    for path in PAGES:
        page = fetch(port, path, "" if path in ("/sign-in", "/register") else cookie)
        text = page.decode()
        parts = set(_PART.findall(text))
        beside = sum(len(fetch(port, part, cookie)) for part in parts)
        weights.append(Weight(path, len(page), beside, text.count("<svg")))
    return weights


def table_of_weights(weights: Sequence[Weight]) -> Iterator[str]:
    yield "## What pages weigh"
    yield ""
    yield "Uncompressed, by a browser that has kept nothing: HTML with charts, style, script."
    yield ""
    yield "| page | HTML | style and script | whole | at most | charts |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for one in weights:
        over = "" if one.whole < one.most else " (over)"
        yield (
            f"| `{one.path}` | {one.html:,} | {one.beside:,} | {one.whole:,}{over} |"
            f" {one.most:,} | {one.charts} |"
        )


def words_of(port: int, cookie: str) -> str:
    """Return what the home page says, without its tags and its clock."""
    page = fetch(port, "/", cookie).decode().partition("<body>")[2]
    return _CLOCK.sub("", " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split()))


def fetch(port: int, path: str, cookie: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Cookie": f"portal={cookie}"} if cookie else {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{path} is answered with {answer.status}")
    return body
