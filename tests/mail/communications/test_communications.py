"""Communications that are posted: what is kept, after a kill too, and what mails link to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from pypdf import PdfWriter

from database.tables import audit, communication
from domain.failures import Misuse, Refused
from mail.communications.posted import (
    Details,
    LiveCommunications,
    PdfFile,
    add_communication,
    change_communication,
    file_of,
    read_pdf_file,
    read_posted,
    remove_communication,
)
from mail.letters.samples import sample_pdf
from splitter.store.bill_store import BillStore
from tests.mail.builders import NOW

LEAVES = PdfFile("leaves.pdf", sample_pdf(), 1)
RATES = PdfFile("rates.pdf", sample_pdf() + b"\n% rates\n", 1)
DETAILS = Details("Leaf pick-up")
URL = "https://larkspur.example/news/{number}"
TODAY = date(2026, 11, 30)


class Killed(BaseException):
    """The process is gone."""


class DyingStore:
    """A store whose process is killed before or after a file is written, once."""

    def __init__(self, store: BillStore, *, after: bool) -> None:
        self._store, self._after = store, after

    def write(self, path: str, content: bytes) -> None:
        if self._after:
            self._store.write(path, content)
        raise Killed

    def read(self, path: str) -> bytes:
        return self._store.read(path)

    def exists(self, path: str) -> bool:
        return self._store.exists(path)


@pytest.fixture
def store(tmp_path) -> BillStore:
    return BillStore(tmp_path / "bills")


def add(database, store, pdf=LEAVES, details=DETAILS):
    return add_communication(database, store, pdf, details, now=NOW, who="anna")


def live(database, today=TODAY, url=URL) -> LiveCommunications:
    return LiveCommunications(database, url, lambda: today, fresh_seconds=0)


def test_what_is_posted_is_kept_by_number_and_hash_for_the_office_alone(database, store, tmp_path):
    """Rules 104, 105."""
    added = add(database, store)
    again = add(database, store)

    path = file_of(1, LEAVES.sha256)
    assert [(1, True), (1, False)] == [(one.number, one.is_new) for one in (added, again)]
    assert LEAVES.content == store.read(path)
    assert 0o600 == (tmp_path / "bills" / path).stat().st_mode & 0o777
    with database.reading() as books:
        acts = books.scalars(sa.select(audit.c.action)).all()
    assert ["add communication"] == acts


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_while_it_is_written_is_made_good_by_adding_it_again(database, store, after):
    with pytest.raises(Killed):
        add(database, DyingStore(store, after=after))
    shown_early = read_posted(database)
    added = add(database, store)

    assert ([], 1, True) == (shown_early, added.number, added.is_new)
    assert [1] == [one.number for one in read_posted(database)]
    assert LEAVES.content == store.read(file_of(1, LEAVES.sha256))


def test_a_file_that_got_lost_is_written_anew(database, store, tmp_path):
    add(database, store)
    (tmp_path / "bills" / file_of(1, LEAVES.sha256)).unlink()

    add(database, store)

    assert LEAVES.content == store.read(file_of(1, LEAVES.sha256))


def test_the_same_file_under_another_title_is_to_be_changed(database, store):
    add(database, store)

    with pytest.raises(Refused, match="communication change 1"):
        add(database, store, details=replace(DETAILS, title="Other"))

    change_communication(database, 1, {"title": "Other"}, now=NOW, who="anna")
    assert ["Other"] == [one.title for one in read_posted(database)]


def test_what_is_removed_can_be_posted_anew(database, store):
    add(database, store)
    remove_communication(database, 1, "a mistake", now=NOW, who="anna")
    again = add(database, store)

    assert 2 == again.number
    with database.reading() as books:
        reasons = books.scalars(
            sa.select(communication.c.removal_reason).order_by(communication.c.number)
        ).all()
    assert ["a mistake", None] == reasons


@pytest.mark.parametrize("number", [1, 7])
def test_only_what_is_posted_can_be_removed(database, store, number):
    """Rule 106."""
    add(database, store)
    remove_communication(database, 1, "a mistake", now=NOW, who="anna")

    with pytest.raises(Misuse, match=f"Communication {number}"):
        remove_communication(database, number, "again", now=NOW, who="anna")


def test_a_mail_links_to_what_is_live_when_it_is_composed(database, store):
    """Rules 107, 108."""
    add(database, store)
    add(database, store, RATES, Details("Rates", expires_on=TODAY))
    links = live(database)
    on_its_last_day = links.latest_link()
    after_it = live(database, date(2026, 12, 1)).latest_link()
    remove_communication(database, 2, "wrong rates", now=NOW, who="anna")
    after_its_removal = links.latest_link()
    remove_communication(database, 1, "over", now=NOW, who="anna")

    assert "https://larkspur.example/news/2" == on_its_last_day
    assert ["https://larkspur.example/news/1"] * 2 == [after_it, after_its_removal]
    assert ("", "") == (links.latest_link(), links.link_to(1))


def test_an_address_of_its_own_comes_before_the_offices(database, store):
    add(database, store, LEAVES, Details("Leaves", "https://city.example/leaves"))

    assert "https://city.example/leaves" == live(database).latest_link()
    assert "https://city.example/leaves" == live(database, url="").link_to(1)


def test_an_office_without_a_page_links_to_nothing(database, store):
    add(database, store)

    assert "" == live(database, url="").latest_link()


def a_locked_pdf() -> bytes:
    import io

    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(612, 792)
    writer.encrypt("", "owner")
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(b"hello", "is not a PDF", id="a text"),
        pytest.param(b"", "is not a PDF", id="nothing"),
        pytest.param(b"%PDF-1.7\nrubbish", "cut off or damaged", id="rubbish"),
        pytest.param(sample_pdf()[:60], "cut off or damaged", id="cut off"),
        pytest.param(a_locked_pdf(), "is encrypted", id="locked"),
        pytest.param(sample_pdf() + b" " * 2_000, "more than the 0.002 MB", id="too large"),
    ],
)
def test_a_file_that_customers_could_not_open_is_refused(tmp_path: Path, content, what):
    file = tmp_path / "news.pdf"
    file.write_bytes(content)

    with pytest.raises(Misuse, match=what) as refused:
        read_pdf_file(file, 2_000)

    assert "pdf-unreadable" == refused.value.code


def test_a_sound_pdf_is_read_with_its_pages(tmp_path):
    file = tmp_path / "news.pdf"
    file.write_bytes(sample_pdf())

    assert PdfFile("news.pdf", sample_pdf(), 1) == read_pdf_file(file, 2_000)
    with pytest.raises(Misuse, match="cannot be read"):
        read_pdf_file(tmp_path / "none.pdf", 2_000)


def test_a_batch_of_mails_asks_the_books_once_which_communication_is_live_and_which_day_it_is(
    database, store
):
    add(database, store)
    asked = []
    live = LiveCommunications(database, URL, lambda: asked.append(TODAY) or TODAY)

    links = {live.latest_link() for _ in range(50)} | {live.link_to(1)}

    assert {URL.replace("{number}", "1")} == links
    assert [TODAY] == asked
