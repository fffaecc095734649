"""Ways to be wrong about what is owed, each put into the product on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa

from billing_system import closing, importing
from billing_system.feed import taking_in
from database.ledger import entries, matching
from database.ledger.entries import record_entries
from database.ledger.tables import payment_event
from database.postings import queue_posting
from database.queries import feed
from domain.ledger import ContainedBy, EntryKind
from domain.payments import PostingKind
from payments.collecting import claiming, collecting, unanswered
from payments.outcomes import again, returns, unknown_payments
from rules.feed import Recognized
from rules.money import export_boundary
from tests.billing_system import test_belonging, test_carrying
from tests.payments.collecting import test_between_closes, test_collecting
from tests.payments.outcomes import test_drawing_again, test_money_back, test_unknown_payments

Patch = pytest.MonkeyPatch


def paid_is_set_to_zero_at_a_close(patch: Patch) -> None:
    """What the close did before there was a ledger: rule 39."""

    def match(_lines: Any, told: Any, _bounds: Any) -> export_boundary.Matched:
        return export_boundary.Matched({one.key: ContainedBy.AMOUNT for one in told})

    patch.setattr(matching, "match_export", match)


def ours_are_not_known_again(patch: Patch) -> None:
    patch.setattr(taking_in, "recognize", lambda *_args, **_options: Recognized({}, {}, {}))


def a_file_counts_each_time_it_comes(patch: Patch) -> None:
    batch, to_entry = taking_in._Batch, taking_in._Batch._to_entry
    times = iter(range(10**9))

    def fresh(self: Any, movement: Any, amount: Any, *, counts: bool) -> Any:
        entry = to_entry(self, movement, amount, counts=counts)
        return replace(entry, key=f"{entry.key}/{next(times)}")

    patch.setattr(batch, "_is_new", lambda _self, _movement, _known: True)
    patch.setattr(batch, "_to_entry", fresh)


def balances_are_never_too_old(patch: Patch) -> None:
    patch.setattr(collecting, "stale_periods", lambda *_: {})


def a_missing_file_is_not_missed(patch: Patch) -> None:
    patch.setattr(feed, "find_gaps", lambda *_: [])


def any_export_makes_up_for_a_missing_file(patch: Patch) -> None:
    """Also one of the other cycle."""
    stale_periods = feed.stale_periods

    def of_any(books: Any, told: Any, now: Any, periods: Any) -> dict[str, str]:
        every = books.scalars(sa.select(feed.period_close.c.period)).all()
        why = stale_periods(books, told, now, every)
        return why if len(why) == len(every) else {}

    patch.setattr(collecting, "stale_periods", of_any)


def late_files_count_always(patch: Patch) -> None:
    patch.setattr(entries, "_placed", lambda entry, _newest: entry)
    patch.setattr(entries, "_find_late", lambda *_: {})


def paid_is_carried_to_an_agreed_amount(patch: Patch) -> None:
    account_key = matching._BALANCE.account_key
    nobody = sa.select(account_key).where(account_key == "")
    patch.setattr(closing, "agreed_accounts", lambda _period: nobody)


def a_block_of_the_feed_waits_for_an_export(patch: Patch) -> None:
    patch.setattr(claiming, "account_in_force", lambda newest, name: newest.c[name.value])
    for made_once in ("_due_payments", "_drawables"):  # made anew, and kept for nobody
        patch.setattr(claiming, made_once, getattr(claiming, made_once).__wrapped__)


def what_was_paid_meanwhile_is_not_looked_at(patch: Patch) -> None:
    real = claiming.to_drawable

    def to_drawable(row: Any) -> claiming.Drawable:
        return replace(real(row), open_balance=row.amount)

    patch.setattr(claiming, "to_drawable", to_drawable)


def what_was_won_back_is_not_booked(patch: Patch) -> None:
    book = returns._book

    def skip(books: Any, one: Any, event: Any, kind: EntryKind, *rest: Any) -> None:
        if kind not in returns.COMES_BACK:
            book(books, one, event, kind, *rest)

    patch.setattr(returns, "_book", skip)


def a_part_goes_back_as_the_whole(patch: Patch) -> None:
    book = returns._book

    def whole(books: Any, one: Any, event: Any, *rest: Any) -> None:
        book(books, one, replace(event, amount=one.amount), *rest)

    patch.setattr(returns, "_book", whole)


def one_event_of_a_payment_counts(patch: Patch) -> None:
    book = returns._book

    def first(books: Any, one: Any, *rest: Any) -> None:
        events = sa.select(sa.func.count()).where(payment_event.c.draw_key == one.key)
        if books.scalar(events) == 1:
            book(books, one, *rest)

    patch.setattr(returns, "_book", first)


def each_return_costs_a_fee(patch: Patch) -> None:
    def charge(books: Any, one: Any, event: Any, event_id: str, now: Any, terms: Any) -> None:
        if event.code in terms.return_fee_codes and terms.return_fee:
            fee = returns._to_entry(one, event, EntryKind.FEE, event_id, terms.return_fee)
            record_entries(books, [fee], now=now, who=terms.who)
            queue_posting(books, fee, PostingKind.FEE, now=now)

    patch.setattr(returns, "_charge_fee", charge)


def what_came_back_is_drawn_for_ever(patch: Patch) -> None:
    again_on = again.again_on

    def on(code: Any, kind: Any, _number: int, **options: Any) -> Any:
        return again_on(code, kind, 1, **options)

    patch.setattr(again, "again_on", on)


def what_was_never_taken_is_drawn_however_late(patch: Patch) -> None:
    patch.setattr(unknown_payments, "drawn_again_on", lambda today, **_options: today)


def a_dead_claim_is_asked_as_it_stood(patch: Patch) -> None:
    patch.setattr(collecting, "abandon_unasked", lambda *_: 0)


def what_was_asked_once_is_asked_again_as_it_was(patch: Patch) -> None:
    patch.setattr(unanswered, "_may_ask", lambda _books, due, *_: {one.key for one in due})


def two_payments_of_an_account_are_claimed_together(patch: Patch) -> None:
    patch.setattr(claiming, "_one_an_account", lambda due: [due])
    patch.setattr(claiming, "set", lambda: _Forgets(), raising=False)


class _Forgets(set[str]):
    def add(self, _account: str) -> None:
        """Keep nothing."""


def another_utilitys_export_is_taken(patch: Patch) -> None:
    patch.setattr(importing, "require_own_utility", lambda *_: None)


@dataclass(frozen=True)
class Mutant:
    """A mistake, and the case that shows it where the simulation does not soon."""

    apply: Callable[[Patch], None]
    case: Callable[[Any, Any], None] | None = None
    seed: int = 0  # of the months that show it soonest
    takes_long: bool = False  # tried before a release alone

    @property
    def name(self) -> str:
        return self.apply.__name__


def _of_two_months(
    case: Callable[..., None], *values: Any, **options: Any
) -> Callable[[Any, Any], None]:
    def show(database: Any, place: Any) -> None:
        case(test_between_closes.two_months(database, place), *values, **options)

    return show


MUTANTS = (
    # the ledger's simulation notices the same each time
    Mutant(paid_is_set_to_zero_at_a_close, takes_long=True),
    Mutant(ours_are_not_known_again),
    Mutant(a_file_counts_each_time_it_comes, takes_long=True),
    Mutant(
        balances_are_never_too_old,
        _of_two_months(
            test_between_closes.test_what_the_gateway_does_not_know_is_asked_again_only_while_it_would_be_drawn,
            "old",
            [],
        ),
    ),
    Mutant(
        a_missing_file_is_not_missed,
        test_between_closes.test_case_22_a_missing_file_stops_each_cycle_until_an_export_of_its_own,
    ),
    Mutant(
        late_files_count_always,
        lambda database, _place: (
            test_carrying.test_case_19_a_file_from_before_the_export_arrives_after_the_close(
                test_carrying.a_town(database)
            )
        ),
    ),
    Mutant(paid_is_carried_to_an_agreed_amount, takes_long=True),  # and this
    Mutant(
        a_block_of_the_feed_waits_for_an_export,
        lambda database, place: (
            test_collecting.test_what_the_feed_told_since_the_export_stops_a_draw(
                database, place, "block_card", "yes", "method-blocked"
            )
        ),
    ),
    Mutant(what_was_paid_meanwhile_is_not_looked_at),
    Mutant(what_was_won_back_is_not_booked, takes_long=True),
    Mutant(a_part_goes_back_as_the_whole, takes_long=True),
    Mutant(one_event_of_a_payment_counts, takes_long=True),
    Mutant(
        any_export_makes_up_for_a_missing_file,
        test_between_closes.test_case_22_a_missing_file_stops_each_cycle_until_an_export_of_its_own,
    ),
    Mutant(
        a_dead_claim_is_asked_as_it_stood,
        _of_two_months(
            test_between_closes.test_what_is_paid_between_a_claim_and_its_asking_is_not_drawn
        ),
    ),
    Mutant(
        what_was_asked_once_is_asked_again_as_it_was,
        _of_two_months(
            test_between_closes.test_what_the_gateway_does_not_know_is_asked_again_only_while_it_would_be_drawn,
            "-40.00",
            [],
        ),
    ),
    Mutant(
        two_payments_of_an_account_are_claimed_together,
        _of_two_months(
            test_between_closes.test_of_two_payments_of_one_day_the_second_finds_what_the_first_left,
            "-80.00",
            [80_00],
        ),
    ),
    Mutant(
        each_return_costs_a_fee,
        lambda database, place: (
            test_money_back.test_a_return_costs_a_fee_once_a_bill_and_for_some_codes(
                database, place, ["R01", "R01"], [test_money_back.Money(25_00)]
            )
        ),
    ),
    Mutant(
        what_came_back_is_drawn_for_ever,
        test_drawing_again.test_each_draw_has_a_payment_a_number_and_entries_of_its_own,
    ),
    Mutant(
        what_was_never_taken_is_drawn_however_late,
        test_unknown_payments.test_what_is_found_out_too_long_after_its_due_date_is_not_drawn_and_told,
    ),
    Mutant(
        another_utilitys_export_is_taken,
        lambda database, place: test_belonging.test_another_utilitys_export_is_refused(
            test_belonging.Home(database, place), {"name": '"Elk Run Power & Light"'}, True
        ),
    ),
)
