"""A bill out of a portfolio has the tags of the file that was attached for it, and no others."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, String

from domain.bills import Tagging
from splitter.copying.copier import BillCopier
from splitter.copying.labels import CopyLabels
from splitter.pdf.opening import open_source
from splitter.tags.reading import is_tagged
from splitter.workers.unfolder import unfold_file
from tests.builders import few_examples
from tests.splitter.attachment_builders import a_pdf, write_portfolio
from tests.splitter.pdf_builders import a_page, opened, text
from tests.splitter.tagged_builders import bears, find_elements, tree_of, write_tagged

LABELS = CopyLabels("Utility bill", "en-US")
KINDS = ("Document", "P", "Figure", "TH", "TD", "Link")
ACCOUNTS = ("11-111111-11", "22-222222-22", "33-333333-33")


def headers(told):
    head, cell, _ = told.elements[0]
    head.S, head.ID, head.A = Name.TH, String("node0001"), Dictionary(O=Name.Table, Scope=Name.Row)
    cell.S = Name.TD
    cell.A = Dictionary(O=Name.Table, Headers=Array([String("node0001")]))


def spanish(told):
    told.pdf.Root.Lang = String("es")
    told.elements[0][0].Lang = String("fr")


def link(told):
    pay = Dictionary(S=Name.URI, URI=String("https://pay.example.test/"))
    annotation = told.pdf.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), StructParent=7, A=pay,
            Contents=String("pay now"), Border=Array([0, 0, 0]),
        )
    )  # fmt: skip
    told.pages[0].Annots = Array([annotation])
    element = told.elements[0][0]
    element.S = Name.Link
    element.K = Array([element.K, Dictionary(Type=Name.OBJR, Obj=annotation)])
    told.rows.extend([7, element])


def picture(told):
    element = told.elements[0][2]
    element.S, element.Alt = Name.Figure, String("how much this household used")


def break_tree(told):
    del told.elements[0][0].P


CHANGES = {
    "plain": None, "headers": headers, "spanish": spanish, "link": link, "picture": picture,
    "broken": break_tree,
}  # fmt: skip


@dataclass(frozen=True)
class Attached:
    """A file that is attached: `kind` is what is done to its tags, or `untagged`."""

    kind: str
    account: str
    pages: int = 1

    def content(self, folder):
        if self.kind == "untagged":
            return a_pdf(*(a_page(self.account) for _ in range(self.pages)))
        path = folder / f"{self.kind}-{self.account}.pdf"
        write_tagged(path, CHANGES[self.kind], accounts=(self.account,) * self.pages)
        return path.read_bytes()


def unfolded(folder, attached, name="unfolded.pdf"):
    files = [(f"{place}.pdf", one.content(folder)) for place, one in enumerate(attached)]
    write_portfolio(folder / "bills.pdf", files)
    unfold_file(folder / "bills.pdf", folder / name, "bills.pdf")
    return folder / name


def copies(path, attached):
    """Each bill's copy out of the file that all are in; its first page is the cover."""
    copier, first, made = BillCopier.open(path), 1, []
    for one in attached:
        made.append(copier.make(range(first, first + one.pages), LABELS))
        first += one.pages
    return made


def alone(folder, one):
    """The copy out of the attached file itself."""
    path = folder / "alone.pdf"
    path.write_bytes(one.content(folder))
    return BillCopier.open(path).make(range(one.pages), LABELS)


def tags(made):
    told = {kind: find_elements(made.content, kind) for kind in KINDS}
    for document in told["Document"]:
        document.pop("Lang", None)  # that its file's catalog says: there it may stand instead
    return tree_of(made.content), told, made.texts


def language(copy):
    with opened(copy) as pdf:
        (top,) = pdf.Root.StructTreeRoot.K if "/K" in pdf.Root.StructTreeRoot else ()
        return str(top.get("/Lang", pdf.Root.get("/Lang", "")))


ALL = [Attached(kind, account) for kind, account in zip(CHANGES, ACCOUNTS * 2, strict=True)]


@pytest.mark.parametrize("pages", [1, 3])
def test_a_bill_has_the_tags_that_its_own_file_would_give_it(tmp_path, pages):
    attached = [Attached(one.kind, one.account, pages) for one in ALL]

    made = copies(unfolded(tmp_path, attached), attached)

    for one, copy in zip(attached, made, strict=True):
        own = alone(tmp_path, one)
        assert [text(own.content, page) for page in range(pages)] == [
            text(copy.content, page) for page in range(pages)
        ]
        if own.tagging is Tagging.KEPT:
            assert (Tagging.KEPT, tags(own)) == (copy.tagging, tags(copy)), one
            assert language(own.content) == language(copy.content), one
        else:
            assert copy.tagging in (Tagging.UNREADABLE, Tagging.INCOMPLETE)
            with opened(copy.content) as pdf:
                assert "/MarkInfo" not in pdf.Root and "/StructTreeRoot" not in pdf.Root
    assert [Tagging.KEPT] * 5 == [copy.tagging for copy in made[:5]]


def test_nothing_of_another_files_tags_is_in_a_copy(tmp_path):
    attached = [
        Attached("picture", ACCOUNTS[0]), Attached("headers", ACCOUNTS[1]),
        Attached("link", ACCOUNTS[2]),
    ]  # fmt: skip
    secrets = ("how much this household used", "node0001", "pay now")

    made = copies(unfolded(tmp_path, attached), attached)

    for place, copy in enumerate(made):
        others = [*ACCOUNTS[:place], *ACCOUNTS[place + 1 :]]
        others += [secret for at, secret in enumerate(secrets) if at != place]
        assert [] == [secret for secret in others if bears(copy.content, secret)]
        assert place == 1 or bears(copy.content, secrets[place])  # identifiers are written anew


def test_beside_a_tagged_file_one_without_tags_stays_without(tmp_path):
    attached = [Attached("plain", ACCOUNTS[0]), Attached("untagged", ACCOUNTS[1])]

    tagged, untagged = copies(unfolded(tmp_path, attached), attached)

    assert (Tagging.KEPT, Tagging.INCOMPLETE) == (tagged.tagging, untagged.tagging)


def test_of_files_without_tags_none_are_made(tmp_path):
    path = unfolded(tmp_path, [Attached("untagged", account) for account in ACCOUNTS])

    source, _ = open_source(path)

    assert not is_tagged(source)
    assert b"/StructTreeRoot" not in path.read_bytes()


@few_examples
@given(
    st.lists(
        st.builds(
            Attached, st.sampled_from([*CHANGES, "untagged"]), st.sampled_from(ACCOUNTS),
            st.integers(1, 3),
        ),
        min_size=1,
        max_size=6,
    )
)  # fmt: skip
def test_any_files_one_behind_the_other_give_each_its_own_and_the_same_bytes(
    tmp_path_factory, attached
):
    folder = tmp_path_factory.mktemp("attached")
    path = unfolded(folder, attached)

    made = copies(path, attached)

    for one, copy in zip(attached, made, strict=True):
        own = alone(folder, one)
        if own.tagging is Tagging.KEPT:
            assert (Tagging.KEPT, tags(own)) == (copy.tagging, tags(copy))
        else:
            assert copy.tagging is not Tagging.KEPT
    assert path.read_bytes() == unfolded(folder, attached, "again.pdf").read_bytes()
