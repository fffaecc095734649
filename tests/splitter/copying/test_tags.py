"""A copy of a tagged bulk file keeps the tags of its own pages and nobody else's."""

from __future__ import annotations

import pytest
from pikepdf import Array, Dictionary, Name, String

from domain.bills import BillRange, Tagging
from splitter.copying.audit import audit
from splitter.copying.copier import BillCopier
from splitter.copying.labels import CopyLabels
from splitter.copying.verifying import ForeignAccounts, find_stranger_in_tags
from tests.splitter.pdf_builders import is_surely_clean, opened, pixels, text
from tests.splitter.tagged_builders import (
    FIRST,
    SECOND,
    bears,
    find_elements,
    tree_of,
    write_tagged,
)

PARAGRAPHS = [["Document", ["P", 0], ["P", 1], ["P", 2]]]


def copies(path):
    """Make both bills' copies; each passes both audits, and none bears the other's account."""
    copier = BillCopier.open(path)
    made = [copier.make([page]) for page in (0, 1)]
    for copy, other in zip(made, (SECOND, FIRST), strict=True):
        assert [] == audit(copy.content, 1)
        assert is_surely_clean(copy.content, 1)
        assert not bears(copy.content, other)
    return made


def tagging_of(path):
    return [copy.tagging for copy in copies(path)]


def test_each_copy_keeps_the_tags_of_its_own_page(tmp_path):
    first, second = copies(write_tagged(tmp_path / "bills.pdf"))

    assert PARAGRAPHS == tree_of(first.content) == tree_of(second.content)
    with opened(second.content) as pdf:
        assert "en-US" == str(pdf.Root.Lang)
        assert Name.S == pdf.pages[0].obj.Tabs
        assert pdf.Root.MarkInfo.Marked
        row = pdf.Root.StructTreeRoot.ParentTree.Nums[1]
        assert [0, 1, 2] == [int(element.K) for element in row]
        assert {pdf.pages[0].obj.objgen} == {element.Pg.objgen for element in row}


def test_a_copy_shows_and_says_what_its_page_does(tmp_path):
    path = write_tagged(tmp_path / "bills.pdf")

    for page, copy in enumerate(copies(path)):
        assert pixels(path, page) == pixels(copy.content)
        assert text(path, page) == text(copy.content)


def test_a_bill_of_several_pages_keeps_all_their_tags(tmp_path):
    copier = BillCopier.open(write_tagged(tmp_path / "bills.pdf"))

    copy = copier.make([0, 1]).content

    assert [["Document", ["P", 0], ["P", 1], ["P", 2], ["P", 0], ["P", 1], ["P", 2]]] == tree_of(
        copy
    )
    assert [] == audit(copy, 2)


@pytest.mark.parametrize("objects", ["disable", "generate"])
def test_a_copy_depends_on_its_pages_alone(tmp_path, objects):
    from pikepdf import ObjectStreamMode

    mode = getattr(ObjectStreamMode, objects)
    path = write_tagged(tmp_path / "bills.pdf", accounts=("1-1", "2-2", "3-3"),
                        object_stream_mode=mode)  # fmt: skip
    alone = [BillCopier.open(path).copy([page]) for page in range(3)]
    used = BillCopier.open(path)

    assert alone[::-1] == [used.copy([page]) for page in (2, 1, 0)]


def test_a_copy_does_not_grow_with_the_number_of_bills(tmp_path):
    sizes = [
        len(
            BillCopier.open(
                write_tagged(tmp_path / "bills.pdf", accounts=tuple(map(str, range(bills))))
            ).copy([1])
        )
        for bills in (2, 300)
    ]

    assert abs(sizes[1] - sizes[0]) < 24


def test_a_title_is_ours_and_shown(tmp_path):
    def name_the_neighbour(told):
        told.pdf.docinfo["/Title"] = f"Bills from {SECOND}"

    copier = BillCopier.open(write_tagged(tmp_path / "bills.pdf", name_the_neighbour))
    copy = copier.make([0], CopyLabels("Bill <of> Jos\u00e9 & you", "es")).content

    with opened(copy) as pdf:
        assert ["/Title"] == list(pdf.docinfo)
        assert "Bill <of> Jos\u00e9 & you" == str(pdf.docinfo.Title)
        assert b'<rdf:li xml:lang="x-default">Bill &lt;of&gt; Jos\xc3\xa9 &amp; you</rdf:li>' in (
            pdf.Root.Metadata.read_bytes()
        )
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert "en-US" == str(pdf.Root.Lang)  # the source knows better
    assert [] == audit(copy, 1)
    assert is_surely_clean(copy, 1)
    assert not is_surely_clean(copy.replace(b"Jos\xc3\xa9 &amp; you", b"Josep &amp; you"), 1)


def test_a_paragraph_over_two_bills_is_cut_and_says_nothing_of_either(tmp_path):
    def join(told):
        last, first = told.elements[0][2], told.elements[1][0]
        last.K = Array([2, Dictionary(Type=Name.MCR, Pg=told.pages[1], MCID=0)])
        last.Alt = String(f"{FIRST} and {SECOND}")
        last.T = String(f"for {SECOND}")
        last.Lang = String("es")
        told.document.K = Array([*told.elements[0], *told.elements[1][1:]])
        told.rows[3][0] = last
        assert first is not None

    made = copies(write_tagged(tmp_path / "bills.pdf", join))

    assert [Tagging.KEPT] * 2 == [copy.tagging for copy in made]
    assert PARAGRAPHS == tree_of(made[0].content) == tree_of(made[1].content)
    assert [{"Lang": "es"}] == [
        {key: told[key] for key in ("Alt", "T", "Lang") if key in told}
        for told in find_elements(made[0].content, "P")
        if "Lang" in told
    ]


def test_names_of_roles_and_classes_and_what_writers_add_never_leave(tmp_path):
    def name(told):
        told.root.RoleMap = Dictionary(
            {f"/Bill-{SECOND}": Name.H1, "/Loop": Name("/Pool"), "/Pool": Name("/Loop")}
        )
        told.root.ClassMap = Dictionary(
            {
                f"/c{SECOND}": Dictionary(O=Name.List, ListNumbering=Name.Decimal),
                "/own": Dictionary(O=Name.List, ListNumbering=Name.Circle),
            }
        )
        first, second = told.elements
        second[0].S = Name(f"/Bill-{SECOND}")
        second[0].C = Name(f"/c{SECOND}")
        first[0].C = Name.own
        first[1].S = Name.Loop
        property_ = Dictionary(N=String("neighbor"), V=String(SECOND))
        first[2].A = Dictionary(O=Name.UserProperties, P=Array([property_]))

    first, second = copies(write_tagged(tmp_path / "bills.pdf", name))

    assert [["Document", ["P", 0], ["NonStruct", 1], ["P", 2]]] == tree_of(first.content)
    assert [["Document", ["H1", 0], ["P", 1], ["P", 2]]] == tree_of(second.content)
    assert [[{"O": "/List", "ListNumbering": "/Decimal"}]] == [
        told["A"] for told in find_elements(second.content, "H1")
    ]
    assert not bears(second.content, f"c{SECOND}")
    with opened(second.content) as pdf:
        assert not {"/RoleMap", "/ClassMap"} & set(pdf.Root.StructTreeRoot.keys())


def test_types_of_later_standards_and_false_languages_become_plain_ones(tmp_path):
    def be_new(told):
        for element, kind in zip(told.elements[0], ("Em", "H9", "Title"), strict=True):
            element.S = Name(f"/{kind}")
        told.elements[0][0].Lang = String(f"x {SECOND}")
        told.elements[0][1].Lang = String("x-J0hnDoe22")

    first, _ = copies(write_tagged(tmp_path / "bills.pdf", be_new))

    assert [["Document", ["Span", 0], ["H6", 1], ["P", 2]]] == tree_of(first.content)
    assert not bears(first.content, "J0hnDoe")


def test_a_table_of_the_whole_file_is_each_bills_own_rows(tmp_path):
    def tabulate(told):
        table = told.element("Table", told.document)
        rows = []
        for account, (head, cell, last) in zip((FIRST, SECOND), told.elements, strict=True):
            row = told.element("TR", table)
            gap = told.element("TD", row)
            head.S, cell.S, last.S = Name.TH, Name.TD, Name.TD
            head.ID = String(f"id-{account}")
            head.A = Dictionary(O=Name.Table, Scope=Name.Row)
            headers = Array([String(f"id-{FIRST}"), String(f"id-{SECOND}")])
            cell.A = Dictionary(O=Name.Table, Headers=headers, ColSpan=2)
            for part in (head, cell, last):
                part.P = row
            row.K = Array([head, gap, cell, last])
            rows.append(row)
        table.K = Array(rows)
        table.Alt = String(f"bills of {FIRST} and {SECOND}")
        told.document.K = table

    made = copies(write_tagged(tmp_path / "bills.pdf", tabulate))

    cells = ["TR", ["TH", 0], ["TD"], ["TD", 1], ["TD", 2]]
    for copy in made:
        assert [["Document", ["Table", cells]]] == tree_of(copy.content)
        (head,) = find_elements(copy.content, "TH")
        assert ("h1", [{"O": "/Table", "Scope": "/Row"}]) == (head["ID"], head["A"])
        assert [[{"O": "/Table", "ColSpan": 2, "Headers": ["h1"]}]] == [
            told["A"] for told in find_elements(copy.content, "TD") if "A" in told
        ]
        with opened(copy.content) as pdf:
            assert ["h1"] == [str(name) for name in pdf.Root.StructTreeRoot.IDTree.Names][::2]


def test_figures_without_content_go_with_the_page_they_name(tmp_path):
    def draw(told):
        figures = [
            told.element("Figure", told.document, Pg=page, Alt=String(said))
            for page, said in zip(told.pages, (f"chart {FIRST}", f"chart {SECOND}"), strict=True)
        ]
        nobodys = told.element("P", told.document)
        first, second = told.elements
        told.document.K = Array([figures[0], *first, nobodys, figures[1], *second])

    first, second = copies(write_tagged(tmp_path / "bills.pdf", draw))

    assert ["chart 11-111111-11"] == [f["Alt"] for f in find_elements(first.content, "Figure")]
    assert ["chart 22-222222-22"] == [f["Alt"] for f in find_elements(second.content, "Figure")]
    assert [["Document", ["P", 0], ["P", 1], ["P", 2]]] == [
        [kid for kid in tree if kid != ["Figure"]] for tree in tree_of(first.content)
    ]


def test_an_element_that_holds_anothers_figure_says_nothing(tmp_path):
    def mix(told):
        section = told.element("Sect", told.document, Alt=String(f"{FIRST} and {SECOND}"))
        theirs = told.element("Figure", section, Pg=told.pages[1], Alt=String(SECOND))
        for element in told.elements[0]:
            element.P = section
        section.K = Array([*told.elements[0], theirs])
        told.document.K = Array([section, *told.elements[1]])

    first, _ = copies(write_tagged(tmp_path / "bills.pdf", mix))

    assert [["Document", ["Sect", ["P", 0], ["P", 1], ["P", 2]]]] == tree_of(first.content)


def link(told, element, key, **entries):
    annotation = told.pdf.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]),
            Border=Array([0, 0, 0]), StructParent=key, **entries,
        )
    )  # fmt: skip
    told.pages[0].Annots = Array([*told.pages[0].get("/Annots", []), annotation])
    element.S = Name.Link
    element.K = Array([element.K, Dictionary(Type=Name.OBJR, Obj=annotation)])
    told.rows.extend([key, element])


def test_a_link_to_the_web_stays_one_and_a_link_to_a_bill_becomes_text(tmp_path):
    def lead(told):
        pay = Dictionary(S=Name.URI, URI=String("https://pay.example.test/"))
        link(told, told.elements[0][0], 7, A=pay, Contents=String("pay now \u4e00"))
        there = Array([told.pages[1], Name.Fit])
        link(told, told.elements[0][1], 8, Dest=there, Contents=String(f"bill of {SECOND}"))

    first, _ = copies(write_tagged(tmp_path / "bills.pdf", lead))

    assert [["Document", ["Link", 0, "link"], ["Span", 1], ["P", 2]]] == tree_of(first.content)
    with opened(first.content) as pdf:
        (annotation,) = pdf.pages[0].obj.Annots
        assert "pay now \u4e00" == str(annotation.Contents)
        rows = list(pdf.Root.StructTreeRoot.ParentTree.Nums)
        assert Name.Link == rows[rows.index(int(annotation.StructParent)) + 1].S
    assert [("Link", "pay now \u4e00")] == list(first.texts)


def loop_above(told):
    one, other = told.elements[0][:2]
    one.P, other.P = other, one


def hang_in_the_air(told):
    del told.elements[0][0].P


def name_the_wrong_row(told):
    told.rows[1] = Array(told.elements[1])


def have_a_huge_mark(told):
    told.elements[0][0].K = 999_999


def stand_in_line(told):
    first, second = told.elements
    section = Dictionary(Type=Name.StructElem, S=Name.Sect, P=told.document, K=Array(first))
    told.document.K = Array([section, *second])


def mark_in_a_form(told):
    form = told.pdf.make_stream(
        b"/P <</MCID 0>> BDC BT /F1 10 Tf 50 300 Td (in the form) Tj ET EMC",
        Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 612, 792]),
        Resources=told.pages[0].Resources, StructParents=5,
    )  # fmt: skip
    told.pages[0].Resources = Dictionary(
        Font=told.pages[0].Resources.Font, XObject=Dictionary(X=form)
    )
    content = told.pages[0].Contents.read_bytes()
    told.pages[0].Contents = told.pdf.make_stream(content + b"\n/X Do")
    reference = Dictionary(Type=Name.MCR, Pg=told.pages[0], Stm=form, MCID=0)
    element = told.element("P", told.document, K=reference)
    told.document.K = Array([*told.elements[0], element, *told.elements[1]])
    told.rows.extend([5, Array([element])])


def lack_a_mark(told):
    told.document.K = Array([*told.elements[0][:2], *told.elements[1]])
    told.rows[1] = Array(told.elements[0][:2])


def have_a_mark_that_no_page_shows(told):
    """Whatever hangs at it is told aloud, and stands on nobody's page."""
    told.elements[0][1].Alt = String(SECOND)
    content = told.pages[0].Contents.read_bytes()
    told.pages[0].Contents = told.pdf.make_stream(content.replace(b"<</MCID 1>>", b"<<>>"))


def have_a_mark_too_many(told):
    element = told.element("P", told.document, Pg=told.pages[0], K=3)
    told.document.K = Array([*told.elements[0], element, *told.elements[1]])
    told.rows[1] = Array([*told.elements[0], element])


def have_a_chain_above(told):
    """An element far below the document: deeper than any reader goes."""
    parent = told.document
    for _ in range(200):
        kid = told.element("Sect", parent)
        if parent.objgen != told.document.objgen:
            parent.K = kid
        else:
            told.document.K = Array([kid, *told.elements[0][1:], *told.elements[1]])
        parent = kid
    told.elements[0][0].P = parent
    parent.K = told.elements[0][0]


def have_two_parents(told):
    other = told.element("Sect", told.document, K=Array(told.elements[0]))
    told.document.K = Array([other, *told.elements[1]])


def become_a_stamp(told):
    looks = told.pdf.make_stream(
        b"0 0 9 9 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9])
    )
    comment = told.pdf.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.FreeText, Rect=Array([9, 9, 99, 99]), StructParent=9,
            AP=Dictionary(N=looks),
        )
    )  # fmt: skip
    told.pages[0].Annots = Array([comment])
    element = told.element("Form", told.document, K=Dictionary(Type=Name.OBJR, Obj=comment))
    told.document.K = Array([element, *told.elements[0], *told.elements[1]])
    told.rows.extend([9, element])


@pytest.mark.parametrize(
    ("fault", "tagging"),
    [
        (loop_above, Tagging.UNREADABLE),
        (hang_in_the_air, Tagging.UNREADABLE),
        (name_the_wrong_row, Tagging.INCOMPLETE),
        (have_a_huge_mark, Tagging.UNREADABLE),
        (stand_in_line, Tagging.UNREADABLE),
        (mark_in_a_form, Tagging.INCOMPLETE),
        (lack_a_mark, Tagging.INCOMPLETE),
        (have_a_mark_that_no_page_shows, Tagging.INCOMPLETE),
        (have_a_mark_too_many, Tagging.INCOMPLETE),
        (have_a_chain_above, Tagging.UNREADABLE),
        (have_two_parents, Tagging.UNREADABLE),
        (become_a_stamp, Tagging.INCOMPLETE),
    ],
)
def test_a_bill_whose_tags_are_at_fault_goes_out_as_one_without(tmp_path, fault, tagging):
    path = write_tagged(tmp_path / "bills.pdf", fault)

    first, second = copies(path)

    assert (tagging, Tagging.KEPT) == (first.tagging, second.tagging)
    untagged = BillCopier.open(path).make([0], CopyLabels(keeps_tags=False))
    assert untagged.content == first.content
    assert pixels(path) == pixels(first.content)
    with opened(first.content) as pdf:
        assert not {"/StructTreeRoot", "/MarkInfo"} & set(pdf.Root.keys())
        assert "/StructParents" not in pdf.pages[0].obj


@pytest.mark.parametrize("is_named", [False, True])
def test_an_artifact_may_have_an_element_as_well(tmp_path, is_named):
    def mark(told):
        marked = b"/Artifact <</MCID 1>>"
        if is_named:
            told.pages[0].Resources.Properties = Dictionary(M=Dictionary(MCID=1))
            marked = b"/Artifact /M "
        content = told.pages[0].Contents.read_bytes().replace(b"/P <</MCID 1>>", marked)
        told.pages[0].Contents = told.pdf.make_stream(content)

    first, second = copies(write_tagged(tmp_path / "bills.pdf", mark))

    assert (Tagging.KEPT, Tagging.KEPT) == (first.tagging, second.tagging)
    assert [] == audit(first.content, 1)


def have_no_parent_tree(told):
    del told.root.ParentTree


def have_kids_in_a_loop(told):
    told.root.ParentTree.Kids = Array([told.root.ParentTree])


def be_not_marked(told):
    told.pdf.Root.MarkInfo.Marked = False


def have_no_tree(told):
    del told.pdf.Root.StructTreeRoot


@pytest.mark.parametrize(
    ("fault", "tagging"),
    [
        (have_no_parent_tree, Tagging.INCOMPLETE),
        (have_kids_in_a_loop, Tagging.UNREADABLE),
        (be_not_marked, Tagging.NONE),
        (have_no_tree, Tagging.NONE),
    ],
)
def test_a_file_whose_tags_are_at_fault_is_copied_without(tmp_path, fault, tagging):
    assert [tagging] * 2 == tagging_of(write_tagged(tmp_path / "bills.pdf", fault))


def test_a_page_that_a_merger_doubled_has_no_tags_of_its_own(tmp_path):
    def double(told):
        told.pages[1].StructParents = 0

    assert [Tagging.KEPT, Tagging.INCOMPLETE] == tagging_of(
        write_tagged(tmp_path / "bills.pdf", double)
    )


def test_the_parent_tree_may_be_a_tree(tmp_path):
    def branch(told):
        rows = list(told.rows)
        leaves = [
            told.pdf.make_indirect(
                Dictionary(Limits=Array([9, 4]), Nums=Array(rows[place : place + 2]))
            )
            for place in (0, 2)
        ]
        inner = [told.pdf.make_indirect(Dictionary(Kids=Array([leaf]))) for leaf in leaves]
        told.root.ParentTree = Dictionary(Kids=Array(inner))

    assert [Tagging.KEPT] * 2 == tagging_of(write_tagged(tmp_path / "bills.pdf", branch))


def test_marks_may_stand_in_the_resources_and_artifacts_need_no_tag(tmp_path):
    def name_marks(told):
        page = told.pages[0]
        page.Resources = Dictionary(
            Font=page.Resources.Font, Properties=Dictionary(MC0=Dictionary(MCID=0))
        )
        content = page.Contents.read_bytes().replace(b"<</MCID 0>>", b"/MC0")
        content += b"\n/Artifact <</MCID 9 /Type/Pagination>> BDC 0 0 9 9 re f EMC"
        page.Contents = told.pdf.make_stream(content)

    assert [Tagging.KEPT] * 2 == tagging_of(write_tagged(tmp_path / "bills.pdf", name_marks))


def test_many_empty_elements_end_the_search_and_not_the_bill(tmp_path):
    def pad(told):
        nothing = told.element("Sect", told.document)
        for _ in range(24):  # of two kids each, the same: millions of ways down
            nothing = told.element("Sect", told.document, K=Array([nothing, nothing]))
        told.document.K = Array([nothing, *told.document.K])

    assert [Tagging.KEPT] * 2 == tagging_of(write_tagged(tmp_path / "bills.pdf", pad))


@pytest.mark.parametrize("key", ["Alt", "ActualText", "E", "T"])
def test_a_tag_with_a_neighbours_number_is_told(tmp_path, key):
    def lie(told):
        told.elements[0][1][f"/{key}"] = String(f"not {FIRST}, but {SECOND}")

    path = write_tagged(tmp_path / "bills.pdf", lie)
    copy = BillCopier.open(path).make([0])
    nobody = ForeignAccounts.of(())
    foreign = ForeignAccounts.of((FIRST, SECOND))
    bill = BillRange(FIRST, (0,), None, None)

    assert "has a tag (P) that says the number of another account" == find_stranger_in_tags(
        copy.texts, bill, foreign
    )
    assert "" == find_stranger_in_tags(copy.texts, bill, nobody)
    assert "" == find_stranger_in_tags(
        copy.texts, BillRange(FIRST, (0,), None, None, kin=("2222222222",)), foreign
    )


def test_an_audit_finds_tags_in_a_place_that_is_not_theirs(tmp_path):
    copy = BillCopier.open(write_tagged(tmp_path / "bills.pdf")).copy([0])

    def spoiled(change):
        import io

        with opened(copy) as pdf:
            change(pdf)
            written = io.BytesIO()
            pdf.save(written)
        assert not is_surely_clean(written.getvalue(), 1)
        return audit(written.getvalue(), 1)

    def element(pdf):
        return pdf.Root.StructTreeRoot.K[0].K[0]

    assert "holds a tag that says more than it may" in spoiled(
        lambda pdf: element(pdf).update({"/R": 2})
    )
    assert "has tags of something that its pages do not show" in spoiled(
        lambda pdf: element(pdf).update({"/K": 77})
    )
    assert "holds tags that are more than a tree" in spoiled(
        lambda pdf: pdf.Root.StructTreeRoot.update({"/RoleMap": Dictionary(A=Name.P)})
    )
    assert "holds a title that is not ours" in spoiled(
        lambda pdf: pdf.docinfo.update({"/Author": "Jane Doe"})
    )
    assert "holds /StructTreeRoot" in spoiled(
        lambda pdf: pdf.pages[0].obj.update({"/StructTreeRoot": pdf.Root.StructTreeRoot})
    )
    assert "says that it is tagged, and has no tags" in spoiled(
        lambda pdf: pdf.Root.__delitem__("/StructTreeRoot")
    )
