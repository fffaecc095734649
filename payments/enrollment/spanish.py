"""What stands in the places of the Spanish consent text."""

from __future__ import annotations

from domain.languages import SPANISH, say_day
from domain.payments import Mandate, PlannedPayment, Unscheduled

REASONS = {
    Unscheduled.HELD: "la cuenta está retenida en este período",
    Unscheduled.ACCOUNT_CLOSED: "la cuenta está cerrada",
    Unscheduled.DIRECT_PAY: "la oficina cobra la factura por débito directo",
    Unscheduled.METHOD_BLOCKED: "esta cuenta no se puede pagar con ese método de pago",
    Unscheduled.METHOD_MISSING: "el método de pago ya no se conoce",
    Unscheduled.ARRANGED: "todo lo que se debe está en un plan de pagos",
    Unscheduled.ZERO_BALANCE: "ahora no se debe nada",
    Unscheduled.OVER_MAXIMUM: "el saldo supera el máximo",
    Unscheduled.AFTER_DUE_DATE: "la fecha de vencimiento ya pasó",
    Unscheduled.ALREADY_PROCESSED: "el pago de este período ya se hizo o ya se pidió",
}
_NEXT_CLOSE = "el primer pago sigue al próximo cierre"


def say_amount_rule(agreed: Mandate) -> str:
    whole = "todo el saldo pendiente, o el importe de pago uniforme que se acordó"
    if agreed.maximum is None:
        return whole
    limit = agreed.maximum.dollars()
    if agreed.pays_up_to_maximum:
        return (
            f"{whole}, pero como máximo {limit} de un saldo pendiente, y el resto lo pago de "
            "otra forma"
        )
    return (
        f"{whole}; de un saldo pendiente de más de {limit} no se cobra nada, y lo pago de otra "
        "forma"
    )


def say_days(days_prior: int) -> str:
    if not days_prior:
        return "en la fecha de vencimiento"
    return f"{days_prior} {'día' if days_prior == 1 else 'días'} antes de la fecha de vencimiento"


def say_outcome(planned: PlannedPayment | None) -> str:
    """Say what enrolling brings about (rules 51-58)."""
    if planned is None:
        return f"todavía no se ha cerrado ningún período de la cuenta, {_NEXT_CLOSE}"
    if planned.pay_on is None:
        why = f", {REASONS[planned.unscheduled]}" if planned.unscheduled else ""
        return f"no se programa ningún pago{why}; {_NEXT_CLOSE}"
    amount = planned.amount.dollars()
    if planned.immediate:
        return f"{amount} se cobran de inmediato"
    return f"{amount} se cobran el {say_day(planned.pay_on, SPANISH)}"
