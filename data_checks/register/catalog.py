"""The checks of the register review: what each says, why, what to do, and its start limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from data_checks.check import Check, says
from data_checks.register.limits import Limit, dollars, number, ratio, share
from domain.checks import Severity

W, F = Severity.WARNING, Severity.FOLDED


@dataclass(frozen=True, slots=True)
class ReviewCheck:
    """A check of the review with its limits; one that has SQL too is named like that check."""

    check: Check
    limits: Mapping[str, Limit]
    has_sql: bool = False


def _check(
    name: str,
    severity: Severity,
    what: str,
    why: str,
    fix: str,
    limits: Mapping[str, Limit] | None = None,
    *,
    before_yes: bool = True,
    may_block: bool = False,
    has_sql: bool = False,
) -> ReviewCheck:
    urgent = before_yes and severity is not F
    kept = Check(
        name, severity, what, why, fix, "", says(""), may_block=may_block, before_yes=urgent
    )
    return ReviewCheck(kept, limits or {}, has_sql)


_READ_AGAIN = "Read the meter again or tell the customer; where it is right, go on."
_FACTOR = "times what is expected"
_STAKE = "at stake, below which it is worth no look"

USE = (
    _check(
        "usage-outlier",
        W,
        "A usage is far above what is usual.",
        "A leak, a misread meter or a wrong multiplier; the season, the weather and the customer's "
        "own level are taken off, so that a hot month for all is no finding.",
        _READ_AGAIN,
        {
            "factor": ratio(2.0, _FACTOR),
            "spread": number(2.5, "robust deviations"),
            "money": dollars(20_00, _STAKE),
            "new_factor": ratio(8.0, "times the peers, where an account has no history"),
            "new_money": dollars(100_00, f"the same, {_STAKE}"),
        },
        has_sql=True,
    ),
    _check(
        "usage-low",
        W,
        "A usage is far below what is usual.",
        "A meter that slows down bills too little for as long as nobody looks.",
        "Test the meter; where the customer saves, go on.",
        {
            "factor": share(0.35, "of what is expected"),
            "spread": number(3.0, "robust deviations"),
            "money": dollars(5_00, f"a month {_STAKE}"),
        },
    ),
    _check(
        "usage-zero",
        W,
        "An active account that used a service used nothing.",
        "A dead meter bills nothing for as long as nobody looks.",
        "Read the meter; where the house is empty, go on.",
        {
            "money": dollars(
                5_00, f"a month {_STAKE}; half of it where the meter never stood still in a year"
            )
        },
        has_sql=True,
    ),
    _check(
        "usage-empty",
        F,
        "All meters of an account are quiet: the house looks empty.",
        "No meter is broken then, but a house that should be winterized may be.",
        "Nothing; or ask whether somebody lives there.",
    ),
    _check(
        "usage-negative",
        W,
        "A usage is negative.",
        "A meter was changed, read wrongly or has rolled over; the charge follows from it.",
        "Read the meter again, or confirm the correction.",
        has_sql=True,
    ),
    _check(
        "usage-not-the-reads",
        W,
        "A usage is not the difference of its two reads.",
        "A wrong multiplier or dial bills every month a multiple.",
        "Compare the multiplier with the meter's face; correct use or reads.",
        {"share": share(0.02, "of the use that rounding may take")},
    ),
    _check(
        "reads-apart",
        W,
        "A previous read is not what the meter showed last time.",
        "A read was keyed by hand, or two meters were swapped: use is billed twice or never.",
        "Look up last month's read and correct it.",
    ),
    _check(
        "usage-same",
        W,
        "A usage is the same to the unit, month after month.",
        "A stuck register or an estimate that does not say so.",
        "Read the meter.",
        {"steps": number(100, "steps of the meter, from where it is no chance")},
    ),
    _check(
        "leak-suspected",
        F,
        "A usage is above what is usual for two months and does not fall.",
        "A leak that a customer hears of early costs less.",
        "Tell the customer.",
        {"factor": ratio(1.5, _FACTOR), "money": dollars(5_00, _STAKE)},
    ),
    _check(
        "estimated-again",
        W,
        "A meter was estimated three times in a row.",
        "The longer nobody reads it, the larger the bill that puts it right.",
        "Send somebody to read it.",
        before_yes=False,
    ),
    _check(
        "meter-duplicate",
        W,
        "One meter is on two accounts.",
        "One of the customers pays for the other.",
        "Find out whose meter it is.",
    ),
    _check(
        "meter-changed",
        F,
        "A meter has another number than last time.",
        "The old one's last read and the new one's first are where use gets lost.",
        "See that the final and the first read are billed.",
    ),
)

CHARGES = (
    _check(
        "service-dropped",
        W,
        "A service that was billed each month is not billed now.",
        "Nobody complains of a charge that is missing.",
        "Put it back, or confirm that the service ended.",
        {"money": dollars(3_00, "of the charge, below which it is worth no look")},
    ),
    _check(
        "service-added",
        W,
        "A service is billed that was never billed before.",
        "A charge that belongs to another account looks like this.",
        "Ask whether the customer ordered it.",
        {"money": dollars(3_00, "of the charge, below which it is worth no look")},
    ),
    _check(
        "rate-changed",
        W,
        "A line has another rate code than last time.",
        "A rate that was keyed wrongly stays for years.",
        "Look for the order behind it.",
        {"share": share(0.2, "of a service, from where it is one finding in all")},
    ),
    _check(
        "price-unlike-others",
        W,
        "An amount is not what others with the same rate and use are billed.",
        "A wrong rate, size, proration or a charge keyed by hand.",
        "Look at rate, meter size and days; correct the charge.",
        {
            "share": share(0.05, "of the amount that may be off"),
            "money": dollars(5_00, "that may be off"),
        },
    ),
    _check(
        "charge-doubled",
        W,
        "A charge stands twice: same service, meter and amount.",
        "The customer pays twice. Where the lines name one meter it stops the close, because two "
        "carts may be two, and one meter never is.",
        "Take one out and export again; or waive it with the reason.",
        may_block=True,
    ),
    _check(
        "bill-copied",
        W,
        "A bill repeats last month's to the read.",
        "The new reads did not arrive, and last month is billed again. Where a meter shows both "
        "of last month's reads, it stops the close.",
        "Import the new reads and export again.",
        {"steps": number(100, "steps of the meter, from where equal use is no chance")},
        may_block=True,
    ),
    _check(
        "bill-minimum",
        W,
        "A metered charge is below what the least use costs.",
        "A base charge that was left out is missed by nobody.",
        "Look at the rate and the days; correct the charge.",
        {"money": dollars(1_00, "below the least")},
    ),
)

ACCOUNTS = (
    _check(
        "closed-account-used",
        W,
        "A closed account has use.",
        "Somebody lives there, and nobody pays.",
        "Find out who; bill the final again.",
    ),
    _check(
        "final-without-deposit",
        W,
        "A final bill does not return the deposit that is held.",
        "The deposit is the customer's money.",
        "Apply it, and bill the final again.",
    ),
    _check(
        "final-missing",
        W,
        "An account was closed without a final bill.",
        "Its last use is billed to nobody.",
        "Bill it, or confirm that nothing was used.",
        before_yes=False,
    ),
    _check(
        "credit-large",
        W,
        "An account has a large credit.",
        "A payment on the wrong account looks like this; else the customer waits for a refund.",
        "Move or refund it.",
        {"money": dollars(200_00, "of credit")},
        before_yes=False,
    ),
    _check(
        "bill-zero",
        F,
        "An active account owes nothing.",
        "Right where it was paid ahead; wrong where charges were waived by mistake.",
        "Nothing, where it was paid ahead.",
    ),
    _check(
        "equal-pay-drift",
        W,
        "An equal-pay account has drifted far from its balance.",
        "At the settlement the customer gets one frightening bill.",
        "Set the plan anew.",
        {"factor": ratio(4.0, "times the monthly amount")},
        before_yes=False,
    ),
    _check(
        "address-unusable",
        W,
        "A bill goes on paper, and its address is not complete.",
        "It comes back in two weeks, and the customer is late by then.",
        "Correct street, city, state or ZIP before it is printed.",
    ),
)

FIGURES = (
    _check(
        "register-lines",
        W,
        "A service or rate has another number of lines than last month.",
        "A route or a file that is missing shows here.",
        "Compare the export's number of lines with the billing system's.",
        {"width": share(0.04, "of last month's, to both sides")},
    ),
    _check(
        "register-total",
        W,
        "A service or rate was billed another total than is usual.",
        "A rate table that is wrong hits everybody alike, so no account stands out.",
        "Compare the rate table with the ordinance.",
        {
            "flat": share(0.06, "to both sides, where amounts move alike"),
            "metered": share(0.25, "to both sides of last month and the month a year ago"),
        },
    ),
    _check(
        "register-mean",
        W,
        "A service or rate was billed another average than is usual.",
        "A rate table that is wrong hits everybody alike, so no account stands out.",
        "Compare the rate table with the ordinance.",
        {
            "flat": share(0.06, "to both sides, where amounts move alike"),
            "metered": share(0.25, "to both sides of last month and the month a year ago"),
        },
    ),
    _check(
        "register-share",
        W,
        "Taxes, estimates or new lines are another share than last month.",
        "A tax that was switched off is missed by nobody but the auditor.",
        "Look at the switch behind the figure.",
        {
            "tax": share(0.1, "of last month's share, to both sides"),
            "other": share(0.5, "the same for estimates"),
        },
    ),
    _check(
        "last-month-again",
        W,
        "A large part of the lines repeats last month's use and amount.",
        "The wrong file was exported. Where the meters show both of last month's reads, it stops "
        "the close.",
        "Export the right month.",
        {"share": share(0.4, "of the metered lines")},
        may_block=True,
    ),
    _check(
        "register-expected",
        W,
        "A figure is not what the office wrote down that it expects.",
        "The office's own line of register.toml.",
        "Find out why; correct the export or the line.",
    ),
)

REGISTER: tuple[ReviewCheck, ...] = (*USE, *CHARGES, *ACCOUNTS, *FIGURES)
LIMITS: Mapping[str, Mapping[str, Limit]] = {one.check.name: one.limits for one in REGISTER}
REVIEWED: tuple[Check, ...] = tuple(one.check for one in REGISTER if not one.has_sql)
