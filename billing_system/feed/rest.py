"""The feed of a billing system behind a web service: files by number, choices by PUT."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import is_zipfile

import httpx
from pydantic import SecretStr

from billing_system.feed.port import FeedFile
from billing_system.feed.reading import read_feed_file
from domain.causes import say_cause
from domain.failures import Misuse, OutcomeUnknown, TemporaryFailure
from domain.feeds import Acknowledgement, Choice

SECONDS = 30.0  # for each part of a call
LARGEST_FILE = 200_000_000  # bytes
MOST_FILES = 400  # a year of nights and more, at one time
REASON = 200
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class RestFeed:
    """
    A generic service: GET /feed?after=N, GET /feed/N, PUT and GET /changes/ID.

    `/feed` lists the numbers of the files there are, `/feed/N` is one of them as a .zip. A choice
    is PUT under its number as often as need be: the billing system takes it once. 200 and 201 are
    "taken", 202 "told", 409 and 422 "refused" with `error`; a GET says the same later.
    """

    name = "feed service"

    def __init__(self, url: str, token: SecretStr, *, seconds: float = SECONDS) -> None:
        secret = token.get_secret_value()
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {secret}"} if secret else {},
            timeout=httpx.Timeout(seconds, connect=min(seconds, 10.0)),
        )

    def new_files(self, after: int | None) -> Iterator[FeedFile]:
        for number in self._numbers(after):
            yield self._fetch(number)

    def mark_taken_in(self, file: FeedFile) -> None:
        """Put nothing away: the service keeps its files."""

    def tell(self, choices: list[Choice]) -> list[Acknowledgement]:
        said = []
        for one in choices:
            answer = self._call("PUT", f"/changes/{one.number}", json=_to_body(one))
            said += self._read(one, answer)
        return said

    def ask(self, choices: list[Choice]) -> list[Acknowledgement]:
        said = []
        for one in choices:
            answer = self._call("GET", f"/changes/{one.number}")
            if answer.status_code != httpx.codes.NOT_FOUND:
                said += self._read(one, answer)
        return said

    def close(self) -> None:
        self._client.close()

    def _numbers(self, after: int | None) -> list[int]:
        answer = self._call("GET", "/feed", params={} if after is None else {"after": after})
        if not answer.is_success:
            raise TemporaryFailure(f"the feed answered {answer.status_code}")
        try:
            numbers = [int(number) for number in answer.json()["files"]]
        except (ValueError, KeyError, TypeError):
            raise TemporaryFailure("the feed gave an answer that cannot be read") from None
        return sorted(set(numbers))[:MOST_FILES]

    def _fetch(self, number: int) -> FeedFile:
        answer = self._call("GET", f"/feed/{number}")
        if not answer.is_success:
            raise TemporaryFailure(f"the feed answered {answer.status_code} for file {number}")
        content = answer.content
        announced = answer.headers.get("Digest", "").removeprefix("sha-256=")
        if len(content) > LARGEST_FILE or (
            announced and announced != hashlib.sha256(content).hexdigest()
        ):
            raise TemporaryFailure(f"file {number} of the feed did not arrive whole")
        with TemporaryDirectory() as folder:  # its owner's alone
            path = Path(folder) / f"feed-{number}.zip"
            path.write_bytes(content)
            if not is_zipfile(path):
                raise TemporaryFailure(f"what the feed gave for file {number} is no .zip")
            file = read_feed_file(path)
        if file.sequence not in (None, number):
            raise Misuse(
                f"The feed gave file {number} and its feed.toml says {file.sequence}.", "feed"
            )
        return file

    def _read(self, one: Choice, answer: httpx.Response) -> list[Acknowledgement]:
        """Read what became of a choice; raises where neither yes nor no was said."""
        status = answer.status_code
        if status in (httpx.codes.OK, httpx.codes.CREATED):
            return _stated(one, answer)
        if status in (httpx.codes.ACCEPTED, httpx.codes.NO_CONTENT):
            return []
        if status in (httpx.codes.CONFLICT, httpx.codes.UNPROCESSABLE_ENTITY):
            return [Acknowledgement(one.number, is_taken=False, reason=_reason(answer))]
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise OutcomeUnknown(f"the billing system answered {status}")
        raise TemporaryFailure(f"the billing system answered {status}; check its address and token")

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **options)
        except _NEVER_SENT as failure:
            why = say_cause(failure)
            raise TemporaryFailure(f"the billing system cannot be reached ({why})") from None
        except httpx.HTTPError as failure:
            why = say_cause(failure)
            fault = OutcomeUnknown if method == "PUT" else TemporaryFailure
            raise fault(f"the billing system gave no answer ({why})") from None


def _stated(one: Choice, answer: httpx.Response) -> list[Acknowledgement]:
    """Read a state that is written out; a bare 200 is a yes."""
    try:
        state = answer.json().get("state", "taken")
    except (ValueError, AttributeError):
        state = "taken"
    if state == "refused":
        return [Acknowledgement(one.number, is_taken=False, reason=_reason(answer))]
    return [Acknowledgement(one.number, is_taken=True)] if state == "taken" else []


def _reason(answer: httpx.Response) -> str:
    """Return the service's own words, cut short and on one line."""
    try:
        words = " ".join(str(answer.json()["error"]).split())
    except (ValueError, KeyError, TypeError):
        return "no reason given"
    return "".join(sign for sign in words if sign.isprintable())[:REASON]


def _to_body(one: Choice) -> dict[str, str]:
    return {
        "account": one.account,
        "field": one.field,
        "value": one.value,
        "at": one.at.isoformat(timespec="seconds"),
        "by": one.by,
    }
