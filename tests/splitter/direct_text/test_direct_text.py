"""The direct reader: what it says of a page is what the engines say, or it says nothing."""

from __future__ import annotations

import os
import random
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bench.splitter.bulk_files import cache_folder
from bench.splitter.made_up_bills import ACCOUNT, AMOUNT_DUE, DUE_DATE
from bench.splitter.producers import PRODUCERS
from domain.bills import PageFacts
from domain.periods import BulkFile
from splitter.direct_text.page_facts import DirectFacts
from splitter.pdf.opening import open_source
from splitter.reading.page import DocumentText
from splitter.text.normalizing import without_spaces
from splitter.text.patterns import compile_patterns
from tests.release import so_many
from tests.splitter.content_builders import SIGNS, code, write_contents
from tests.splitter.made_up_contents import a_content
from tests.splitter.pdf_builders import a_bulk_file

SLOW = {"chromium": pytest.mark.slow, "weasyprint": pytest.mark.release}  # two print HTML
BUNDLES = Path(os.environ.get("BILLCLOSE_BUNDLES", "no-bundles"))
Said = tuple[PageFacts, str] | None


def read_both_ways(path: Path, bulk: BulkFile) -> list[tuple[Said, tuple[PageFacts, str]]]:
    """What the direct reader says of each page, if anything, and what the engines say."""
    patterns = compile_patterns(bulk)
    source, pages = open_source(path)
    document = DocumentText(path, patterns)
    try:
        return [
            # a new reader for each page: none gives up because the others were not plain
            (DirectFacts(source, pages, patterns).facts(page), document.facts(page))
            for page in range(len(pages))
        ]
    finally:
        document.close()


def share_settled(path: Path, bulk: BulkFile) -> float:
    """The share of pages that the direct reader settles; fails where it says anything else."""
    read = read_both_ways(path, bulk)
    for plain, engines in read:
        if plain is not None:
            assert (engines[0], without_spaces(engines[1])) == (plain[0], without_spaces(plain[1]))
    return sum(plain is not None for plain, _ in read) / len(read)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=SLOW.get(name, ())) for name in PRODUCERS],
)
def test_nearly_all_pages_of_every_producer_are_plain_and_read_alike(name, tmp_path):
    (tmp_path / "weasyprint").symlink_to(cache_folder() / "weasyprint")  # if it is installed
    pages = so_many(16, release=40)
    PRODUCERS["reportlab"](tmp_path / f"reportlab-{pages}.pdf", pages, tmp_path)
    path = tmp_path / f"{name}-{pages}.pdf"
    if not PRODUCERS[name](path, pages, tmp_path):
        pytest.skip(f"{name} is not installed")
    bulk = BulkFile("utility-bill", path.name, ACCOUNT, AMOUNT_DUE, DUE_DATE)

    assert share_settled(path, bulk) > 0.9


@pytest.mark.skipif(not BUNDLES.is_dir(), reason="BILLCLOSE_BUNDLES is not set")
@pytest.mark.parametrize("name", ["larkspur-plain", "larkspur-boxed", "larkspur-html"])
def test_the_sample_bundles_are_read_alike(name):
    (told,) = tomllib.loads((BUNDLES / name / "bundle.toml").read_text())["documents"]
    bulk = BulkFile(
        told["form"], told["file"], told["account"], told.get("amount_due"), told.get("due_date"),
        separator=told.get("separator"),
    )  # fmt: skip

    share = share_settled(BUNDLES / name / "bills.pdf", bulk)

    assert name == "larkspur-html" or share > 0.9  # that one is drawn letter by letter


@pytest.mark.parametrize(
    ("font", "share"),
    [
        ("Plain", 0.7),
        ("Serif", 0.45),
        ("Western", 0.95),
        ("Coded", 0.95),
        ("Wide", 0.95),
        ("Symbol", 0),
        ("Unknown", 0),
    ],
)
def test_every_sign_of_a_font_is_read_alike(font, share, tmp_path):
    codes = (
        [*map(code, SIGNS)] if font in ("Coded", "Wide") else [*range(33, 127), *range(160, 256)]
    )
    shown = "BT /{} 9 Tf 72 700 Td <{:0{}x}> Tj /Plain 9 Tf 0 -99 Td (A long and quiet line) Tj ET"
    contents = [shown.format(font, sign, 4 if font == "Wide" else 2).encode() for sign in codes]
    path = write_contents(tmp_path / "bills.pdf", contents)

    settled = share_settled(path, a_bulk_file(amount_due=None, due_on=None))

    assert settled == 0 if share == 0 else settled > share


@settings(max_examples=so_many(10, release=60))
@given(some.lists(some.randoms(use_true_random=False), min_size=1, max_size=4))
def test_whatever_is_drawn_is_read_as_the_engines_read_it(tmp_path_factory, chances):
    contents = [a_content(chance) for chance in chances]
    path = write_contents(tmp_path_factory.mktemp("made-up") / "bills.pdf", contents)

    share_settled(path, a_bulk_file())
    share_settled(path, a_bulk_file(amount_due=None, due_on=None))


def test_of_what_is_drawn_badly_a_part_is_plain_all_the_same(tmp_path):
    chance = random.Random(3)
    path = write_contents(tmp_path / "bills.pdf", [a_content(chance) for _ in range(300)])

    assert share_settled(path, a_bulk_file(amount_due=None, due_on=None)) > 0.1
