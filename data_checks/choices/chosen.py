"""What an office wants of its checks: severities, limits and what it knows, set and audited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from data_checks.check import Check
from data_checks.checks.catalog import CATALOG
from data_checks.choices.muting import Mute, list_mutes
from data_checks.register.catalog import LIMITS, REGISTER
from data_checks.register.figures import ExpectedFigure
from data_checks.register.limits import Limit, Limits, LimitSet
from database.audit import record_audit
from database.checking.tables import check_setting, history_line
from database.runs import timezone_of
from database.tables import movement
from domain.checks import NEVER_WAIVED, Severity
from domain.failures import Misuse, Refused
from domain.movements import MovementKind
from domain.words import say_meant

SEVERITY = "severity"
OFF = "off"
BLOCK = "block"
SEVERITIES = {
    BLOCK: Severity.BLOCKING,
    "warn": Severity.WARNING,
    "fold": Severity.FOLDED,
}
# What the contract says must block: a waiver, by name and reason, is the way past them.
FIXED = NEVER_WAIVED | {
    *("control-totals", "roll-forward", "page-unassigned", "bill-unknown-account"),
    *("bill-duplicate", "bill-missing", "bill-amount", "bill-due-date"),
}
ALWAYS = FIXED | {"charge-doubled"}  # never muted and never off
ALL: Mapping[str, Check] = {
    **{one.check.name: one.check for one in REGISTER},
    **{check.name: check for check in CATALOG},
}


@dataclass(frozen=True)
class CheckChoices:
    """What is in force: severities by check, limits, what is known, the office's own figures."""

    severities: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=lambda: Limits(LIMITS))
    mutes: tuple[Mute, ...] = ()
    own_figures: tuple[ExpectedFigure, ...] = ()

    def severity_of(self, check: Check) -> Severity | None:
        """Return the severity in force, None for a check that is switched off."""
        chosen = self.severities.get(check.name)
        if chosen is None or check.name in FIXED:
            return check.severity
        return None if chosen == OFF else SEVERITIES[chosen]

    def as_chosen(self, checks: Iterable[Check]) -> list[Check]:
        """Return the checks that are on, with the severities in force."""
        chosen = []
        for check in checks:
            severity = self.severity_of(check)
            if severity is not None:
                is_fold = severity is Severity.FOLDED
                urgent = check.before_yes and not is_fold
                chosen.append(replace(check, severity=severity, before_yes=urgent))
        return chosen

    @property
    def off(self) -> tuple[str, ...]:
        """Name the checks that are switched off."""
        return tuple(name for name, chosen in self.severities.items() if chosen == OFF)


def require_check(name: str) -> Check:
    """Return a check by its name; raises Misuse with the one that was probably meant."""
    if name not in ALL:
        meant = say_meant(name, ALL)
        raise Misuse(f"There is no check {name!r}{meant}; `billclose checks list` names them.")
    return ALL[name]


def _way_past(check: str) -> str:
    if check in NEVER_WAIVED:
        return "and it cannot be waived: correct the export, or export again."
    return "where it is wrong about a period, waive it for that one."


def require_choice(check: str, name: str, value: str) -> None:
    """Raise Misuse for a limit that a check has not or that it cannot have, Refused for a fixed."""
    require_check(check)
    if name == SEVERITY:
        if value not in (*SEVERITIES, OFF):
            raise Misuse(f"A severity is block, warn, fold or off, not {value!r}.")
        if check in FIXED and value != "block":
            raise Refused("check-fixed", f"{check} always blocks; {_way_past(check)}")
        if check in ALWAYS and value == OFF:
            raise Refused("check-fixed", f"{check} cannot be switched off.")
        return
    limit = limit_of(check, name)
    try:
        limit.parse(value)
    except ValueError as wrong:
        raise Misuse(f"{check} {name}: {wrong}.") from None


def limit_of(check: str, name: str) -> Limit:
    """Return a limit of a check by its name; raises Misuse with those that it has."""
    known = LIMITS.get(check, {})
    if name not in known:
        has = ", ".join((SEVERITY, *known))
        raise Misuse(f"{check} has no {name!r}{say_meant(name, (SEVERITY, *known))}; it has {has}.")
    return known[name]


def require_place(books: Connection, service: str, rate_code: str = "") -> None:
    """
    Raise Misuse for a service or rate code that was never billed, with the one that was meant.

    A limit of a misspelled service would hold for nothing, and nobody would hear of it. Before the
    first export nothing is known, and an office may set what it wants.
    """
    billed = list_places(books) if service else frozenset()
    if not billed or (service, rate_code) in billed:
        return
    services = {one for one, _ in billed}
    if service not in services:
        meant = say_meant(service, sorted(services))
        raise Misuse(f"No service {service!r} was ever billed{meant}.")
    rates = {rate for one, rate in billed if one == service and rate}
    has = f"it has {', '.join(sorted(rates))}" if rates else "its lines name none"
    meant = say_meant(rate_code, sorted(rates))
    raise Misuse(f"{service} has no rate code {rate_code!r}{meant}; {has}.")


def list_places(books: Connection) -> frozenset[tuple[str, str]]:
    """Return every service that was billed, alone and with each of its rate codes."""
    line, past = movement.c, history_line.c
    billed = sa.select(line.service, line.rate_code).where(line.kind == MovementKind.BILLING)
    taken_in = sa.select(past.service, past.rate_code)
    found = [*books.execute(billed.distinct()), *books.execute(taken_in.distinct())]
    return frozenset((service, rate or "") for service, rate in found) | frozenset(
        (service, "") for service, _ in found
    )


def read_choices(
    books: Connection,
    settings: Sequence[LimitSet] = (),
    own_figures: tuple[ExpectedFigure, ...] = (),
) -> CheckChoices:
    """Return what is in force: what was set in the books beats the settings, and they the start."""
    changes = [*settings, *list_set(books)]
    severities = {one.check: one.value for one in changes if one.name == SEVERITY}
    limits = Limits(LIMITS, (one for one in changes if one.name != SEVERITY))
    return CheckChoices(severities, limits, list_mutes(books), own_figures)


def list_set(books: Connection) -> list[LimitSet]:
    """Return what was set in the books and is in force, the oldest first."""
    row = check_setting.c
    newest: dict[tuple[str, ...], Any] = {}
    zone = ZoneInfo(timezone_of(books))
    for one in books.execute(sa.select(check_setting).order_by(row.number)):
        newest[one.check_name, one.name, one.service, one.rate_code] = one
    return [
        LimitSet(
            one.check_name, one.name, one.value, one.service, one.rate_code,
            f"set by {one.set_by} on {one.set_at.astimezone(zone).date()}: {one.reason}",
        )
        for one in newest.values()
        if one.value is not None
    ]  # fmt: skip


def record_choice(
    books: Connection, choice: LimitSet, *, reason: str, now: datetime, who: str
) -> None:
    """Set a severity or limit; it is audited with its reason. Raises Misuse or Refused."""
    require_choice(choice.check, choice.name, choice.value)
    if choice.name == SEVERITY and (choice.service or choice.rate_code):
        raise Misuse("A severity is of the whole check; limits may differ by service and rate.")
    require_place(books, choice.service, choice.rate_code)
    books.execute(
        check_setting.insert().values(
            check_name=choice.check,
            service=choice.service,
            rate_code=choice.rate_code,
            name=choice.name,
            value=choice.value,
            reason=reason,
            set_at=now,
            set_by=who,
        )
    )
    where = "/".join(filter(None, (choice.service, choice.rate_code)))
    said = f"{choice.name}={choice.value}{f' for {where}' if where else ''}: {reason}"
    record_audit(books, now, who, "set check", choice.check, said)
