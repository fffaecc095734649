"""Nothing of another customer, and nothing that acts, gets into a bill."""

from __future__ import annotations

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from splitter.copying.audit import audit
from splitter.copying.copier import BillCopier
from tests.splitter.pdf_builders import (
    a_page,
    a_picture,
    changed,
    everything_in,
    opened,
    page_objects,
    pixels,
    write_pdf,
)

SECRET = b"NeighbourSecret"


@pytest.fixture
def bills(tmp_path):
    return write_pdf(
        tmp_path / "bills.pdf",
        [a_page("01.1037.1"), a_page("02.2048.2", SECRET.decode()), a_page("03.3059.3")],
    )


def copied(path, page=0):
    """Copy a page, after a look that nothing of the neighbour is in it and the audit agrees."""
    copy = BillCopier.open(path).copy([page])
    assert SECRET not in everything_in(copy)
    assert page_objects(copy) == 1
    assert audit(copy, 1) == []
    return copy


def test_resources_shared_by_all_pages_bring_no_other_customers_picture(tmp_path):
    def draw(canvas, page):
        canvas.drawImage(a_picture(page * 9, 255 - page * 9, 77), 100, 300, 90, 90)

    path = write_pdf(tmp_path / "bills.pdf", [a_page(f"01.{n}") for n in range(20)], draw)

    def share(pdf):
        pictures = Dictionary()
        for page in pdf.pages:
            pictures.update(dict(page.obj.Resources.XObject.items()))
        shared = pdf.make_indirect(Dictionary(pdf.pages[0].obj.Resources))
        shared.XObject = pictures
        for page in pdf.pages:
            page.obj.Resources = shared

    changed(path, share)

    for page in (0, 7, 19):
        copy = copied(path, page)
        assert everything_in(copy).count(b"/Image") < 12  # one picture, in several spellings
        with opened(copy) as pdf:
            assert len(pdf.pages[0].obj.Resources.XObject.keys()) == 1
        assert pixels(path, page) == pixels(copy)


def test_a_forms_own_resources_bring_no_other_customers_picture(bills):
    def nest(pdf):
        mine = pdf.make_stream(b"\x80" * 3, Subtype=Name.Image, Width=1, Height=1)
        mine.ColorSpace, mine.BitsPerComponent = Name.DeviceRGB, 8
        theirs = pdf.make_stream(SECRET, Subtype=Name.Image, Width=1, Height=5)
        form = pdf.make_stream(b"90 0 0 90 9 9 cm /Mine Do", Subtype=Name.Form, BBox=[0, 0, 99, 99])
        form.Resources = pdf.make_indirect(Dictionary(XObject=Dictionary(Mine=mine, Theirs=theirs)))
        pdf.pages[0].obj.Resources.XObject = Dictionary(Form=form)
        pdf.pages[0].Contents = pdf.make_stream(b"/Form Do")

    changed(bills, nest)

    assert pixels(bills) == pixels(copied(bills))


def test_a_pattern_and_a_type_3_font_bring_no_other_customers_picture(bills):
    def nest(pdf):
        theirs = pdf.make_stream(SECRET, Subtype=Name.Image, Width=1, Height=5)
        both = pdf.make_indirect(Dictionary(XObject=Dictionary(Theirs=theirs)))
        tile = pdf.make_stream(b"0 0 5 5 re f", PatternType=1, PaintType=1, TilingType=1)
        tile.BBox, tile.XStep, tile.YStep, tile.Resources = [0, 0, 9, 9], 9, 9, both
        glyph = pdf.make_stream(b"500 0 0 0 500 500 d1 0 0 400 400 re f")
        font = Dictionary(
            Type=Name.Font, Subtype=Name.Type3, FontBBox=[0, 0, 500, 500], Resources=both,
            FontMatrix=[0.001, 0, 0, 0.001, 0, 0], CharProcs=Dictionary(P=glyph, AA=glyph),
            Encoding=Dictionary(Differences=[65, Name.P]), FirstChar=65, LastChar=65, Widths=[500],
        )  # fmt: skip
        page = pdf.pages[0].obj
        page.Resources = Dictionary(
            Pattern=Dictionary(T=tile), Font=Dictionary(A=pdf.make_indirect(font))
        )
        page.Contents = pdf.make_stream(
            b"/Pattern cs /T scn 9 9 99 99 re f BT /A 80 Tf 200 200 Td (AAA) Tj ET"
        )

    changed(bills, nest)

    assert pixels(bills) == pixels(copied(bills))


def test_links_to_other_bills_do_not_bring_their_pages(bills):
    def link(pdf):
        for page in pdf.pages:
            page.obj.Annots = Array(
                [
                    Dictionary(
                        Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 50, 50], Border=[0, 0, 0],
                        Dest=[other.obj, Name.Fit],
                    )
                    for other in pdf.pages
                ]
            )  # fmt: skip

    changed(bills, link)

    assert b"/Annot" not in everything_in(copied(bills))


def test_an_annotation_that_names_its_page_does_not_bring_that_page(bills):
    def note(pdf):
        look = pdf.make_stream(b"1 0 0 rg 0 0 40 40 re f", Subtype=Name.Form, BBox=[0, 0, 40, 40])
        stamp = Dictionary(
            Type=Name.Annot, Subtype=Name.Stamp, Rect=[300, 300, 340, 340], P=pdf.pages[1].obj,
            AP=Dictionary(N=look), Contents=String(SECRET), T=String(SECRET), F=4,
            Parent=pdf.pages[1].obj, IRT=pdf.pages[1].obj,
        )  # fmt: skip
        pdf.pages[0].obj.Annots = Array([pdf.make_indirect(stamp)])

    changed(bills, note)

    assert pixels(bills) == pixels(copied(bills))


@pytest.mark.parametrize("key", ["/Parent", "/Metadata", "/PieceInfo", "/StructParent", "/OPI"])
def test_no_object_leads_to_another_page_or_to_data_about_it(bills, key):
    def lead_astray(pdf):
        form = pdf.make_stream(b"0 0 9 9 re f", Subtype=Name.Form, BBox=[0, 0, 9, 9])
        form[key] = pdf.pages[1].obj if key == "/Parent" else pdf.make_stream(SECRET)
        pdf.pages[0].obj.Resources.XObject = Dictionary(F=form)
        pdf.pages[0].contents_add(b"/F Do")
        pdf.pages[0].obj[key] = pdf.pages[1].obj if key == "/Parent" else pdf.make_stream(SECRET)
        if key == "/Parent":
            pdf.pages[0].obj.Parent = pdf.Root.Pages

    changed(bills, lead_astray)

    copied(bills)


def test_a_page_reached_in_a_roundabout_way_becomes_null(bills):
    def hide(pdf):
        state = Dictionary(Type=Name.ExtGState, ca=1, Roundabout=Array([pdf.pages[1].obj]))
        pdf.pages[0].obj.Resources.ExtGState = Dictionary(G=pdf.make_indirect(state))
        pdf.pages[0].contents_add(b"/G gs", prepend=True)

    changed(bills, hide)

    copied(bills)


def test_nothing_in_a_copy_acts_or_carries_files(bills):
    def arm(pdf):
        script = Dictionary(S=Name.JavaScript, JS=String("app.alert('hello')"))
        pdf.Root.OpenAction = script
        pdf.Root.AA = Dictionary(WC=script)
        pdf.attachments["list.csv"] = pikepdf.AttachedFileSpec(pdf, SECRET, filename="list.csv")
        page = pdf.pages[0].obj
        page.AA = Dictionary(O=script)
        page.Metadata = pdf.make_stream(SECRET)
        page.PieceInfo = Dictionary(App=Dictionary(Private=String(SECRET)))
        page.Thumb = pdf.make_stream(SECRET)
        page.StructParents = 0
        looks = pdf.make_stream(b"0 0 9 9 re f", Subtype=Name.Form, BBox=[0, 0, 9, 9])
        page.Annots = Array(
            [
                Dictionary(Subtype=Name.Link, Rect=[0, 0, 9, 9], A=script, AA=Dictionary(E=script)),
                Dictionary(
                    Subtype=Name.Link, Rect=[0, 0, 9, 9], Border=[0, 0, 0],
                    A=Dictionary(S=Name.Launch, F=String("calc.exe")),
                ),
                Dictionary(
                    Subtype=Name.Link, Rect=[0, 0, 9, 9], Border=[0, 0, 0],
                    A=Dictionary(S=Name.URI, URI=String("javascript:alert(1)")),
                ),
                Dictionary(
                    Subtype=Name.FileAttachment, Rect=[9, 9, 30, 30], AP=Dictionary(N=looks),
                    FS=Dictionary(EF=Dictionary(F=pdf.make_stream(SECRET))),
                ),
                pdf.make_indirect(
                    Dictionary(
                        Subtype=Name.Widget, Rect=[40, 9, 60, 30], AP=Dictionary(N=looks),
                        FT=Name.Tx, T=String("x"), F=4, A=Dictionary(S=Name.SubmitForm, F=String("https://a.com")),
                    )
                ),
            ]
        )  # fmt: skip

        pdf.Root.AcroForm = Dictionary(Fields=[page.Annots[4]])

    changed(bills, arm)

    found = everything_in(copied(bills))
    assert not [
        word
        for word in (
            b"JavaScript",
            b"javascript",
            b"Launch",
            b"SubmitForm",
            b"calc",
            b"/EF",
            b"/AA",
        )
        if word in found
    ]
    assert pixels(bills) == pixels(BillCopier.open(bills).copy([0]))


WEB_LINKS = [
    pytest.param(String("https://example.com/pay?a=1&b=(2)"), id="plain"),
    pytest.param(pikepdf.String("https://example.com/zahlung-für"), id="with an umlaut"),
    pytest.param(String("mailto:office@example.com"), id="mail"),
    pytest.param(String("tel:+15550100"), id="telephone"),
    pytest.param(
        String(b"\xfe\xff" + "https://example.com".encode("utf-16-be")), id="two bytes a letter"
    ),
]


@pytest.mark.parametrize("address", WEB_LINKS)
@pytest.mark.parametrize("is_inline", [True, False])
def test_a_web_link_stays(bills, address, is_inline):
    def link(pdf):
        found = Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=[1, 2, 3, 4], Border=[0, 0, 0],
            A=Dictionary(S=Name.URI, URI=address),
        )  # fmt: skip
        pdf.pages[0].obj.Annots = Array([found if is_inline else pdf.make_indirect(found)])

    changed(bills, link)

    with opened(copied(bills)) as pdf:
        (kept,) = pdf.pages[0].obj.Annots
        scheme = str(address).partition(":")[0]
        assert bytes(kept.A.URI).isascii()
        assert str(kept.A.URI).startswith(f"{scheme}:")
        assert [int(number) for number in kept.Rect] == [1, 2, 3, 4]


def test_a_layer_that_is_off_stays_off_and_other_layers_stay_away(bills):
    def layer(pdf):
        off = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Proof")))
        theirs = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String(SECRET)))
        pdf.Root.OCProperties = pdf.make_indirect(
            Dictionary(
                OCGs=[off, theirs],
                D=Dictionary(OFF=[off, theirs], Order=[off, theirs], Name=String(SECRET)),
            )
        )
        pdf.pages[0].obj.Resources.Properties = Dictionary(L=off)
        pdf.pages[0].contents_add(b"/OC /L BDC 0 0 500 500 re f EMC")

    before = pixels(bills)
    changed(bills, layer)

    copy = copied(bills)
    with opened(copy) as pdf:
        assert [str(group.Name) for group in pdf.Root.OCProperties.OCGs] == ["Proof"]
        assert len(pdf.Root.OCProperties.D.OFF) == 1
    assert pixels(bills) == pixels(copy)
    assert before == pixels(copy)


def test_the_audit_finds_what_must_not_be_there(bills):
    def harm(pdf):
        pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("1"))
        pdf.pages[0].obj.Annots = Array(
            [Dictionary(Subtype=Name.Link, Rect=[0, 0, 1, 1], Dest=[pdf.pages[1].obj, Name.Fit])]
        )
        del pdf.pages[1]

    changed(bills, harm)

    findings = audit(bills.read_bytes(), 2)
    assert {"holds /OpenAction", "holds /JS", "holds /Dest"} <= set(findings)
    assert "holds 3 page objects instead of 2" in findings
    assert "cannot be opened" in audit(bills.read_bytes()[:-200], 2)
