"""The mandates in force: the export's own, and those given to and ended by the office."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from database.definitions.wallet import MethodInForce, method_in_force
from database.tables import balance_due, bill_run, enrollment, enrollment_end, mandate

# None: of each account the period that its balance stands for.
Run = str | sa.BindParameter[str] | sa.ColumnClause[str] | sa.ScalarSelect[str] | None

# One account's key, several (a parameter: where it is `expanding`), or None for everybody's.
Accounts = str | sa.BindParameter[str] | Sequence[str] | None


def mandates_in_force(run: Run, accounts: Accounts = None) -> sa.Subquery:
    """
    Select the one mandate in force of each account as a run's export sees it (rules 60, 82).

    Without a run each account's own newest export does: cycles have theirs, and final bills.

    A mandate that was given to the office counts unless the export knows a newer one; what the
    office ended hides the export's mandates up to that day. Of several in the export the last
    one counts. `method_kind` is NULL where the wallet does not know the payment method (any
    more), `enrollment_id` where the mandate is the export's. One account's, some, or everybody's
    in one query.
    """
    listed = _of_export(run, accounts).cte("of_export")
    given = _given_to_office(run, accounts).cte("given_to_office")
    own = (
        sa.select(given)
        .outerjoin(listed, listed.c.account_key == given.c.account_key)
        .where(listed.c.account_key.is_(None) | (listed.c.enrolled_on <= given.c.enrolled_on))
    )
    exported = (
        sa.select(listed)
        .outerjoin(given, given.c.account_key == listed.c.account_key)
        .where(given.c.account_key.is_(None) | (listed.c.enrolled_on > given.c.enrolled_on))
    )
    return own.union_all(exported).subquery("in_force")


def accounts_agreed() -> sa.Select[Any]:
    """
    Select the accounts that `mandates_in_force` has a mandate of, each once, by their own exports.

    Whoever has one of the export, or one that was given to the office, has one in force: where
    there are both, the newer.
    """
    stands = balance_due.c
    listed = (
        sa.select(mandate.c.account_key)
        .join(
            balance_due,
            sa.and_(stands.account_key == mandate.c.account_key, stands.period == mandate.c.period),
        )
        .outerjoin(enrollment_end, enrollment_end.c.account_key == mandate.c.account_key)
        .where(mandate.c.active, _is_not_ended())
    )
    given = (
        sa.select(enrollment.c.account_key)
        .join(balance_due, stands.account_key == enrollment.c.account_key)
        .where(enrollment.c.cancelled_at.is_(None), stands.period.is_not(None))
    )
    return sa.select(sa.union(listed, given).subquery("agreed"))


def _is_not_ended() -> sa.ColumnElement[bool]:
    """Claim that the office has not ended a mandate of the export, beside its enrollment_end."""
    ended_on = enrollment_end.c.ended_on
    return ended_on.is_(None) | (mandate.c.enrolled_on > ended_on)


def _given_to_office(run: Run, accounts: Accounts) -> sa.Select[Any]:
    """Select what the office holds; an export made later must still know the payment method."""
    rows = enrollment.c
    method = _method_given()
    kind = sa.case(
        (method.kind.is_not(None), method.kind),
        (bill_run.c.imported_at < rows.enrolled_at, rows.method_kind),
    )
    found = (
        sa.select(
            rows.account_key,
            rows.id.label("enrollment_id"),
            rows.portal_user,
            rows.method_token,
            sa.type_coerce(kind, rows.method_kind.type).label("method_kind"),
            rows.last4,
            method.brand.label("brand"),
            rows.days_prior,
            rows.maximum,
            rows.pays_up_to_maximum,
            rows.enrolled_on,
        )
        .select_from(_with_run(enrollment, run))
        .join(bill_run, bill_run.c.period == (balance_due.c.period if run is None else run))
        .where(rows.cancelled_at.is_(None))
    )
    return method.joined_to(found).where(*_are(rows.account_key, accounts))


@cache
def _method_given() -> MethodInForce:
    """Say it once: to make its tables anew takes longer than all else that a page asks."""
    return method_in_force(bill_run.c.period, enrollment.c.method_token)


@cache
def _method_of_export() -> MethodInForce:
    return method_in_force(mandate.c.period, mandate.c.method_token)


def _with_run(rows: sa.Table, run: Run) -> sa.FromClause:
    """Give rows of accounts, without a run beside the period that each account stands with."""
    if run is not None:
        return rows
    return rows.join(balance_due, balance_due.c.account_key == rows.c.account_key)


def _are(column: sa.Column[str], accounts: Accounts) -> list[sa.ColumnElement[bool]]:
    if accounts is None:
        return []
    if isinstance(accounts, sa.BindParameter):
        return [column.in_(accounts) if accounts.expanding else column == accounts]
    return [column == accounts if isinstance(accounts, str) else column.in_(accounts)]


def _of_export(run: Run, accounts: Accounts) -> sa.Select[Any]:
    rows = mandate.c
    newest = (
        sa.select(rows.account_key, rows.period, sa.func.max(rows.line).label("line"))
        .select_from(_with_run(mandate, run))
        .outerjoin(enrollment_end, enrollment_end.c.account_key == rows.account_key)
        .where(
            rows.period == (balance_due.c.period if run is None else run),
            rows.active,
            _is_not_ended(),
        )
        .where(*_are(rows.account_key, accounts))
        .group_by(rows.account_key, rows.period)
    )
    chosen = newest.subquery("newest")
    method = _method_of_export()
    return method.joined_to(
        sa.select(
            rows.account_key,
            sa.cast(sa.null(), enrollment.c.id.type).label("enrollment_id"),
            rows.portal_user,
            rows.method_token,
            method.kind.label("method_kind"),
            sa.func.coalesce(method.last4, sa.literal_column("''")).label("last4"),
            method.brand.label("brand"),
            rows.days_prior,
            rows.maximum,
            sa.cast(sa.null(), sa.Boolean).label("pays_up_to_maximum"),
            rows.enrolled_on,
        )
        .select_from(chosen)
        .join(mandate, sa.and_(rows.period == chosen.c.period, rows.line == chosen.c.line))
    )
