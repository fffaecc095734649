"""Forms in which whole texts are written: their lines stay lines."""

from __future__ import annotations

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

LONGEST_TEXT = 100_001  # characters: one more than any may have, so that a longer one is seen
MOST_FIELDS = 600


async def written_fields(request: Request) -> dict[str, str]:
    """Return a form's fields as typed, with their lines, without other control characters."""
    if request.method != "POST":
        return {}
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        return keep_lines(form)


def keep_lines(form: FormData) -> dict[str, str]:
    """Return the fields of a form as typed, with their lines, without its files."""
    return {name: _kept(value) for name, value in form.items() if not isinstance(value, UploadFile)}


def _kept(value: str) -> str:
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(one for one in lines if one.isprintable() or one in "\n\t")[:LONGEST_TEXT]
