"""Type 3 fonts cut down to the letters that are shown: a letter may be a customer's mark."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache

from splitter.pdf.content import ShownCodes, names_used, shown_codes
from splitter.pdf.source import SourceFile
from splitter.pdf.syntax import (
    UnsupportedPdf,
    dictionary,
    items,
    plain,
    reference,
    references,
    spelled,
    to_dictionary,
)

TYPE_3 = b"/Type3"
FONT_KEYS = frozenset(
    {
        b"/Type", b"/Subtype", b"/Name", b"/FontBBox", b"/FontMatrix", b"/CharProcs", b"/Encoding",
        b"/FirstChar", b"/LastChar", b"/Widths", b"/FontDescriptor", b"/ToUnicode",
    }
)  # fmt: skip
_LONG_MEANING = re.compile(rb"<[0-9A-Fa-f\s]{17,}>")  # of one code: more than four letters
_DEEPEST_FORM = 16
_MOST_REMEMBERED = 512
_BASES = ("/StandardEncoding", "/WinAnsiEncoding", "/MacRomanEncoding")  # of encodings


def is_type_3(raw: bytes) -> bool:
    """Say whether a value is a Type 3 font itself, not a reference to one."""
    return raw.startswith(b"<<") and TYPE_3 in raw and dictionary(raw).get(b"/Subtype") == TYPE_3


class GlyphPruner:
    """Finds out which codes are shown in which Type 3 font, and cuts the fonts down to them."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._shown: dict[int, ShownCodes] = {}
        self._inherited_codes: dict[int, frozenset[int]] = {}
        self._waiting: set[int] = set()

    def codes_shown(
        self,
        drawn: Iterable[int],
        forms: Mapping[bytes, bytes],
        used: Collection[bytes],
        fonts: Iterable[bytes],
    ) -> Mapping[bytes, set[int]]:
        """
        Return the codes that are shown in fonts, by their names.

        `drawn` are content streams that draw with these names, `forms` what they may draw and
        `used` the names they use. A form shows text in the font of whoever draws it until it has
        chosen one: which of these fonts that is need not be told, so it is each of them.
        """
        shown = ShownCodes()
        for number in drawn:
            shown.add(self._of(number))
        anywhere = set(shown.inherited)
        for name in used:
            form = reference(forms[name]) if name in forms else None
            if form is not None:
                anywhere |= self._inherited(form)
        return {name: shown.by_font[name] | anywhere for name in fonts}

    def pruned(self, font: Mapping[bytes, bytes], codes: Collection[int]) -> bytes:
        """
        Return a font with the letters that these codes show, to stand where it is used.

        Raises UnsupportedPdf where the table of what its codes mean tells words of other letters.
        """
        letters = {
            plain(name[1:]): value
            for name, value in self._source.dictionary(font.get(b"/CharProcs", b"<<>>")).items()
        }
        names, encoding = self._encoding(font, codes)
        kept = {spelled(name): letters[name] for name in sorted(names & letters.keys())}
        if len(kept) < len(letters) and b"/ToUnicode" in font:
            self._check_meanings(font[b"/ToUnicode"])
        return to_dictionary(
            {**font, b"/Subtype": TYPE_3, b"/CharProcs": to_dictionary(kept)} | encoding
        )

    def content_of(self, font: bytes) -> list[int]:
        """Return the content streams of a font's letters."""
        return references(dictionary(font)[b"/CharProcs"])

    def _of(self, number: int) -> ShownCodes:
        known = self._shown.get(number)
        if known is None:
            known = shown_codes(self._source.decoded(number))
            if len(self._shown) >= _MOST_REMEMBERED:
                self._shown.clear()
            self._shown[number] = known
        return known

    def _inherited(self, number: int) -> frozenset[int]:
        """Return the codes that a form, and forms in it, show in a font of whoever draws it."""
        known = self._inherited_codes.get(number)
        if known is not None:
            return known
        if number in self._waiting or len(self._waiting) >= _DEEPEST_FORM:
            raise UnsupportedPdf("forms in forms without an end")
        self._waiting.add(number)
        try:
            known = frozenset(self._inherited_by(number))
        finally:
            self._waiting.discard(number)
        if len(self._inherited_codes) >= _MOST_REMEMBERED:
            self._inherited_codes.clear()
        self._inherited_codes[number] = known
        return known

    def _inherited_by(self, number: int) -> set[int]:
        found = self._source.get(number)
        if found.stream is None or b"/Form" not in found.body:
            return set()
        codes = set(self._of(number).inherited)
        resources = self._source.dictionary(dictionary(found.body).get(b"/Resources", b"<<>>"))
        forms = self._source.dictionary(resources.get(b"/XObject", b"<<>>"))
        used = names_used(self._source.decoded(number))
        for name, value in forms.items():
            inner = reference(value) if plain(name[1:]) in used else None
            if inner is not None:
                codes |= self._inherited(inner)
        return codes

    def _encoding(
        self, font: Mapping[bytes, bytes], codes: Collection[int]
    ) -> tuple[set[bytes], dict[bytes, bytes]]:
        """Return the names of the letters that codes show, and an encoding of just these."""
        encoding = self._source.value(font.get(b"/Encoding", b"null"))
        if not encoding.startswith(b"<<"):
            return _usual_names(codes), {}
        entries = dictionary(encoding)
        told = _differences(self._source.value(entries.get(b"/Differences", b"[]")))
        own = {code: told[code] for code in sorted(codes) if code in told}
        names = set(own.values()) | _usual_names([code for code in codes if code not in told])
        rows = [b"%d %b" % (code, spelled(name)) for code, name in own.items()]
        kept = {**entries, b"/Differences": b"[" + b" ".join(rows) + b"]"}
        return names, {b"/Encoding": to_dictionary(kept)}

    def _check_meanings(self, table: bytes) -> None:
        number = reference(table)
        if number is not None and _LONG_MEANING.search(self._source.decoded(number)):
            raise UnsupportedPdf("a table of what letters mean that tells words")


def _differences(raw: bytes) -> dict[int, bytes]:
    told: dict[int, bytes] = {}
    code = 0
    for item in items(raw):
        if item.startswith(b"/"):
            told[code] = plain(item[1:])
            code += 1
        elif item.isdigit():
            code = int(item)
        else:
            raise UnsupportedPdf("differences that are neither codes nor names")
    return told


def _usual_names(codes: Collection[int]) -> set[bytes]:
    """Return the names that codes have in the encodings a font may be based on."""
    return {name for code in codes for name in _names_by_code().get(code, ())}


@cache
def _names_by_code() -> dict[int, tuple[bytes, ...]]:
    from pypdf._codecs import charset_encoding
    from pypdf._codecs.adobe_glyphs import adobe_glyphs

    by_sign: defaultdict[str, set[bytes]] = defaultdict(set)
    for name, sign in adobe_glyphs.items():
        by_sign[sign].add(name[1:].encode())
    tables = [charset_encoding[name] for name in _BASES]
    return {
        code: tuple(sorted({name for table in tables for name in by_sign.get(table[code], ())}))
        for code in range(256)
    }
