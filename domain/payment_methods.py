"""A payment method in words: one form wherever customers and staff read of it."""

from __future__ import annotations

import hashlib

from domain.languages import ENGLISH, SPANISH
from domain.payments import MethodKind

KEY_LETTERS = 16

# Of each kind how it is called without a brand or bank, and with one.
_NAMES = {
    ENGLISH: {
        MethodKind.CARD: ("card", "{brand}"),
        MethodKind.ACH: ("bank account", "{brand} account"),
    },
    SPANISH: {
        MethodKind.CARD: ("tarjeta", "{brand}"),
        MethodKind.ACH: ("cuenta bancaria", "cuenta de {brand}"),
    },
}
_ENDING = {ENGLISH: "{name} ending {last4}", SPANISH: "{name} terminada en {last4}"}
_GONE = {
    ENGLISH: "a payment method that is in no wallet any more",
    SPANISH: "un método de pago que ya no está guardado",
}


def method_key(token: str) -> str:
    """Return what stands for a gateway's token wherever the token itself must not stand."""
    return hashlib.sha256(token.encode()).hexdigest()[:KEY_LETTERS]


def say_method(
    kind: MethodKind | None, last4: str, brand: str = "", language: str = ENGLISH
) -> str:
    """
    Name a payment method within a sentence, `Visa ending 4242` or `card ending 4242`.

    A brand, or a bank's name, is there where the gateway told it when the method was added; an
    export has none. Without a kind no wallet knows the method any more.
    """
    if kind is None:
        return _GONE[language]
    plain, branded = _NAMES[language][kind]
    name = branded.format(brand=brand) if brand else plain
    return _ENDING[language].format(name=name, last4=last4) if last4 else name


def say_kind(kind: MethodKind, language: str = ENGLISH) -> str:
    """Name a kind of payment method, `bank account`."""
    return _NAMES[language][kind][0]


def label_method(
    kind: MethodKind | None, last4: str, brand: str = "", language: str = ENGLISH
) -> str:
    """Name it where it stands by itself, `Card ending 4242`."""
    said = say_method(kind, last4, brand, language)
    return f"{said[:1].upper()}{said[1:]}"
