"""A closed bill is found to be corrected, or the refusal says what stands in the way."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from corrections.closed_bill import read_closed_bill
from corrections.correcting import CorrectionTerms, correct_bill, look_at_correction
from corrections.rescheduling import SchedulingTerms
from corrections.small_export import CorrectedBill, _find_bill
from database.tables import (
    account,
    balance_due,
    bill,
    bill_run,
    bulk_file,
    delivery,
    outsorted_bill,
    paper,
)
from domain.accounts import AccountStatus
from domain.deliveries import PaperReason
from domain.failures import Misuse, Refused
from domain.money import Money
from domain.runs import RunState
from mail.recipients.delivery_plan import PlanTerms, plan_deliveries
from splitter.store.bill_store import BillStore
from tests.billing_system.feed.builders import tell_change
from tests.builders import (
    CLOSING_DAY,
    DUE,
    NOW,
    OFFICE_DEFAULTS,
    RUN,
    a_hold,
    a_household,
    close_run,
    stage_run,
)

NUMBER, KEY = "01.1037.1", "0110371"


@pytest.fixture
def town(database):
    """One household whose close has ended, with its utility bill."""
    stage_run(database, a_household(NUMBER))
    with database.writing() as books:
        books.execute(a_bulk_file())
    add_bill(database, "utility-bill")
    close_run(database)
    change(database, bill_run, state=RunState.FINISHED)
    return database


def a_bulk_file() -> sa.Insert:
    return bulk_file.insert().values(
        period=RUN, bulk=0, form="utility-bill", file="b.pdf", path="b.pdf", account_pattern="-"
    )


def add_bill(database, form: str, ordinal: int = 1) -> None:
    with database.writing() as books:
        books.execute(
            bill.insert().values(
                period=RUN, form=form, account_key=KEY, ordinal=ordinal, account=NUMBER, bulk=0,
                first_page=ordinal, pages=1, pdf=f"{form}-{ordinal}.pdf", sha256="0" * 64, size=1,
            )
        )  # fmt: skip


def change(database, table: sa.Table, **values) -> None:
    with database.writing() as books:
        assert 1 == books.execute(table.update().values(**values)).rowcount


def find(database, form: str | None = None, period: str = RUN, number: str = NUMBER):
    with database.reading() as books:
        return read_closed_bill(books, period, KEY, number, form)


def refused(database, form: str | None = None) -> tuple[str, str]:
    with pytest.raises(Refused) as no:
        find(database, form)
    assert no.value.message.endswith("othing was changed.")
    return no.value.code, no.value.message


def test_the_only_bill_is_found_whatever_its_form_is_called(town):
    found = find(town)

    assert found == find(town, "utility-bill")
    assert (NUMBER, "utility-bill", 0, "80.00", date(2026, 11, 20), "utility-bill-1.pdf") == (
        found.account,
        found.form,
        found.edition,
        str(found.amount_due),
        found.due_on,
        found.pdf,
    )


def test_of_several_forms_the_one_that_is_named_is_found(town):
    add_bill(town, "final-bill")

    assert ["final-bill", "utility-bill", "final-bill"] == [
        find(town, form).form for form in (None, "utility-bill", "final-bill")
    ]


def test_a_form_that_an_account_has_not_or_has_twice_is_refused(town):
    add_bill(town, "utility-bill", 2)

    assert (
        "no-such-bill",
        f"Account {NUMBER} has no bill of the form final-bill in {RUN}: nothing to replace. "
        "Nothing was changed.",
    ) == refused(town, "final-bill")
    assert (
        "no-such-bill",
        f"Account {NUMBER} has 2 bills of the form utility-bill in {RUN}: nothing to replace. "
        "Nothing was changed.",
    ) == refused(town, "utility-bill")


@pytest.mark.parametrize(
    ("forms", "code", "what"),
    [((), "bill-missing", "no bill"), (("utility-bill", "other"), "bill-duplicate", "2 bills")],
)
def test_a_small_export_has_one_bill_of_the_account(database, forms, code, what):
    stage_run(database, a_household(NUMBER))
    change(database, bill_run, state=RunState.FINISHED)
    with database.writing() as books:
        books.execute(a_bulk_file())
    for ordinal, form in enumerate(forms, start=1):
        add_bill(database, form, ordinal)

    with pytest.raises(Refused) as no:
        _find_bill(database, RUN, a_household(NUMBER).account)

    said = f"The small export has {what} of account {NUMBER}; it needs the corrected one alone."
    assert (code, f"{said} Nothing was changed.") == (no.value.code, no.value.message)


def test_an_account_without_a_bill_has_nothing_to_correct(town):
    with town.writing() as books:
        books.execute(bill.delete())

    code, message = refused(town)

    assert ("no-such-bill", f"Account {NUMBER} has no bill in {RUN}: ") == (code, message[:42])


def test_a_close_that_has_not_ended_is_ended_first(town):
    change(town, bill_run, state=RunState.CLOSED)

    code, message = refused(town)

    assert ("close-unfinished", True) == (code, f"run `billclose close {RUN}` until" in message)


def test_an_account_that_was_closed_has_no_bill(town):
    change(town, account, status=AccountStatus.CLOSED)

    assert "account-closed" == refused(town)[0]


def test_a_bill_that_is_held_back_is_released_first(town):
    with town.writing() as books:
        books.execute(
            outsorted_bill.insert().values(a_hold(period=RUN, account_key=KEY, account=NUMBER))
        )

    code, message = refused(town)

    assert ("bill-outsorted", True) == (code, "release it first" in message)


def test_a_bill_that_a_later_one_followed_is_corrected_there(town):
    stage_run(town, a_household(NUMBER), period="2026-11", ends_on=date(2026, 11, 30))
    close_run(town, "2026-11")

    code, message = refused(town)

    assert ("later-bill", True) == (code, "is of 2026-11, which holds" in message)
    with town.reading() as books:
        assert "2026-11" == books.scalar(sa.select(balance_due.c.period))


def test_a_period_that_is_not_closed_is_corrected_by_its_export(database):
    stage_run(database, a_household(NUMBER))

    code, message = refused(database)

    assert ("period-open", True) == (code, "correct its export in the billing system" in message)


@pytest.mark.parametrize("wrong", [{"period": "2026-09"}, {"number": "77.7"}])
def test_a_period_or_an_account_that_is_not_in_the_books_is_misuse(town, wrong):
    with pytest.raises(Misuse):
        find(town, **wrong)


CORRECTED = CorrectedBill(
    period=RUN, account_key=KEY, account=NUMBER, form="utility-bill",
    amount_due=Money(20_00), due_on=DUE, closing_balance=Money(20_00), pages=1, pdf=b"%PDF",
    sha256="1" * 64, export_name="small", export_sha256="2" * 64, written=NOW, notes=(),
)  # fmt: skip
SCHEDULING = SchedulingTerms(NOW, CLOSING_DAY, (), OFFICE_DEFAULTS, notice_days=10)
TERMS = CorrectionTerms("anna", "Meter misread", "x.example", SCHEDULING, PlanTerms())


@pytest.mark.parametrize("told", ["new@example.com", "other@example.com;new@example.com", ""])
def test_a_corrected_bill_goes_to_the_mailboxes_that_the_feed_told_since(town, tmp_path, told):
    plan_deliveries(town, RUN, PlanTerms())
    tell_change(town, "ebill", "yes", NOW, key=KEY)
    tell_change(town, "email", told, NOW, key=KEY)

    correct_bill(town, CORRECTED, BillStore(tmp_path / "bills"), tmp_path, TERMS)

    with town.reading() as books:
        mailed = sorted(books.scalars(sa.select(delivery.c.address)))
        printed = books.scalars(sa.select(paper.c.reason)).all()
    assert sorted(filter(None, told.split(";"))) == mailed
    assert ([] if told else [PaperReason.NO_VALID_EMAIL]) == printed


def test_a_correction_made_again_is_the_same_one_and_is_looked_at_as_it_was_made(town, tmp_path):
    store = BillStore(tmp_path / "bills")

    first = correct_bill(town, CORRECTED, store, tmp_path, TERMS)
    again = correct_bill(town, CORRECTED, store, tmp_path, TERMS)
    looked, _ = look_at_correction(town, CORRECTED, TERMS)

    assert (first.number, True, True) == (again.number, again.already, looked.already)
    assert "20.00" == str(find(town).amount_due)
