"""What a copy says of itself: its title and its language, ours and never the bulk file's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape

from splitter.pdf.objects import RawObject
from splitter.tags.values import language_of, to_hexadecimal

_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>'
    '<rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt></dc:title></rdf:Description>'
    '</rdf:RDF></x:xmpmeta>\n<?xpacket end="r"?>'
)


@dataclass(frozen=True)
class CopyLabels:
    """
    The title that viewers show, and the language (`en-US`) in which what is unmarked is read.

    The source's own title names the whole file, or its first customer. The language holds where
    the source has none. Without `keeps_tags` a tagged source is copied as an untagged one.
    """

    title: str = ""
    language: str = ""
    keeps_tags: bool = True

    @cached_property
    def information(self) -> RawObject:
        """The document information, which some viewers read: a title and no date."""
        written = b"\xfe\xff" + self.title.encode("utf-16-be", "replace")
        return RawObject(b"<</Title" + to_hexadecimal(written) + b">>")

    @cached_property
    def metadata(self) -> RawObject:
        """The same for viewers that read XMP."""
        written = xmp(self.title)
        return RawObject(b"<</Type/Metadata/Subtype/XML/Length %d>>" % len(written), written)

    def catalog(self, source_language: bytes) -> bytes:
        """Return what a catalog says of the language, which the source knows better."""
        language = source_language or language_of(b"(%b)" % self.language.encode("ascii", "ignore"))
        return b"/Lang(" + language + b")" if language else b""


def xmp(title: str) -> bytes:
    return _XMP.format(escape(title, quote=False)).encode("utf-8", "replace")


NO_LABELS = CopyLabels()
