"""The mails beside the bill: out of the books, to whom they may tell what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa

from database.definitions.identity import wallet_method
from database.ledger.tables import payment_event
from database.tables import (
    balance_due,
    delivery,
    draw,
    gateway_payment,
    posting,
    service_health,
)
from domain.accounts import account_key
from domain.deliveries import DeliveryStatus, MessageKind, RecipientSource
from domain.failures import Misuse
from domain.identity import UserState
from domain.ledger import EntryKind
from domain.money import ZERO, Money
from domain.payments import Advice, DrawState, PaymentState, PostingKind, PostingState
from identity.users import make_user
from mail.keys import delivery_key, message_id
from mail.letters.bill import a_sample, variables
from mail.letters.links import Unsubscribing
from mail.letters.notices import NOTICES, kind_of
from mail.letters.phrases import say_decline, say_failure
from mail.letters.samples import a_sample_notice
from mail.letters.templates import BILL, COMMON, NOTICE, OfficeContact, Templates
from mail.message.mime import Attachment
from mail.outbox.deliveries import COLUMNS, Delivery
from mail.port import MailOutcome, OutgoingMessage, Result
from mail.rendering.bills import Sender
from mail.rendering.notices import Communication, NoticeRenderer
from payments.port import ADVICE
from rules.money.returns import say_reason
from tests.builders import post_payment
from tests.mail.builders import NOW, RUN, a_run, an_account

NUMBER = "01.1037.1"
KEY = account_key(NUMBER)
ANN = "ann@customer.example"
SENDER = Sender("billing@larkspur.example", "bounces@larkspur.example", reply_to="desk@x.example")
DUE, DRAW_DAY = date(2026, 11, 20), date(2026, 11, 13)
OVERDUE = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
K = MessageKind
WAY_OUT = Unsubscribing(b"secret", "https://larkspur.example/out/{token}", "out@x.example")


def a_renderer(database, **changes) -> NoticeRenderer:
    return NoticeRenderer(database, Templates(), SENDER, WAY_OUT, **changes)


def owe(database, amount: int = 80_00, paid: int = 0) -> None:
    with database.writing() as books:
        books.execute(balance_due.delete())
        books.execute(
            balance_due.insert().values(
                account_key=KEY, account=NUMBER, period=RUN, amount_due=Money(amount),
                paid=Money(paid), due_on=DUE,
            )
        )  # fmt: skip


def pay(database, **changes) -> None:
    with database.writing() as books:
        books.execute(gateway_payment.update().values(**changes))


def record(
    database, kind: K, *, form: str = "", address: str = ANN, at=NOW, period: str | None = RUN,
    source=RecipientSource.CUSTOMER_RECORD, status=DeliveryStatus.SENDING,
) -> Delivery:  # fmt: skip
    key = delivery_key(kind, str(period), form or kind.value, NUMBER, address)
    with database.writing() as books:
        books.execute(
            delivery.insert().values(
                key=key, period=period, account_key=KEY, account=NUMBER, kind=kind,
                form=form or kind.value, address=address, source=source, status=status,
                message_id=message_id(key, "larkspur.example"), attempts=0, queued_at=at,
                next_try_at=at, possible_duplicate=False,
            )
        )  # fmt: skip
        row = books.execute(sa.select(*COLUMNS).where(delivery.c.key == key)).one()
    return Delivery(*row)


def rendered(database, row: Delivery, **changes):
    (made,) = a_renderer(database, **changes)([row])
    return made


def told(database, row: Delivery, **changes):
    made = rendered(database, row, **changes)
    assert isinstance(made, OutgoingMessage), made
    return message_from_bytes(made.to_bytes(), policy=default)


def text_of(message) -> str:
    return message.get_body(("plain",)).get_content()


@pytest.fixture
def books(database):
    """A closed run in which Ann owes $80.00, drawn from her bank account on the 13th."""
    a_run(database)
    an_account(database, NUMBER, draw=DRAW_DAY, wallet_owner=ANN)
    owe(database)
    return database


def drawn(database, state: PaymentState, **changes) -> None:
    pay(database, state=state, **changes)


def declined(database, code: str = "", advice: Advice | None = None) -> None:
    with database.writing() as books:
        key = books.scalar(sa.select(gateway_payment.c.key))
        for number, answer in enumerate(["nsf", code], start=1):
            books.execute(
                draw.insert().values(
                    key=f"{key}/{number}", payment_key=key, number=number, amount=Money(80_00),
                    method_token="tok", state=DrawState.DECLINED, created_at=NOW, lookups=0,
                    answered_at=NOW + timedelta(days=number), code=answer, advice=advice,
                )
            )  # fmt: skip


# -- what each says -------------------------------------------------------------------------------


def test_a_reminder_says_what_is_open_and_until_when(books):
    owe(books, paid=30_00)
    drawn(books, PaymentState.CANCELLED)

    message = told(books, record(books, K.PAYMENT_DUE))

    assert "Reminder: $50.00 due November 20, 2026, account 01.1037.1" == message["Subject"]
    assert "Please pay $50.00 by November 20, 2026." in text_of(message)
    assert "Mon, 02 Nov 2026 06:00:00 -0700" == message["Date"]
    assert "auto-generated" == message["Auto-Submitted"]
    assert "desk@x.example" == message["Reply-To"]
    assert None is message["List-Unsubscribe"]


def test_a_reminder_to_an_autopay_customer_asks_for_nothing(books):
    text = text_of(told(books, record(books, K.PAYMENT_DUE)))

    assert "Your payment of $80.00 will be drawn on November 13, 2026 from your bank" in text
    assert "Please pay" not in text


def test_a_past_due_notice_counts_the_days_from_when_it_was_recorded(books):
    drawn(books, PaymentState.DECLINED)

    message = told(books, record(books, K.PAST_DUE, at=OVERDUE))

    assert "Past due: $80.00, account 01.1037.1" == message["Subject"]
    assert "was due on November 20, 2026, 3 days ago" in text_of(message)


def test_a_further_step_has_words_of_its_own(books, tmp_path):
    (tmp_path / "notices").mkdir()
    (tmp_path / "notices" / "past-due-2.subject").write_text("Second notice: {{ open_balance }}")
    templates = Templates(tmp_path)
    templates.check()
    drawn(books, PaymentState.DECLINED)
    renderer = replace(a_renderer(books), templates=templates)

    (made,) = renderer([record(books, K.PAST_DUE, form="past-due-2", at=OVERDUE)])

    message = message_from_bytes(made.to_bytes(), policy=default)
    assert "Second notice: $80.00" == message["Subject"]
    assert "3 days ago" in text_of(message)


def test_a_scheduled_payment_is_announced(books):
    message = told(books, record(books, K.AUTOPAY_SCHEDULED))

    assert "Autopay: $80.00 on November 13, 2026, account 01.1037.1" == message["Subject"]
    assert "Payment method:  bank account ending 6789" in text_of(message)


def test_a_failed_payment_says_why_in_a_customers_words(books):
    drawn(books, PaymentState.DECLINED, error="card_declined: insufficient_funds (51)")

    text = text_of(told(books, record(books, K.AUTOPAY_FAILED)))

    assert "payment of $80.00 on November 13, 2026 did not go through." in text
    assert "There was not enough money in the account." in text
    assert "Please pay $80.00 in another way by November 20, 2026" in text
    assert "card_declined" not in text


def test_a_payment_that_is_tried_again_says_when(books):
    declined(books, code="do_not_honor", advice=Advice.LATER)
    drawn(books, PaymentState.SCHEDULED, pay_on=date(2026, 11, 17))

    text = text_of(told(books, record(books, K.AUTOPAY_FAILED)))

    assert "on November 4, 2026 did not go through" in text
    assert "There was not enough money" in text
    assert "We will try once more on November 17, 2026." in text


def test_a_payment_that_was_taken_back_says_when(books):
    with books.writing() as connection:
        payment = connection.execute(sa.select(gateway_payment)).one()
        connection.execute(
            draw.insert().values(
                key=f"{payment.key}/1", payment_key=payment.key, number=1, amount=Money(80_00),
                method_token="tok", state=DrawState.APPROVED, created_at=NOW, lookups=0,
            )
        )  # fmt: skip
        connection.execute(
            payment_event.insert().values(
                event_id="e1", draw_key=f"{payment.key}/1", kind=EntryKind.RETURN, code="R02",
                fee=ZERO, amount=Money(80_00), happened_at=OVERDUE, recorded_at=OVERDUE,
            )
        )  # fmt: skip
    drawn(books, PaymentState.RETURNED)

    text = text_of(told(books, record(books, K.AUTOPAY_FAILED)))

    assert "on November 23, 2026 did not go through. The bank account is closed" in text


def test_a_receipt_says_what_was_paid_and_what_is_left(books):
    owe(books, amount=100_00, paid=80_00)
    taken = datetime(2026, 11, 14, 3, 0, tzinfo=UTC)  # still the 13th in Denver
    drawn(books, PaymentState.SUCCEEDED, taken_at=taken, confirmation="CC-1")
    with books.writing() as connection:
        payment = connection.execute(sa.select(gateway_payment)).one()
        for kind in PostingKind:
            post_payment(connection, payment, kind)
            posted = posting.update().where(posting.c.kind == kind)
            connection.execute(
                posted.values(state=PostingState.POSTED, receipt=f"no-{kind}", posted_at=NOW)
            )
    owe(books, amount=100_00, paid=80_00)

    message = told(books, record(books, K.RECEIPT))

    assert "Receipt for $80.00, account 01.1037.1" == message["Subject"]
    text = text_of(message)
    for line in ("received $80.00 on November 13, 2026", "Confirmation:    CC-1",
                 "Receipt:         no-receipt", "bank account ending 6789",
                 "$20.00 is still to be paid."):  # fmt: skip
        assert line in text


@pytest.mark.parametrize("kind", [K.PAYMENT_DUE, K.AUTOPAY_SCHEDULED])
def test_a_method_is_named_by_its_bank_where_the_gateway_told_it(books, kind):
    with books.writing() as connection:
        payment = connection.execute(sa.select(gateway_payment)).one()
        connection.execute(
            wallet_method.insert().values(
                token=payment.method_token, kind=payment.method_kind, last4=payment.last4,
                brand="Larkspur Bank", added_at=NOW,
                user_number=make_user(connection, ANN, NOW, UserState.ACTIVE),
            )
        )  # fmt: skip

    text = text_of(told(books, record(books, kind)))

    assert "Larkspur Bank account ending 6789" in text


def test_a_communication_has_a_way_out_and_nothing_else_has(books):
    news = Communication("Leaves", ("Put them out.",), "https://x.example/n.pdf",
                         Attachment("Blätter.pdf", b"%PDF"))  # fmt: skip
    row = record(books, K.COMMUNICATION, period=None)

    message = told(books, row, find_communication={"communication": news}.get)

    token = WAY_OUT.token(ANN)
    assert "Leaves" == message["Subject"]
    assert "bulk" == message["Precedence"]
    assert f"<https://larkspur.example/out/{token}>" in message["List-Unsubscribe"]
    assert "List-Unsubscribe=One-Click" == message["List-Unsubscribe-Post"]
    assert f"Stop these mails: https://larkspur.example/out/{token}" in text_of(message)
    assert "Dear Ann O'Neil," in text_of(message)
    assert ["Blätter.pdf"] == [part.get_filename() for part in message.iter_attachments()]


def test_an_alert_counts_what_needs_a_person(books):
    drawn(books, PaymentState.UNKNOWN)
    record(books, K.BILL, status=DeliveryStatus.FAILED)
    record(books, K.ALERT, address="b@x.example", status=DeliveryStatus.FAILED)
    with books.writing() as connection:
        connection.execute(
            service_health.insert().values(
                service="cash-receipting", failures=3, down_since=NOW, probes=0
            )
        )

    message = told(books, record(books, K.ALERT, address="desk@larkspur.example"))

    assert "Attention: Something needs a person (2026-10)" == message["Subject"]
    assert [
        "- Cash receipting does not answer.",
        "- 1 payment: asked for without an answer.",
        "- 1 mail: not sent for good.",
    ] == [line for line in text_of(message).splitlines() if line.startswith("- ")]


# -- who reads what (rules 117, 118) --------------------------------------------------------------


@pytest.mark.parametrize("kind", [K.PAYMENT_DUE, K.AUTOPAY_SCHEDULED, K.AUTOPAY_FAILED, K.RECEIPT])
@pytest.mark.parametrize(("address", "is_owner"), [(ANN.upper(), True), ("lord@x.example", False)])
def test_only_its_owner_reads_of_a_payment_method(books, kind, address, is_owner):
    states = {K.AUTOPAY_FAILED: PaymentState.DECLINED, K.RECEIPT: PaymentState.SUCCEEDED}
    drawn(books, states.get(kind, PaymentState.SCHEDULED), error="insufficient funds")

    message = told(books, record(books, kind, address=address, source=RecipientSource.LANDLORD))

    bodies = [message.get_body((part,)).get_content() for part in ("plain", "html")]
    for body in bodies:
        assert "$80.00" in body
        assert is_owner == ("6789" in body)
        assert (is_owner and kind is K.AUTOPAY_FAILED) == ("enough money" in body)


def test_nobody_else_is_told_that_a_method_expires(books):
    made = rendered(books, record(books, K.METHOD_EXPIRING, address="lord@x.example"))

    assert Result.FAILED is made.result
    assert "6789" not in made.error


# -- what is not sent any more --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "state", "paid", "at", "result", "why"),
    [
        pytest.param(K.PAYMENT_DUE, "scheduled", 80_00, NOW, "failed", "nothing is owed",
                     id="paid"),
        pytest.param(K.PAST_DUE, "declined", 90_00, OVERDUE, "failed", "nothing is owed",
                     id="in credit, ruling 15"),
        pytest.param(K.PAST_DUE, "unknown", 0, OVERDUE, "deferred", "under way",
                     id="a draw is in flight, ruling 14"),
        pytest.param(K.PAST_DUE, "declined", 0, NOW, "failed", "not past due", id="not yet"),
        pytest.param(K.AUTOPAY_SCHEDULED, "cancelled", 0, NOW, "failed", "scheduled", id="off"),
        pytest.param(K.AUTOPAY_FAILED, "succeeded", 0, NOW, "failed", "declined", id="it worked"),
        pytest.param(K.AUTOPAY_FAILED, "scheduled", 0, NOW, "failed", "failed", id="not tried"),
        pytest.param(K.RECEIPT, "returned", 0, NOW, "failed", "succeeded", id="taken back"),
        pytest.param(K.COMMUNICATION, "scheduled", 0, NOW, "failed", "no longer", id="deleted"),
        pytest.param(K.ALERT, "scheduled", 0, NOW, "failed", "nothing needs", id="all is well"),
    ],
)  # fmt: skip
def test_a_matter_that_is_settled_is_not_written_about(books, kind, state, paid, at, result, why):
    owe(books, paid=paid)
    drawn(books, PaymentState(state))

    made = rendered(books, record(books, kind, at=at))

    assert isinstance(made, MailOutcome)
    assert (Result(result), True) == (made.result, why in made.error)


def test_a_balance_of_a_later_period_is_not_asked_for_twice(books):
    with books.writing() as connection:
        connection.execute(balance_due.delete())

    made = rendered(books, record(books, K.PAYMENT_DUE))

    assert "the balance due is of another period now" == made.error


def test_a_second_attempt_has_the_same_bytes(books):
    row = record(books, K.PAYMENT_DUE)

    first, second = (rendered(books, row).to_bytes() for _ in range(2))

    assert first == second


# -- templates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NOTICES)
def test_a_broken_notice_is_found_before_anything_is_sent(tmp_path, kind):
    (tmp_path / "notices").mkdir()
    (tmp_path / "notices" / f"{kind}.txt").write_text("{{ amount_duе }}")

    with pytest.raises(Misuse, match=f"{kind}.*correct it"):
        Templates(tmp_path).check()


def test_a_notice_of_no_kind_is_refused(tmp_path):
    (tmp_path / "notices").mkdir()
    (tmp_path / "notices" / "pastdue.txt").write_text("x")

    with pytest.raises(Misuse, match=r"notices/pastdue .*is of no kind; its name begins with one"):
        Templates(tmp_path).check()


def test_a_form_of_bills_may_be_called_as_a_notice_is():
    wording = Templates().word(a_sample("receipt"))

    assert "Your receipt is attached as a PDF." in wording.text


@pytest.mark.parametrize(
    ("form", "kind"),
    [("past-due", K.PAST_DUE), ("past-due-2", K.PAST_DUE), ("past-duel", None), ("bill", None)],
)
def test_a_notice_is_told_by_its_form(form, kind):
    assert kind == kind_of(form)


def test_every_variable_has_a_meaning_and_every_meaning_a_variable():
    bill = variables(a_sample()).keys()
    notices = set().union(*(a_sample_notice(kind).values().keys() for kind in NOTICES))

    assert bill == COMMON.keys() | BILL.keys()
    assert notices == COMMON.keys() | NOTICE.keys()


@pytest.mark.parametrize(
    ("error", "advice", "reason"),
    [
        ("R01", None, "not enough money"),
        ("insufficient_funds", Advice.NEVER, "not enough money"),
        ("expired_card", None, "expired"),
        ("R02 account closed", None, "closed"),
        ("R10", None, "not authorized"),
        ("do_not_honor", None, "refused"),
        ("do_not_honor", Advice.NEW_METHOD, "cannot be used"),
        ("", Advice.CUSTOMER_ACTION, "confirm"),
        ("declined: authentication_required", Advice.CUSTOMER_ACTION, "bank wanted you to"),
        ("declined: payment_intent_authentication_failure", None, "bank wanted you to"),
        ("error 0199", Advice.CLERK, "refused"),
    ],
)
def test_a_reason_is_said_in_a_customers_words(error, advice, reason):
    said, remedy = say_failure(error, advice)

    assert reason in said
    assert remedy.startswith("Please")
    by_hand = say_decline(error, advice)
    assert said == by_hand[0]
    assert by_hand[1].startswith("Please") and "autopay" not in by_hand[1]


@pytest.mark.parametrize("code", [*(f"R{number:02}" for number in range(1, 86)), *ADVICE])
def test_the_offices_words_for_a_code_change_nothing_that_a_customer_reads(code):
    told = f"declined: {say_reason(code)}, drawn again on 2026-11-20"

    assert say_failure(code) == say_failure(told)


def test_a_draw_by_autopay_that_the_bank_wants_confirmed_asks_to_pay_by_hand():
    _, remedy = say_failure("declined: authentication_required", Advice.CUSTOMER_ACTION)

    assert "Please pay by hand: your bank then asks you on a page of its own." == remedy


def test_a_customer_reads_whom_to_call_and_where_to_pay(tmp_path):
    contact = OfficeContact(
        "555-0100", "1 Main St", "Monday to Friday, 8 to 5", "https://pay.x.example"
    )

    told = Templates(None, contact).word(a_sample_notice("past-due"))
    silent = Templates().word(a_sample_notice("past-due"))

    for body in (told.text, told.html):
        assert "555-0100" in body and "https://pay.x.example" in body and "1 Main St" in body
    assert "Questions?" not in silent.text + silent.html
    assert "Questions?" not in Templates(None, contact).word(a_sample_notice("alert")).text
