"""Elements are read alike whether others were written so before or not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.failures import Refused
from splitter.copying.copier import BillCopier
from splitter.pdf.objects import NULL, RawObject
from splitter.pdf.source import ObjectSource, SourceFile
from splitter.pdf.syntax import UnsupportedPdf, dictionary, items
from splitter.tags import reading
from splitter.tags.reading import TagTree, reference_of
from tests.splitter.tagged_builders import write_tagged


class Elements:
    """As much of a file as a structure tree is read from."""

    root = 1

    def __init__(self, bodies):
        self._bodies = {
            1: b"<</StructTreeRoot 2 0 R/MarkInfo<</Marked true>>>>",
            2: b"<</Type/StructTreeRoot/K 3 0 R>>",
        } | bodies

    def get(self, number):
        return RawObject(self._bodies[number]) if number in self._bodies else NULL

    def short_value(self, number):
        return self.get(number).body

    def refusal(self):
        return UnsupportedPdf("no end")

    value, dictionary = ObjectSource.value, ObjectSource.dictionary


def a_tree(*bodies):
    numbered = dict(enumerate(bodies, start=10))
    return TagTree(Elements(numbered | {5: b"[7 0 R 12]", 6: b"<</S/P>>"}), None, 2)


def told(element):
    """All that is asked of an element."""
    numbers = [number for _, number in element.numbered_kids()]
    keys = (b"/S", b"/Alt", b"/T", b"/Lang", b"/ID", b"/A", b"/C", b"/ActualText")
    said = {key: element.entry(key) for key in keys if element.entry(key)}
    return element.parent, element.page, list(element.kids), numbers, said


def plainly_told(body, tree):
    """The same by the parser of all objects."""
    entries = dictionary(body)
    if b"/S" not in entries:
        raise UnsupportedPdf("no element")
    raw = entries.get(b"/K", b"[]")
    if reference_of(raw) is not None:
        listed = tree.value(raw)
        raw = listed if listed.startswith(b"[") else b"[" + raw + b"]"
    kids = items(raw) if raw.startswith(b"[") else [raw]
    keys = (b"/S", b"/Alt", b"/T", b"/Lang", b"/ID", b"/A", b"/C", b"/ActualText")
    said = {key: entries[key] for key in keys if key in entries}
    parent, page = (reference_of(entries.get(key, b"")) for key in (b"/P", b"/Pg"))
    return parent, page, kids, list(map(reference_of, kids)), said


def outcome(ask, *arguments):
    try:
        return ask(*arguments)
    except UnsupportedPdf:
        return "unsupported"


SPACE = st.sampled_from([b" ", b"\n", b"\r\n", b"  ", b"\t"])
NUMBER = st.sampled_from([b"5", b"6", b"7", b"13", b"99", b"07", b"1234567890", b"4"])
REFERENCE = st.builds(
    lambda number, first, second, space: number + first + second + space + b"R",
    NUMBER, st.sampled_from([b" ", b"\n"]), st.sampled_from([b"0", b"3"]), st.just(b" "),
)  # fmt: skip
CONTENT = st.one_of(
    NUMBER,
    REFERENCE,
    REFERENCE.map(lambda page: b"<</Type/MCR/Pg " + page + b"/MCID 3>>"),
    REFERENCE.map(lambda target: b"<</Type /OBJR\n/Obj " + target + b">>"),
)
KIDS = st.one_of(
    CONTENT,
    st.builds(lambda kids, space: b"[" + space.join(kids) + b"]", st.lists(CONTENT), SPACE),
)
TEXT = st.sampled_from(
    [b"(Use in 10.26)", b"(a (nested) one)", b"(/P 9 0 R)", b"<FEFF0031>", rb"(a\)b 12)", b"(%)"]
)
ATTRIBUTES = st.sampled_from(
    [
        b"<</O /Table/RowSpan 2>>", b"[<</O /Table\n/Headers [(node01) (node02)]>> <</O/List>>]",
        b"<</O/Layout/BBox[1 2 30 4]>>", b"[<</O/A/B<</C 1>>>> 0]", b"9 0 R", b"<</O /T#41ble>>",
    ]
)  # fmt: skip
ENTRY = st.one_of(
    st.tuples(st.just(b"/P"), REFERENCE),
    st.tuples(st.just(b"/Pg"), st.one_of(REFERENCE, st.just(b"null"))),
    st.tuples(st.just(b"/K"), KIDS),
    st.tuples(st.just(b"/S"), st.sampled_from([b"/P", b"/H1", b"/H2", b"/Text#20body", b"7 0 R"])),
    st.tuples(st.sampled_from([b"/Alt", b"/T", b"/ActualText", b"/ID", b"/Lang"]), TEXT),
    st.tuples(st.sampled_from([b"/A", b"/C"]), ATTRIBUTES),
)
BODY = st.builds(
    lambda entries, space, end: (
        b"<</Type /StructElem"
        + b"".join([space + key + b" " + value for key, value in entries])
        + end
        + b">>"
    ),
    st.lists(ENTRY, min_size=1, max_size=6, unique_by=lambda entry: entry[0]),
    SPACE, st.sampled_from([b"", b"\n"]),
)  # fmt: skip


def other_digits(body, shift):
    """The same signs, other digits."""
    return bytes([48 + (one - 48 + shift) % 10 if 48 <= one < 58 else one for one in body])


def longer_numbers(body):
    """The same signs, each number a digit longer."""
    return re.sub(rb"([0-9]+)", rb"1\1", body)


@given(st.lists(BODY, min_size=1, max_size=3), st.integers(0, 9))
def test_an_element_is_read_as_by_the_parser_of_all_objects(bodies, shift):
    bodies += [other_digits(body, shift) for body in bodies] + [*map(longer_numbers, bodies)]
    tree = a_tree(*bodies)

    found = [outcome(lambda at=at: told(tree.element(10 + at))) for at in range(len(bodies))]

    expected = [outcome(plainly_told, body, tree) for body in bodies]
    assert expected == found


@given(st.lists(BODY, min_size=2, max_size=4), st.integers(0, 9))
def test_an_element_does_not_depend_on_what_was_read_before(bodies, shift):
    bodies += [other_digits(body, shift) for body in bodies] + [*map(longer_numbers, bodies)]
    places = range(len(bodies))
    tree = a_tree(*bodies)
    in_turn = [outcome(lambda at=at: told(tree.element(10 + at))) for at in places]

    alone = [outcome(lambda at=at: told(a_tree(*bodies).element(10 + at))) for at in places]

    assert alone == in_turn


def test_elements_that_are_written_alike_are_taken_apart_once(monkeypatch):
    from splitter.tags import reading

    made = []

    class Counted(reading.ElementShape):
        def __init__(self, body):
            made.append(body)
            super().__init__(body)

    monkeypatch.setattr(reading, "ElementShape", Counted)
    tree = a_tree(*(b"<</Type/StructElem/S/P/P %d 0 R/K %d>>" % (20 + n, n) for n in range(9)))

    elements = [tree.element(10 + n) for n in range(9)]

    assert [(20 + n, [b"%d" % n]) for n in range(9)] == [(e.parent, e.kids) for e in elements]
    assert 1 == len(made)


# -- short values of a file -----------------------------------------------------------------------

VALUES = (
    b"<</Type/StructElem/S/P/P 5 0 R/K 3>>", b"<</S/P/T(in brackets)>>", b"<</S/P %comment\n>>",
    b"<</S/Te#78t>>", b"[1 0 R 2 0 R]", b"17", b"null", b"<</Length 5>>\nstream\nhello\nendstream",
    b"<<" + b"/K 7" * 200 + b">>", b"<</S/stream>>", b"(endobj)", b"",
)  # fmt: skip
HEADS = (
    b"%d 0 obj\n",
    b"%d 0 obj",
    b"%d 1 obj\n",
    b"%d 0 objx\n",
    b" %d  0 obj\r\n",
    b"9%d 0 obj ",
)


@pytest.mark.parametrize("end", [b"\nendobj\n", b"endobj\n", b"\nendobj endobj\n", b"\n"])
@pytest.mark.parametrize("head", HEADS)
def test_a_short_value_is_what_any_object_is(tmp_path, head, end):
    file = tmp_path / "made-up.pdf"
    file.write_bytes(with_objects([head % n + value + end for n, value in enumerate(VALUES, 1)]))
    source, fresh = SourceFile(file), SourceFile(file)

    assert source.is_plain
    for number in range(1, len(VALUES) + 3):
        expected = outcome_of(lambda number=number: fresh.get(number).body)
        assert expected == outcome_of(lambda number=number: source.short_value(number)), number


def with_objects(written):
    """A file of these, numbered from 1, with a table that says where each begins."""
    file, rows = b"%PDF-1.7\n", b"0000000000 65535 f \n"
    for one in written:
        rows += b"%010d 00000 n \n" % len(file)
        file += one
    size = len(written) + 1
    trailer = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(file))
    return file + b"xref\n0 %d\n" % size + rows + trailer


def outcome_of(ask):

    try:
        return ask()
    except Refused as refusal:
        return str(refusal)


@pytest.mark.parametrize("mode", ["disable", "generate"])
def test_a_short_value_of_a_tagged_file_is_what_any_object_is(tmp_path, mode):
    import pikepdf

    file = write_tagged(tmp_path / "bills.pdf", object_stream_mode=pikepdf.ObjectStreamMode[mode])
    source, fresh = SourceFile(file), SourceFile(file)

    with pikepdf.open(file) as pdf:
        numbers = range(1, len(pdf.objects) + 3)
    assert [fresh.get(n).body for n in numbers] == [source.short_value(n) for n in numbers]


KINDS = (
    b"<</Subtype/Image/Length 4>>\nstream\nabcd\nendstream",
    b"<</Subtype /Form /Length 3 >>\nstream\r\nabc\r\nendstream",
    b"<</Subtype/Image/T(a) /Length 1>>\nstream\nx\nendstream",
    b"<</Sub#74ype/Image/Subtype/Form/Length 1>>\nstream\nx\nendstream",
    b"<</Length 1>>\nstream\nx\nendstream",
    b"<</Subtype/Link>>",
    b"<</A<</Subtype/Image>>/Length 1>>\nstream\nx\nendstream",
    b"<</Subtype/Image/N %b/Length 1>>\nstream\nx\nendstream" % (b"1" * 600),
)


@pytest.mark.parametrize("head", HEADS)
def test_the_kind_of_an_object_is_what_the_whole_object_says(tmp_path, head):
    file = tmp_path / "made-up.pdf"
    file.write_bytes(
        with_objects([head % n + value + b"\nendobj\n" for n, value in enumerate(KINDS, 1)])
    )
    source, fresh = SourceFile(file), SourceFile(file)

    for number in range(1, len(KINDS) + 2):
        expected = kind_of(lambda number=number: dictionary(fresh.get(number).body)[b"/Subtype"])
        assert expected == kind_of(lambda number=number: source.kind(number)), number


def kind_of(ask):
    try:
        return outcome_of(ask)
    except (KeyError, UnsupportedPdf) as failure:
        return type(failure)


def test_what_is_known_of_a_few_elements_changes_no_copy(tmp_path, monkeypatch):
    file = write_tagged(tmp_path / "bills.pdf", accounts=("1-1", "2-2", "3-3", "4-4"))
    expected = [BillCopier.open(file).copy([page]) for page in range(4)]
    for most in (0, 1, 2, 3):
        monkeypatch.setattr(reading, "_MOST_NUMBERS", most)
        copier = BillCopier.open(file)
        assert expected == [copier.copy([page]) for page in range(4)]
        assert expected[::-1] == [copier.copy([page]) for page in (3, 2, 1, 0)]
