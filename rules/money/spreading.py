"""How money that goes back, or comes again, is spread over the lines of one payment."""

from __future__ import annotations

from collections.abc import Sequence

from domain.money import ZERO, Money


def spread(moved: Money, lines: Sequence[Money], kept: Sequence[Money]) -> list[Money]:
    """
    Return what an event moves of each line, to the cent; the last line is the service fee.

    `moved` is above zero where money goes back and below where it comes again; `lines` is what the
    payment paid of each, `kept` what of it is still here. It goes back from the lines in proportion
    to what is kept of them, of the fee last; what comes again fills the fee first, then the lines
    in proportion to what is missing. More than was taken goes off the first line, and comes back
    there before all others.
    """
    return _go_back(moved, kept) if moved > ZERO else _come_again(-moved, lines, kept)


def share_out(amount: Money, weights: Sequence[Money]) -> list[Money]:
    """
    Share an amount out in proportion to weights, each share at most its weight.

    Whole cents by the largest remainder, of equals the first; the shares add up to the amount.
    Raises ValueError for more than the weights are together.
    """
    total = Money.total(weights)
    if amount > total:
        raise ValueError("more is shared out than there is")
    if not total:
        return [ZERO for _ in weights]
    parts = [divmod(amount.cents * weight.cents, total.cents) for weight in weights]
    shares = [whole for whole, _ in parts]
    by_remainder = sorted(range(len(parts)), key=lambda place: (-parts[place][1], place))
    for place in by_remainder[: amount.cents - sum(shares)]:
        shares[place] += 1
    return [Money(cents) for cents in shares]


def _go_back(moved: Money, kept: Sequence[Money]) -> list[Money]:
    *lines, fee = (max(one, ZERO) for one in kept)
    of_lines = min(moved, Money.total(lines))
    of_fee = min(moved - of_lines, fee)
    shares = [*share_out(of_lines, lines), of_fee]
    shares[0] += moved - of_lines - of_fee  # more than was taken: it is true, and must stand
    return shares


def _come_again(moved: Money, lines: Sequence[Money], kept: Sequence[Money]) -> list[Money]:
    first = min(moved, max(-kept[0], ZERO))  # more had gone back than was taken
    rest = moved - first
    missing = [
        max(paid - max(office, ZERO), ZERO) for paid, office in zip(lines, kept, strict=True)
    ]
    *of_lines, of_fee = missing
    fee = min(rest, of_fee)
    shares = share_out(min(rest - fee, Money.total(of_lines)), of_lines)
    back = [-one for one in (*shares, fee)]
    back[0] -= moved + Money.total(back)  # the excess, and more than ever went
    return back
