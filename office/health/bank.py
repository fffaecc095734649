"""Whether the bank's files and the gateway's payouts agree, or a person has settled why not."""

from __future__ import annotations

from datetime import date

from domain.money import ZERO, Money
from domain.words import say_count
from office.health.conditions import Condition, Looking, or_well, start_of, trouble, unwatched
from payments.bank.keeping import OpenDifference, read_standing

KIND = "deposits-differ"


def differing_deposits(looking: Looking) -> list[Condition]:
    """Find what is in the bank and not here, here and not in the bank, or not the same (116)."""
    office = looking.office
    standing = read_standing(office.database, office.bank_terms.nearness)
    if standing.first_on is None:
        return unwatched(KIND, "No file of the bank was taken in.")
    found = standing.differences
    if not found:
        return or_well(KIND, (), f"Bank and payouts agree until {standing.last_on}.")
    amount = sum((_amount(one) for one in found), start=ZERO)
    detail = (
        f"{say_count(len(found), 'line')} of the bank's files and of the gateway's payouts "
        f"{'differs' if len(found) == 1 else 'differ'}, {amount.dollars()} in all."
    )
    remedy = "See each and settle it, with a reason."
    since = min(start_of(min(map(_day, found)), looking.zone), looking.now)
    command = f"{office.command} deposits match"
    return [trouble(KIND, "", since, detail, remedy, command=command)]


def _day(one: OpenDifference) -> date:
    days = [one.entry.posted_on] if one.entry else []
    return min([*days, one.payout.pays_out_on] if one.payout else days)


def _amount(one: OpenDifference) -> Money:
    """Return what is open of one: the whole of what stands alone, else how far the two differ."""
    bank = one.entry.amount if one.entry else ZERO
    ours = one.payout.net if one.payout else ZERO
    return Money(abs(bank.cents - ours.cents) or abs(bank.cents))
