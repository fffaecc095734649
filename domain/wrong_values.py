"""What is to be written instead of a value that is wrong, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_WHOLE, _NUMBER = "write a whole number", "write a number"
_YES_OR_NO = "write true or false, without quotation marks"
_TEXT = "write it as text in quotation marks"
_LIST = 'write a list, such as ["one", "two"]'
_TABLE = "write a table, such as {key = value}"
_DATE = "write a date, such as 2026-11-26"
_WRITE = {  # the kinds that pydantic tells apart
    "string_type": _TEXT,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "bool_type": _YES_OR_NO,
    "bool_parsing": _YES_OR_NO,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "missing": "it is missing",
}
_BOUNDS = {
    "ge": "at least {:g}",
    "gt": "more than {:g}",
    "le": "at most {:g}",
    "lt": "less than {:g}",
}
_LENGTHS = {
    "string_too_long": ("max_length", "write {} letters at the most"),
    "string_too_short": ("min_length", "write {} letters at least"),
    "too_long": ("max_length", "write {} entries at the most"),
    "too_short": ("min_length", "write {} entries at least"),
}


def say_instead(
    kind: str,
    message: str,
    context: Mapping[str, Any],
    *,
    bounds: Mapping[str, Any] | None = None,
    examples: Sequence[Any] = (),
    is_whole: bool = False,
) -> str:
    """
    Say what may be written, from the kind of a fault as pydantic names it and its context.

    `bounds` are those of the field (ge, gt, le, lt), `examples` what it may look like. What was
    written is not repeated: it may be a secret. Our own validators' messages stand as they are.
    """
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if kind in ("literal_error", "enum"):
        return "write " + str(context["expected"]).replace("'", '"')
    if kind == "string_pattern_mismatch" and not examples:
        return f"write letters and signs as in {context['pattern']}"
    if examples and kind in ("string_pattern_mismatch", "string_type"):
        return "write " + " or ".join(f'"{one}"' for one in examples) + ", or one like it"
    if kind in _LENGTHS:
        name, sentence = _LENGTHS[kind]
        return sentence.format(context[name])
    known = {**(bounds or {}), **{name: context[name] for name in _BOUNDS if name in context}}
    if kind in _WRITE:
        return _WRITE[kind] + _say_bounds(known if _WRITE[kind] in (_WHOLE, _NUMBER) else {})
    if any(name in context for name in _BOUNDS):
        return (_WHOLE if is_whole else _NUMBER) + _say_bounds(known)
    return message[:1].lower() + message[1:]


def _say_bounds(bounds: Mapping[str, Any]) -> str:
    if "ge" in bounds and "le" in bounds:
        return f" from {bounds['ge']:g} to {bounds['le']:g}"
    said = [_BOUNDS[name].format(bounds[name]) for name in _BOUNDS if name in bounds]
    return f" of {' and '.join(said)}" if said else ""


def say_place(location: Sequence[str | int], *, kinds: Sequence[str] = ("str", "bool")) -> str:
    """Write where a fault stands, `smtp.token_command, entry 2`: without the kinds of a choice."""
    said = ""
    for part in location:
        if isinstance(part, int):
            said += f", entry {part + 1}"
        elif part not in kinds and "[" not in part:
            said += f", {part}" if ", entry" in said else f".{part}" if said else part
    return said.removeprefix(", ")
