"""Layers of a page that a viewer shows or hides."""

from __future__ import annotations

from collections.abc import Mapping, Set

from splitter.source import SourceFile
from splitter.syntax import dictionary, items, reference, references, to_dictionary


class Layers:
    """
    The visibility of the layers in a file.

    Without it a layer that is OFF becomes visible. Only the layers a bill uses are named in its
    copy, because a layer may bear a customer's name.
    """

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._groups: list[int] = []
        self._default: Mapping[bytes, bytes] = {}
        catalog = source.get(source.root).body
        properties = dictionary(catalog).get(b"/OCProperties")
        if properties is not None and source.value(properties) != b"null":
            entries = source.dictionary(properties)
            self._groups = references(source.value(entries.get(b"/OCGs", b"[]")))
            self._default = source.dictionary(entries.get(b"/D", b"<<>>"))

    def properties(self, reached: Set[int]) -> bytes:
        """Return /OCProperties for the objects a bill reaches, or nothing where it has no layer."""
        used = reached & set(self._groups)
        if not used:
            return b""
        default: dict[bytes, bytes] = {
            key: self._source.value(self._default[key])
            for key in (b"/BaseState", b"/Intent")
            if key in self._default
        }
        for key in (b"/ON", b"/OFF", b"/Locked"):
            if key in self._default:
                default[key] = self._only(used, self._default[key])
        if b"/AS" in self._default:
            default[b"/AS"] = self._automatic_states(used)
        groups = b" ".join([b"%d 0 R" % number for number in self._groups if number in used])
        return b"/OCProperties<</OCGs[" + groups + b"]/D" + to_dictionary(default) + b">>"

    def _only(self, used: Set[int], raw: bytes) -> bytes:
        kept = [item for item in items(self._source.value(raw)) if reference(item) in used]
        return b"[" + b" ".join(kept) + b"]"

    def _automatic_states(self, used: Set[int]) -> bytes:
        """Return the usages (such as Print or View) by which viewers set layers themselves."""
        states = []
        for item in items(self._source.value(self._default[b"/AS"])):
            entries = self._source.dictionary(item)
            state = {
                key: self._source.value(entries[key])
                for key in (b"/Event", b"/Category")
                if key in entries
            }
            groups = self._only(used, entries.get(b"/OCGs", b"[]"))
            states.append(to_dictionary(state | {b"/OCGs": groups}))
        return b"[" + b" ".join(states) + b"]"
