"""What looks like a card or bank number (pure): it is never stored and never shown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from billing_system.export.columns import ExportColumn, Secrecy

SHORTEST = 12  # characters; nothing shorter is looked at outside token columns

_RUN = re.compile(r"[0-9]+(?:[ -][0-9]+)*")
_ROUTING_AND_ACCOUNT = re.compile(
    r"(?<![0-9])([0-9]{9})(?:\s*[/:;,|#-]\s*|\s+)(?:a/c|acc(?:oun)?t)?(?:\s|no|[.:#])*"
    r"[0-9]{4,17}(?![0-9])",
    re.IGNORECASE,
)
# As many digits as a card or a routing number has. The search gives up at a group's first digit
# where too little follows: an import searches all its texts, full of days and house numbers.
_ENOUGH_DIGITS = re.compile(r"[0-9](?<![0-9]{2})(?=[0-9 -]{8})(?:(?:[ -]?[0-9]){12}|[0-9]{8})")
_ONLY_DIGITS = re.compile(r"[0-9](?:[ -]*[0-9]){7,}")

# Ranges of the first four digits and the lengths that networks issue (ISO/IEC 7812).
_ISSUERS = (
    (4000, 4999, {13, 16, 19}),
    (5100, 5599, {16}),
    (2221, 2720, {16}),
    (3400, 3499, {15}),
    (3700, 3799, {15}),
    (6011, 6011, {16, 17, 18, 19}),
    (6440, 6599, {16, 17, 18, 19}),
    (6200, 6299, {16, 17, 18, 19}),
    (3528, 3589, {16, 17, 18, 19}),
    (3000, 3059, {14, 16, 17, 18, 19}),
    (3600, 3699, {14, 16, 17, 18, 19}),
    (3800, 3999, {14, 16, 17, 18, 19}),
    (5018, 5020, {13, 14, 15, 16, 17, 18, 19}),
    (5038, 5038, {13, 14, 15, 16, 17, 18, 19}),
    (6304, 6304, {13, 14, 15, 16, 17, 18, 19}),
    (6759, 6763, {13, 14, 15, 16, 17, 18, 19}),
)


def may_hold_sensitive_number(text: str) -> bool:
    """Say whether there are digits enough for one; the text may be many cells, a line each."""
    return _ENOUGH_DIGITS.search(text) is not None


def may_be_sensitive_token(text: str) -> bool:
    """Say whether there are digits enough for one; the text may be many tokens, a line each."""
    return _ONLY_DIGITS.search(text) is not None


def holds_sensitive_number(text: str) -> bool:
    """
    Say whether a text holds a card number, or a routing number followed by an account number.

    Telephone numbers, ZIP+4 and dates are none: a card number needs a network's first digits, its
    length, the check digit, and groups as on a card.
    """
    if len(text) < SHORTEST or not may_hold_sensitive_number(text):
        return False
    return _holds_card(text) or _holds_bank_account(text)


def is_sensitive_token(text: str) -> bool:
    """
    Say whether a payment method's token is really a number: nothing but 8 or more digits, or a
    card or bank number as anywhere else. Digits grown together with letters are a token's own.
    """
    if _ONLY_DIGITS.fullmatch(text.strip()):
        return True
    return _holds_bank_account(text) or _holds_card(text, beside_letters=False)


def passes_luhn(digits: str) -> bool:
    """Say whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def passes_routing_checksum(digits: str) -> bool:
    """Say whether nine digits are a routing number (ABA: weights 3, 7, 1 and a known district)."""
    district = int(digits[:2])
    if not (district <= 12 or 21 <= district <= 32 or 61 <= district <= 72 or district == 80):
        return False
    weighted = (weight * int(digit) for weight, digit in zip((3, 7, 1) * 3, digits, strict=True))
    return digits != "000000000" and sum(weighted) % 10 == 0


def _holds_card(text: str, *, beside_letters: bool = True) -> bool:
    for match in _RUN.finditer(text):
        if not beside_letters and _touches_letter(text, match.start(), match.end()):
            continue
        if any(_is_card(digits) for digits in _card_like(match[0])):
            return True
    return False


def _holds_bank_account(text: str) -> bool:
    return any(passes_routing_checksum(match[1]) for match in _ROUTING_AND_ACCOUNT.finditer(text))


def _is_card(digits: str) -> bool:
    first = int(digits[:4])
    issued = any(low <= first <= high and len(digits) in lengths for low, high, lengths in _ISSUERS)
    return issued and len(set(digits)) > 1 and passes_luhn(digits)


def _card_like(run: str) -> Iterator[str]:
    """Find the digits within a run of groups that are grouped as on a card, or not at all."""
    groups = re.split("[ -]", run)
    for start in range(len(groups)):
        for end in range(start + 1, min(start + 5, len(groups)) + 1):
            digits = "".join(groups[start:end])
            if 13 <= len(digits) <= 19 and _is_card_layout([len(g) for g in groups[start:end]]):
                yield digits


def _is_card_layout(sizes: list[int]) -> bool:
    if len(sizes) == 1 or sizes in ([8, 8], [4, 6, 5], [4, 6, 4], [6, 10], [6, 13], [4, 12]):
        return True
    return all(size == 4 for size in sizes[:-1]) and sizes[-1] <= 4


def _touches_letter(text: str, start: int, end: int) -> bool:
    return text[start - 1 : start].isalpha() or text[end : end + 1].isalpha()


_SHOWN = 40  # characters of a value that a message repeats
_DIGITS = 4  # of a token that anybody may see: a method's last four


def is_sensitive(column: ExportColumn, cell: str) -> bool:
    """Say whether a cell holds what must not be kept."""
    match column.secrecy:
        case Secrecy.TEXT:
            return holds_sensitive_number(cell)
        case Secrecy.TOKEN:
            return is_sensitive_token(cell)
        case Secrecy.NONE:
            return False


def are_any_sensitive(secrecy: Secrecy, cells: Collection[str]) -> bool:
    """Look at all cells together, and at each by itself only where there are digits enough."""
    match secrecy:
        case Secrecy.TEXT:
            together = may_hold_sensitive_number("\n".join(cells))
            return together and any(map(holds_sensitive_number, cells))
        case Secrecy.TOKEN:
            together = may_be_sensitive_token("\n".join(cells))
            return together and any(map(is_sensitive_token, cells))
        case Secrecy.NONE:
            return False


def warn(heading: str) -> str:
    """Say of a column's cell that it is not taken in."""
    return (
        f"column {heading}: holds what looks like a card or bank number (not shown, not kept); "
        "take it out of the billing system"
    )


def show(column: ExportColumn, cell: str) -> str:
    """Repeat a value, shortened; never what may be a number that nobody may see."""
    written = cell.strip()
    if not written:
        return "the value"
    many_digits = column.secrecy is Secrecy.TOKEN and sum(map(str.isdigit, written)) > _DIGITS
    if many_digits or holds_sensitive_number(written):
        return "the value (not shown)"
    shown = "".join(  # what would turn the writing, or a terminal's color, is spelled out
        char if char.isprintable() else f"\\u{ord(char):04x}" for char in written[:_SHOWN]
    )
    return f'"{shown}{"…" if len(written) > _SHOWN else ""}"'
