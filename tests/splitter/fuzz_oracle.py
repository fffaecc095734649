"""What must hold of a harmed bulk file: it is refused, or each page goes where it belongs."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2

import splitter.copying.audit  # loaded before the fork, as all else is
import splitter.pdf.pypdf_objects
from domain.bills import PageAssignment, PageFacts
from domain.failures import Refused
from domain.periods import BY_ATTACHMENTS, BY_BOOKMARKS, BY_TEXT, BulkFile
from splitter.association.claims import claims_of
from splitter.association.clues import NO_CLUES, Clues, ClueTaker
from splitter.association.names import NO_NAMES
from splitter.bulk_file.assignment import assign_pages
from splitter.bulk_file.filing import make_orders
from splitter.bulk_file.splitting import Splitting
from splitter.copying.copier import BillCopier
from splitter.copying.pictures import BulkPictures
from splitter.copying.unfolding import unfold
from splitter.copying.verifying import ForeignAccounts, VerificationPolicy
from splitter.pdf.opening import open_source
from splitter.reading.page import DocumentText
from splitter.store.bill_store import BillStore
from splitter.text.normalizing import text_checksum
from splitter.text.page_facts import NearMissSearch
from splitter.text.patterns import Patterns, compile_patterns
from splitter.text.pdfium import CannotOpen, PdfiumDocument, PdfiumPage
from splitter.workers.page_facts import marks_of
from splitter.workers.page_worker import CopyWorker, outline_of
from tests.splitter.pdf_builders import AMOUNT, DUE, a_bulk_file, opened

assert splitter.copying.audit and splitter.pdf.pypdf_objects
ACCOUNTS = {
    "larkspur-boxed": r"ACCT NO\s*([0-9.\-]+)",
    "larkspur-html": r"Customer No\.\s*([0-9.\-]+)",
}
LEADS_AWAY = {"/Parent", "/P", "/Dest", "/StructParents", "/Popup", "/IRT"}
TWO_WAYS = "pdfium draws it in two ways"
DRAWN = 12  # times, to see whether it is always the same
SMALLEST_DRAWN, LARGEST_DRAWN = 10, 2000  # points


class Found(Exception):
    """Something that must not be."""


def bulk_of(sample: Path) -> BulkFile:
    ways = {"bookmarked": BY_BOOKMARKS, "portfolio": BY_ATTACHMENTS}
    by = next((by for stem, by in ways.items() if sample.stem.startswith(stem)), BY_TEXT)
    return a_bulk_file(
        by=by,
        title=None if by == BY_TEXT else r"([0-9]+\.[0-9]+\.[0-9]+)",
        account=ACCOUNTS.get(sample.stem, r"Account:\s*([0-9.\-]+)"),
        amount_due=AMOUNT,
        due_on=DUE,
        separator="BATCH SEPARATOR",
    )


def known_accounts(sample: Path) -> list[str]:
    """Return the accounts of an unharmed sample; it must be split without a problem."""
    with tempfile.TemporaryDirectory() as folder:
        path = one_file(sample, bulk_of(sample), Path(folder))
        with Splitting(path, bulk_of(sample), processes=1) as splitting:
            return sorted({bill.account for bill in splitting.plan().bills})


def one_file(path: Path, bulk: BulkFile, folder: Path) -> Path:
    """Return the file to split; of a portfolio one of all its files. Raises Refused."""
    if bulk.by != BY_ATTACHMENTS:
        return path
    unfolded = folder / "unfolded" / "bills.pdf"
    unfolded.parent.mkdir()
    with unfolded.open("wb") as file:
        unfold(path, "bills.pdf", file.write, folder=unfolded.parent, progress=lambda _: None)
    if [unfolded] != list(unfolded.parent.iterdir()):
        raise Found("unfolding leaves files behind")
    return unfolded


def tried(path: Path, sample: Path, accounts: list[str], *, is_whole: bool) -> str:
    """Split a harmed file and say what came of it; raises Found."""
    bulk = bulk_of(sample)
    folder = path.parent
    try:
        path = one_file(path, bulk, folder)
    except Refused as refused:
        return refusal(refused)
    inside = outcome_inside(path, bulk, folder / "inside")
    if is_whole:
        whole = outcome_of_all(path, bulk, folder / "whole")
        if isinstance(inside, dict) and isinstance(whole, dict) and inside != whole:
            if is_drawn_in_two_ways(path):
                return TWO_WAYS
            raise Found(f"two ways, two outcomes\n{inside}\n{whole}")
        if isinstance(inside, dict) and isinstance(whole, str):
            raise Found(f"refused by all, not inside\n{whole}")
    if isinstance(inside, str):
        return inside
    is_other = False
    for name, (pages, _) in inside.items():
        copy = (folder / "inside" / name).read_bytes()
        check_copy(path, copy, pages, accounts)
        is_other = is_other or looks_other(path, copy, pages)
    return "split, looks other" if is_other else "split" if inside else "no bill"


Outcome = dict[str, tuple[tuple[int, ...], str]]  # file name: its pages, its SHA-256


def outcome_inside(path: Path, bulk: BulkFile, store: Path) -> Outcome | str:
    """Split a file in this process: whatever is raised is seen."""
    patterns = compile_patterns(bulk)
    try:
        source, tree = open_source(path)
        document = DocumentText(path, patterns)
        if document.pages != len(tree):
            return "refused: pages"
        read = [document.facts(page) for page in range(len(tree))]
        facts = [replace(said, text_checksum=text_checksum(text)) for said, text in read]
        clues = clues_of(read, patterns)
        if bulk.by != BY_TEXT:
            told = outline_of(tree, patterns)
            if "broken" in told:
                return "refused"
            facts = claims_of(marks_of(told, bulk), bulk).applied(facts)
        assignment = assign_pages(facts, clues=clues)
        document.close()
        check_assignment(assignment, len(tree))
        orders = make_orders(assignment, "")
        bills = [(order.index, order.path, order.bill) for order in orders]
        made = []
        for again in (False, True):
            copier = BillCopier(source, tree) if not again else BillCopier.open(path)
            foreign_accounts = ForeignAccounts.of([bill.account for bill in assignment.bills])
            copy_worker = CopyWorker(
                copier,
                patterns,
                foreign_accounts,
                BillStore(store),
                VerificationPolicy(1, 1),
                BulkPictures(path),
            )
            made.append(copy_worker.make(bills))
    except Refused as refused:
        return refusal(refused)
    except CannotOpen:
        return "refused: pdfium"
    if made[0] != made[1]:
        if is_drawn_in_two_ways(path):
            return TWO_WAYS
        raise Found("the same file twice, other bytes")
    filed = {
        order.path: (order.bill.pages, answer["sha256"])
        for order, answer in zip(orders, made[0], strict=True)
        if not answer["finding"]
    }
    check_store(store, filed)
    return filed


def clues_of(read: list[tuple[PageFacts, str]], patterns: Patterns) -> list[Clues]:
    """Take the clues as a worker does: without them other pages would follow a bill."""
    taker = ClueTaker(NearMissSearch.of(patterns).label, NO_NAMES)
    return [
        NO_CLUES
        if facts.is_separator
        else taker.take(text, page, len(read), is_named=bool(facts.accounts))
        for page, (facts, text) in enumerate(read)
    ]


def is_drawn_in_two_ways(path: Path) -> bool:
    """
    Say whether pdfium draws a page of the very same bytes now so, now otherwise.

    Of some harmed fonts and pictures it does. A copy with such a page then looks other than its
    page or not, as chance has it; one that seems to is not filed.
    """
    pages = len(pypdfium2.PdfDocument(path))
    return any(
        len({drawn(pypdfium2.PdfDocument(path), page, scale=1) for _ in range(DRAWN)}) > 1
        for page in range(pages)
    )


def outcome_of_all(path: Path, bulk: BulkFile, store: Path) -> Outcome | str:
    """Split a file as the office does."""
    try:
        with Splitting(path, bulk, processes=1) as splitting:
            assignment, pages = splitting.plan(), splitting.pages
            outcome = splitting.file_bills(assignment, BillStore(store), prefix="")
    except Refused as refused:
        return refusal(refused)
    check_assignment(assignment, pages)
    if len(outcome.bills) + len(outcome.problems) != len(assignment.bills):
        raise Found("a bill is neither filed nor a problem")
    filed = {bill.path: (tuple(bill.page_numbers), bill.sha256) for bill in outcome.bills}
    check_store(store, filed)
    return filed


def refusal(refused: Refused) -> str:
    if refused.code != "pdf-unreadable" or "bills.pdf" not in refused.message:
        raise Found(f"an odd refusal: {refused.code}: {refused.message}")
    if "broke down" in refused.message or "too long" in refused.message:
        return "refused: by a child's end"
    return "refused"


def check_assignment(assignment: PageAssignment, pages: int) -> None:
    places = [page for bill in assignment.bills for page in bill.pages]
    places += [*assignment.separators, *(page.page for page in assignment.unassigned)]
    if sorted(places) != list(range(pages)):
        raise Found("a page is nowhere or in two places")


def check_store(store: Path, filed: Outcome) -> None:
    written = {
        str(found.relative_to(store)): hashlib.sha256(found.read_bytes()).hexdigest()
        for found in store.rglob("*")
        if found.is_file()
    }
    if written != {name: digest for name, (_, digest) in filed.items()}:
        raise Found("an unfinished or a missing file")


def check_copy(path: Path, copy: bytes, pages: tuple[int, ...], accounts: list[str]) -> None:
    """A copy shows what its pages show, and holds nothing that they do not reach."""
    ours, theirs = PdfiumDocument(copy), PdfiumDocument(path)
    shown = [text_of(theirs, page) for page in pages]
    if [text_of(ours, place) for place in range(len(pages))] != shown:
        raise Found("a copy's text is not its pages'")
    held = streams_and_all(copy)
    strangers = [a for a in accounts if a.encode() in held and a not in "".join(shown)]
    if strangers and not all_reached(path, pages, strangers):
        raise Found(f"a copy holds what its pages do not reach\n{strangers} in pages {pages}")


def streams_and_all(copy: bytes) -> bytes:
    held = [copy]
    with opened(copy) as pdf:
        for thing in pdf.objects:
            if isinstance(thing, pikepdf.Stream):
                with contextlib.suppress(pikepdf.PdfError):
                    held.append(thing.read_bytes())
            elif isinstance(thing, pikepdf.Dictionary | pikepdf.Array):
                held.append(thing.unparse())
    return b"".join(held)


def text_of(document: PdfiumDocument, number: int) -> str:
    page = PdfiumPage(document, number, None)
    try:
        return page.reading().text
    finally:
        page.close()


def all_reached(path: Path, pages: tuple[int, ...], strangers: list[str]) -> bool:
    try:
        with pikepdf.open(path) as pdf:
            held = b"".join(piece for page in pages for piece in reached(pdf.pages[page].obj))
    except pikepdf.PdfError:
        return False
    return all(stranger.encode() in held for stranger in strangers)


def reached(start: Any) -> Iterator[bytes]:
    waiting, seen = [start], set()
    while waiting:
        thing = waiting.pop()
        if not isinstance(thing, pikepdf.Object) or thing.objgen in seen:
            continue
        if thing.is_indirect:
            seen.add(thing.objgen)
        if isinstance(thing, pikepdf.Stream):
            yield thing.read_raw_bytes()
            with contextlib.suppress(pikepdf.PdfError):  # what cannot be decoded was given raw
                yield thing.read_bytes()
        if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
            waiting += [thing[key] for key in thing.keys() if key not in LEADS_AWAY]  # noqa: SIM118
            waiting += _letters(thing)
        elif isinstance(thing, pikepdf.Array):
            waiting += list(thing)
        elif isinstance(thing, pikepdf.String):
            yield bytes(thing)


def _letters(font: Any) -> list[Any]:
    """Return the contents of a font's letters, whose names are free: one may be /P."""
    letters = font.get("/CharProcs")
    return list(letters.as_dict().values()) if isinstance(letters, pikepdf.Dictionary) else []


def looks_other(path: Path, copy: bytes, pages: tuple[int, ...]) -> bool:
    """Say whether a copy looks other than its pages, as it may where a font is none."""
    one, other = pypdfium2.PdfDocument(path), pypdfium2.PdfDocument(copy)
    return any(drawn(one, page) != drawn(other, place) for place, page in enumerate(pages))


def drawn(document: Any, number: int, scale: float = 0.3) -> tuple[Any, bytes]:
    """Return a page's size and picture without annotations, of which not all are kept."""
    try:
        page = document[number]
        if not SMALLEST_DRAWN < min(page.get_size()) <= max(page.get_size()) < LARGEST_DRAWN:
            return page.get_size(), b""
        picture = page.render(scale=scale, may_draw_forms=False, draw_annots=False)
    except pypdfium2.PdfiumError:
        return None, b""
    return page.get_size(), bytes(picture.buffer)
