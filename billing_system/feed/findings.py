"""What a person must see of a file of the feed, kept until it is settled."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from database.feed.tables import feed_finding
from database.inserting import insert_new
from domain.accounts import account_key
from domain.feeds import FeedMovement
from domain.problems import Problem

CHANGED = "movement-changed"
UNKNOWN_ACCOUNT = "movement-unknown-account"
WRONG_SIGN = "wrong-sign"


@dataclass(slots=True)
class Findings:
    """The findings of one file; each stands once, however often the file is taken in."""

    feed: int
    found_at: datetime
    messages: list[str] = field(default_factory=list)

    def add(
        self,
        books: Connection,
        movement: FeedMovement,
        code: str,
        what: str,
        entry_key: str | None = None,
    ) -> None:
        message = f"The movement {movement.movement_id} {what}."
        self._add(books, movement.movement_id, code, movement.account, message, entry_key)

    def add_problem(self, books: Connection, problem: Problem) -> None:
        """Keep a row that could not be read; its message holds no personal data."""
        place = f"{problem.file} row {problem.row}"
        self._add(books, place, problem.code, problem.account, problem.message)

    def add_account(self, books: Connection, account: str, what: str) -> None:
        message = f"The account {account} {what}."
        self._add(books, f"account {account}", "change-unknown-account", account, message)

    def add_acknowledgement(self, books: Connection, number: int) -> None:
        message = f"The acknowledgement of change {number} is of none that we told."
        self._add(books, f"change {number}", "acknowledgement-unknown", "", message)

    def _add(
        self,
        books: Connection,
        place: str,
        code: str,
        account: str,
        message: str,
        entry_key: str | None = None,
    ) -> None:
        row = {
            "feed": self.feed,
            "place": place[:160],
            "code": code,
            "account_key": account_key(account),
            "account": account[:64],
            "entry_key": entry_key,
            "message": message,
            "found_at": self.found_at,
        }
        books.execute(insert_new(books.dialect.name, feed_finding), row)
        self.messages.append(f"{code}: {message}")
