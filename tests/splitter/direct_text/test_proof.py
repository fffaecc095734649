"""The direct reader is proved as it works: caught once, it is believed in nothing."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace

import pytest

from splitter.direct_text.page_facts import DirectFacts
from splitter.pdf.opening import open_source
from splitter.reading.page import DocumentText, ReadersDisagree
from splitter.text.patterns import compile_patterns
from splitter.workers import page_worker
from splitter.workers.page_facts import read_in, read_pages
from splitter.workers.parent import WorkerProcess
from tests.splitter.pdf_builders import a_bulk_file, a_page, write_pdf

PAGES = 200


@pytest.fixture
def path(tmp_path):
    return write_pdf(tmp_path / "bills.pdf", [a_page(f"01.{n:04}.1") for n in range(PAGES)])


class Liar(DirectFacts):
    """A direct reader that is right at first and later reads other accounts."""

    def facts(self, number):
        facts, text = super().facts(number)
        if number < 40:
            return facts, text
        return replace(facts, accounts=("99.9999.9",)), text


class Forgetful(DirectFacts):
    """A direct reader that leaves out a part of the text which no pattern is about."""

    def facts(self, number):
        facts, text = super().facts(number)
        return facts, text.replace("Amount", "")


class InThisProcess:
    """A workshop whose hands are threads, so that a test can get at them."""

    def __init__(self, path, patterns):
        self._path, self._patterns = path, patterns
        self._source, self._tree = open_source(path)
        self.pages, self.name = len(self._tree), path.name

    def start_worker(self, *, copies=False):
        ours, theirs = socket.socketpair()
        work = page_worker.PageWorker(self._path, self._source, self._tree, self._patterns)
        threading.Thread(target=self._serve, args=[work, theirs], daemon=True).start()
        return WorkerProcess(self, 1, ours.detach(), 60.0)

    def dismiss(self, number):
        """Nothing to do: the thread ends with its channel."""

    @staticmethod
    def _serve(work, channel):
        with channel:
            try:
                work.serve(channel)
            except OSError:
                return  # the other end was closed in the middle


@pytest.mark.parametrize("reader", [DirectFacts, Liar, Forgetful])
def test_a_reader_that_is_caught_is_believed_in_nothing(reader, path, monkeypatch):
    monkeypatch.setattr(page_worker, "DirectFacts", reader)
    patterns = compile_patterns(a_bulk_file())
    counted = []

    # one at a time: pdfium, which each hand has to itself, must not be shared by threads
    facts = read_in(InThisProcess(path, patterns), processes=1, progress=counted.append).facts

    assert [(f"01.{n:04}.1",) for n in range(PAGES)] == [page.accounts for page in facts]
    assert sum(counted) == PAGES


def test_the_engines_are_asked_about_the_first_pages_and_some_later(path, monkeypatch):
    asked = []
    by_engines = DocumentText._facts_by_engines
    monkeypatch.setattr(
        DocumentText,
        "_facts_by_engines",
        lambda self, number: asked.append(number) or by_engines(self, number),
    )
    patterns = compile_patterns(a_bulk_file())
    document = DocumentText(path, patterns, plain=DirectFacts(*open_source(path), patterns))

    read = [document.facts(page)[0].accounts for page in range(PAGES)]
    document.close()

    assert [(f"01.{n:04}.1",) for n in range(PAGES)] == read
    assert asked == [0, 1, 2, 3, 32, 64, 96, 128, 160, 192]


def test_after_a_lie_the_engines_read_alone(path):
    patterns = compile_patterns(a_bulk_file())
    document = DocumentText(path, patterns, plain=Liar(*open_source(path), patterns))

    with pytest.raises(ReadersDisagree):
        document.facts(64)
    read = document.facts(65)[0].accounts
    document.close()

    assert read == ("01.0065.1",)


def test_children_and_engines_say_the_same(path):
    patterns = compile_patterns(a_bulk_file())
    document = DocumentText(path, patterns)
    engines = [document.facts(page)[0] for page in range(PAGES)]
    document.close()

    assert engines == read_pages(path, patterns, processes=2)
