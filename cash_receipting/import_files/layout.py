"""How a line of an import file is laid out: comma-separated or of fixed width, by a TOML file."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cash_receipting.port import PostingRequest
from domain.failures import Misuse, PermanentFailure
from domain.wrong_values import say_instead, say_place

FIELDS: Mapping[str, Callable[[PostingRequest, str], str]] = {
    "key": lambda request, _form: request.key,
    "kind": lambda request, _form: request.kind.value,
    "account": lambda request, _form: request.account,
    "amount": lambda request, _form: str(request.amount),
    "cents": lambda request, _form: str(request.amount.cents),
    "method": lambda request, _form: request.method_kind.value,
    "confirmation": lambda request, _form: request.confirmation,
    "taken_on": lambda request, form: request.taken_on.strftime(form),
    "reverses": lambda request, _form: request.reverses or "",
    "distribution": lambda request, _form: request.distribution,
    "payor": lambda request, _form: request.payor,
    "comment": lambda request, _form: request.comment,
}


class FileColumn(BaseModel):
    """One column: which field it holds, or a text that is always the same."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str = ""
    text: str = ""
    heading: str = ""
    width: int = Field(0, ge=0)
    align: Literal["left", "right"] = "left"
    fill: str = Field(" ", min_length=1, max_length=1)
    date_format: str = "%Y-%m-%d"

    @model_validator(mode="after")
    def check_field(self) -> FileColumn:
        if self.field and self.field not in FIELDS:
            raise ValueError(f"there is no field {self.field}; there are {', '.join(FIELDS)}")
        return self

    def value_of(self, request: PostingRequest) -> str:
        return FIELDS[self.field](request, self.date_format) if self.field else self.text


class Layout(BaseModel):
    """The file's kind and columns; `key` must be among them, because answers name it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["csv", "fixed"] = "csv"
    delimiter: str = Field(",", min_length=1, max_length=1)
    headings: bool = True
    line_end: Literal["\n", "\r\n"] = "\r\n"
    column: tuple[FileColumn, ...] = tuple(FileColumn(field=name, heading=name) for name in FIELDS)

    @model_validator(mode="after")
    def check_columns(self) -> Layout:
        if not any(column.field == "key" for column in self.column):
            raise ValueError("a column with the field key is needed: answers name it")
        if self.kind == "fixed" and not all(column.width for column in self.column):
            raise ValueError("each column of a fixed layout needs a width")
        return self

    @property
    def suffix(self) -> str:
        return "csv" if self.kind == "csv" else "txt"

    def head(self) -> str:
        """Return the line above the postings, with its end; fixed layouts have none."""
        if self.kind == "fixed" or not self.headings:
            return ""
        return self._joined([column.heading or column.field for column in self.column])

    def to_line(self, request: PostingRequest) -> str:
        """
        Write one posting with the line's end.

        Raises PermanentFailure for a value that does not fit: a cut account is another account.
        """
        values = [column.value_of(request) for column in self.column]
        if self.kind == "csv":
            return self._joined(values)
        return "".join(map(_pad, self.column, values)) + self.line_end

    def _joined(self, values: list[str]) -> str:
        written = io.StringIO()
        csv.writer(written, delimiter=self.delimiter, lineterminator=self.line_end).writerow(values)
        return written.getvalue()


def read_layout(file: Path | None) -> Layout:
    """Read a layout; None: plain CSV with every field. Raises Misuse."""
    if file is None:
        return Layout()
    try:
        return Layout.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as fault:
        raise Misuse(f"The layout {file} cannot be read: {fault.strerror}.", "layout") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise Misuse(f"The layout {file} is not readable as TOML: {wrong}.", "layout") from None
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        where = say_place(first["loc"]) or "its columns"
        what = say_instead(first["type"], first["msg"], first.get("ctx", {}))
        raise Misuse(f"The layout {file} is wrong at {where}: {what}.", "layout") from None


def _pad(column: FileColumn, value: str) -> str:
    if len(value) > column.width or not value.isascii() or not (value.isprintable()):
        name = column.heading or column.field
        raise PermanentFailure(f"{name} does not fit into {column.width} plain characters")
    if column.align == "right":
        return value.rjust(column.width, column.fill)
    return value.ljust(column.width, column.fill)
