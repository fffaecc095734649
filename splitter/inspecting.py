"""A copy inspected by libraries that did not write it; runs in a child process."""

from __future__ import annotations

import re
from typing import Any

from splitter.auditing import audit
from splitter.messages import facts_to_message
from splitter.page_reading import DocumentText
from splitter.patterns import Patterns

# What may be an account number as printed: letters and digits with a digit among them.
NUMBER_LIKE = re.compile(r"(?<![0-9A-Za-z])(?=[0-9A-Za-z.\-]*[0-9])[0-9A-Za-z][0-9A-Za-z.\-]{4,}")


def inspect_copy(copy: bytes, patterns: Patterns) -> dict[str, Any]:
    """
    Return what each page of a copy says, the audit's findings, and numbers of doubtful pages.

    Doubtful is a page that names no account: it belongs to the bill only because it follows it.
    A page that names its own account may mention others, such as a former one.
    """
    document = DocumentText(copy, patterns)
    try:
        read = [document.facts(page) for page in range(document.pages)]
    finally:
        document.close()
    return {
        "pages": len(read),
        "facts": [facts_to_message(facts) for facts, _ in read],
        "numbers": sorted(
            {number for facts, text in read if not facts.accounts for number in numbers_in(text)}
        ),
        "findings": audit(copy, len(read)),
    }


def numbers_in(text: str) -> set[str]:
    return {match[0].rstrip(".-") for match in NUMBER_LIKE.finditer(text)}
