"""Charts as inline SVG: readable in print and in gray, without a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from domain.words import say_count
from reporting.run_sheet.control_totals import printed_bills
from reporting.run_sheet.run_sheet import RunSheet

_WIDTH, _HEIGHT = 720, 30
_GAP = 2  # keeps neighbors apart where the colors cannot
_LABEL_WIDTH = 7.5  # of one digit
_COLORS = {
    "mail": ("#1d4f7c", "#ffffff"),
    "both": ("#8cb8d9", "#14202b"),
    "paper": ("#b36b12", "#ffffff"),
    "held": ("#5f6670", "#ffffff"),
}


@dataclass(frozen=True, slots=True)
class DeliveryShare:
    """One way in which bills leave, with its part of all bills."""

    name: str
    label: str
    bills: int
    color: str
    percent: str


def list_shares(sheet: RunSheet) -> tuple[DeliveryShare, ...]:
    """Count each bill once: by mail alone, both ways, on paper alone, or held back."""
    counts = {
        "mail": ("By e-mail only", sheet.deliveries.bills - sheet.both),
        "both": ("By e-mail and on paper", sheet.both),
        "paper": ("On paper only", printed_bills(sheet) - sheet.both),
        "held": ("Held back", sheet.held_bills),
    }
    whole = sum(max(bills, 0) for _, bills in counts.values())
    return tuple(
        DeliveryShare(name, label, max(bills, 0), _COLORS[name][0], _percent(max(bills, 0), whole))
        for name, (label, bills) in counts.items()
    )


def draw_shares(shares: tuple[DeliveryShare, ...]) -> Markup:
    """Draw one stacked bar; empty where there are no bills."""
    whole = sum(share.bills for share in shares)
    if not whole:
        return Markup("")
    pieces, left = [], 0.0
    for share in shares:
        width = _WIDTH * share.bills / whole
        if share.bills:
            pieces.append(_piece(share, left, width))
        left += width
    spoken = ", ".join(f"{share.label.lower()} {share.bills:,}" for share in shares)
    return Markup(
        '<svg class="shares" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(_WIDTH, _HEIGHT, f"{say_count(whole, 'bill')}: {spoken}", Markup("").join(pieces))


def draw_swatch(share: DeliveryShare) -> Markup:
    """Draw the small square that names a color in the legend."""
    return Markup(
        '<svg class="swatch" viewBox="0 0 12 12" aria-hidden="true">'
        '<rect width="12" height="12" rx="2" fill="{}"></rect></svg>'
    ).format(share.color)


def draw_bars(sizes: Mapping[str, float]) -> dict[str, Markup]:
    """Draw a bar for each name, as long as its part of the longest one."""
    longest = max([*sizes.values(), 0.001])
    return {
        name: Markup(
            '<svg class="duration" viewBox="0 0 200 10" preserveAspectRatio="none" '
            'aria-hidden="true"><rect width="{:.1f}" height="10" fill="#6f8ba6"></rect></svg>'
        ).format(max(200 * max(size, 0) / longest, 1))
        for name, size in sizes.items()
    }


def _piece(share: DeliveryShare, left: float, width: float) -> Markup:
    drawn = max(width - _GAP, 1.0)
    bar = Markup('<rect x="{:.1f}" width="{:.1f}" height="{}" fill="{}"></rect>').format(
        left, drawn, _HEIGHT, share.color
    )
    number = f"{share.bills:,}"
    if drawn < _LABEL_WIDTH * len(number) + 12:
        return bar
    return bar + Markup('<text x="{:.1f}" y="20" text-anchor="middle" fill="{}">{}</text>').format(
        left + drawn / 2, _COLORS[share.name][1], number
    )


def _percent(part: int, whole: int) -> str:
    if not whole or not part:
        return "0%"
    if part < whole and round(100 * part / whole) in (0, 100):
        return "under 1%" if part * 2 < whole else "over 99%"
    return f"{round(100 * part / whole)}%"


_MONTH_WIDTH, _MONTH_HEIGHT = 7, 24


def draw_months(uses: Sequence[float | None]) -> Markup:
    """Draw the use of the months before and of this one, the last bar dark; a gap is no line."""
    most = max((abs(use) for use in uses if use is not None), default=0.0) or 1.0
    bars = []
    for place, use in enumerate(uses):
        if use is None:
            continue
        high = max(round(_MONTH_HEIGHT * abs(use) / most, 1), 1.0)
        color = "#a81e1e" if place == len(uses) - 1 else "#8cb8d9"
        bars.append(
            f'<rect x="{place * _MONTH_WIDTH}" y="{_MONTH_HEIGHT - high}" width="5" '
            f'height="{high}" fill="{color}"/>'
        )
    said = ", ".join("none" if use is None else f"{use:,.0f}" for use in uses)
    width = len(uses) * _MONTH_WIDTH
    return Markup(  # noqa: S704 - numbers alone
        f'<svg role="img" width="{width}" height="{_MONTH_HEIGHT}" viewBox="0 0 {width} '
        f'{_MONTH_HEIGHT}" aria-label="{say_count(len(uses), "month")}: {said}">{"".join(bars)}'
        "</svg>"
    )
