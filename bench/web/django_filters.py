"""Amounts of money as the home page's templates in Django write them."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def money(cents: int) -> str:
    dollars = f"${abs(cents) // 100:,}.{abs(cents) % 100:02}"
    return f"-{dollars}" if cents < 0 else dollars


@register.filter
def ledger(cents: int) -> str:
    return f"({money(-cents)})" if cents < 0 else money(cents)
