"""Words by which labels on bills are known, in English, Spanish and French."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Words that speak for a label, that speak for it the more, and that speak against it."""

    good: frozenset[str]
    better: frozenset[str]
    bad: frozenset[str]

    @property
    def known(self) -> frozenset[str]:
        return self.good | self.bad


def _words(good: str, better: str, bad: str) -> Words:
    return Words(frozenset(good.split()), frozenset(better.split()), frozenset(bad.split()))


WORDS = {
    "account": _words(
        "account acct customer cust member cuenta cliente compte client abonné",
        "no number nbr # id núm número numero nº numéro",
        "phone fax tel meter serial zip box page route ut invoice bank routing medidor teléfono"
        " factura página compteur facture",
    ),
    "amount_due": _words(
        "amount total balance pay due importe monto saldo pagar montant payer",
        "due pay pagar payer",
        "previous last past after penalty payment payments tax anterior después recargo pagos"
        " précédent",
    ),
    "due_date": _words(
        "due pay by before vence vencimiento antes échéance avant",
        "date due fecha vencimiento échéance",
        "bill billing read from to service period last lectura periodo período servicio desde"
        " hasta",
    ),
}
SEPARATORS = _words(
    "separator separators batch end start begin divider slipsheet banner trailer bundle tray"
    " separador lote fin séparateur lot",
    "",
    "",
).good
