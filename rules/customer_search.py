"""What is typed to find a customer, and what it is compared with (rules 124, 170, 171)."""

from __future__ import annotations

import string
import unicodedata

from domain.accounts import account_key
from domain.customer_service import FoundBy

LEAST_OF_METER = 3  # letters and digits: fewer are on every second meter


def findable_text(
    number: str,
    name: str,
    last_name: str,
    service_address: str,
    mailing_address: str,
    city: str,
    state: str,
    zip_code: str,
    email: str,
    phone: str,
    *,
    mailboxes: str,
) -> str:
    """
    Return the text that an account is found by: a line each kind of what may be said of it.

    Numbers and phones stand in it by their letters and digits alone (rule 124).
    """
    digits = "".join(filter(str.isdigit, phone))
    places = f"{service_address} {mailing_address} {city} {state} {zip_code}"
    lines = (account_key(number), f"{name} {last_name}", places, email, digits, mailboxes)
    return "\n".join(map(searchable, lines))


def found_in(text: str, words: tuple[str, ...], meters: str = "") -> tuple[FoundBy, ...]:
    """
    Say which lines of a findable text have what is looked for, the likeliest first.

    Where one line has every word, only such lines; else each that has some of them. A part of a
    meter's number is the whole of what was typed.
    """
    number = meter_number(words)
    if number is not None and number in meters:
        rest = found_in(text, words)
        return (*rest, FoundBy.METER)
    parts = [looked_for(word) for word in words]
    pairs = list(zip(_LINES, text.split("\n"), strict=True))
    joined = run_together(words)
    own = [
        kind
        for kind, line in pairs
        if all(part in line for part in parts) or (joined is not None and joined in line)
    ]
    return tuple(own or (kind for kind, line in pairs if any(part in line for part in parts)))


def run_together(words: tuple[str, ...]) -> str | None:
    """Return words as one, where they may be a number or phone written with spaces (rule 124)."""
    has_digits = all(any(map(str.isdigit, word)) for word in words)
    return "".join(words) if len(words) > 1 and has_digits else None


def meter_number(words: tuple[str, ...]) -> str | None:
    """
    Return what was typed, where it may be a part of a meter's number; None: it is none.

    One word with a digit, of three letters and digits at least. Beside other words a number is a
    house's: a part of somebody's meter there would find half of a street.
    """
    typed = words[0] if len(words) == 1 else run_together(words)
    if typed is None or len(typed) < LEAST_OF_METER or not any(map(str.isdigit, typed)):
        return None
    return typed


def searchable(said: str) -> str:
    """
    Return the text that a part of a word is looked for in: words as they are heard.

    Capitals, accents and punctuation do not count, so that `oneil` finds O'Néil and `0110371`
    account 01.1037.1.
    """
    return f" {' '.join(dict.fromkeys(search_words(said)))} "


def looked_for(word: str) -> str:
    """
    Return what a word is looked for as: a part of any word (rule 171).

    One letter or digit alone is a whole word: `2172 apt 2` means one apartment, and not all.
    """
    return word if len(word) > 1 else f" {word} "


def search_words(typed: str) -> tuple[str, ...]:
    """Return what was typed as words of letters and digits alone; each has to be found."""
    if typed.isascii():
        return tuple(typed.lower().translate(_HEARD).split())
    flat = unicodedata.normalize("NFKD", typed).casefold().translate(_HEARD)
    kept = (character for character in flat if character.isalnum() or character.isspace())
    return tuple("".join(kept).split())


def person_number(typed: str) -> int | None:
    """Return whose person ID was typed, `17` or `customer 17`; None: it is no such thing."""
    words = typed.casefold().split()
    number = words[-1] if words else ""
    is_one = len(words) == 1 or (len(words) == 2 and words[0] == "customer")
    if not is_one or not (number.isascii() and number.isdigit()) or len(number) > 9:
        return None
    return int(number)


_LINES = (  # of a findable text
    FoundBy.NUMBER,
    FoundBy.NAME,
    FoundBy.ADDRESS,
    FoundBy.EMAIL,
    FoundBy.PHONE,
    FoundBy.PORTAL_USER,
)
# Commas and semicolons part words, all other punctuation is not heard.
_HEARD = str.maketrans(
    dict.fromkeys(",;", " ") | {mark: None for mark in string.punctuation if mark not in ",;"}
)
