"""What every account is told of a month, and which events nobody is told of."""

from __future__ import annotations

from domain.money import Money
from office.equipment.office import Office
from office.lookup.why.explaining import explain_account
from tests.flows.desk import Desk

Told = dict[str, dict[str, str]]  # by account key: all that is said about an event, by its key

# Of each kind of event: what names it, whose it is, and what its sentence has to say.
EVENTS = {
    "delivery": "SELECT key, account_key, address, NULL FROM delivery WHERE account_key <> ''",
    "payment": "SELECT key, account_key, NULL, amount FROM gateway_payment",
    "schedule": """SELECT 'schedule/' || key, account_key, last4, amount FROM gateway_payment
        WHERE kind = 'autopay'""",
    "draw": """SELECT d.key, p.account_key, NULL, d.amount
        FROM draw d JOIN gateway_payment p ON p.key = d.payment_key""",
    "posting": """SELECT o.key, e.account_key, o.receipt, o.amount
        FROM posting o JOIN balance_entry e ON e.key = o.entry_key""",
    "event": """SELECT e.event_id, p.account_key, NULL, e.amount FROM payment_event e
        JOIN draw d ON d.key = e.draw_key JOIN gateway_payment p ON p.key = d.payment_key""",
    "unscheduled": """SELECT 'unscheduled/' || period || '/' || account_key, account_key, NULL,
        NULL
        FROM autopay_unscheduled""",
    "paper": """SELECT 'paper/' || period || '/' || form || '/' || account_key, account_key, form,
        NULL
        FROM paper""",
    "movement": """SELECT 'movement/' || period || '/' || line, account_key, service, amount
        FROM movement""",
    "entry": "SELECT key, account_key, NULL, amount FROM balance_entry",
    "bounce": """SELECT b.id, d.account_key, b.status, NULL
        FROM bounce b JOIN delivery d ON d.key = b.delivery_key""",
    "bill": "SELECT pdf, account_key, form, NULL FROM bill",
    "recipient": """SELECT 'recipient/' || period || '/' || mailbox, account_key, address, NULL
        FROM recipient""",
    "cancelled": """SELECT 'enrollment-end/' || account_key, account_key, reason, NULL
        FROM enrollment_end""",
    "choice": "SELECT 'choice/' || number, account_key, value, NULL FROM customer_choice",
    "enrollment": "SELECT 'enrollment/' || id, account_key, enrolled_by, NULL FROM enrollment",
    "correction": """SELECT 'correction/' || period || '/' || account_key || '/' || number,
        account_key, reason, amount_due FROM correction""",
    "undo": """SELECT 'undo/' || u.period || '/' || u.number, a.account_key, u.reason, NULL
        FROM period_undo u JOIN account a ON a.period = u.period""",
    "replaced": """SELECT 'replaced/' || period || '/' || form || '/' || account_key || '/' ||
        edition, account_key, 'is kept', amount_due FROM replaced_bill""",
    "outsorted": """SELECT 'outsorted/' || number, account_key, coalesce(released_by, reason),
        NULL FROM outsorted_bill""",
    "refund": """SELECT r.key, p.account_key, r.reason, r.amount FROM refund_request r
        JOIN draw d ON d.key = r.draw_key JOIN gateway_payment p ON p.key = d.payment_key""",
    "checkout": """SELECT 'checkout/' || checkout, account_key, NULL, sum(amount)
        FROM checkout_line WHERE account_key <> '' GROUP BY checkout, account_key""",
    "paid by hand": """SELECT c.payment_key, l.account_key, NULL, sum(l.amount)
        FROM checkout c JOIN checkout_line l ON l.checkout = c.key
        WHERE c.payment_key IS NOT NULL AND l.account_key <> ''
        GROUP BY c.payment_key, l.account_key""",
    "drawn by hand": """SELECT d.key, l.account_key, NULL, d.amount
        FROM checkout c JOIN checkout_line l ON l.checkout = c.key
        JOIN draw d ON d.payment_key = c.payment_key WHERE l.account_key <> ''""",
    "change": "SELECT 'change/' || id, account_key, field, NULL FROM account_change",
    "hold": """SELECT 'hold/' || number, account_key, reason, NULL FROM reminder_hold
        WHERE account_key IS NOT NULL""",
}
# What the demo's own month need not have; the hard month has each of them.
SELDOM = {
    "event", "bounce", "choice", "correction", "undo", "replaced", "outsorted", "refund",
    "checkout", "paid by hand", "drawn by hand", "change", "enrollment",
}  # fmt: skip


def tell_all(office: Office) -> Told:
    """Every account's sentences of all its periods, by what they are about."""
    from database.tables import account

    with office.database.reading() as books:
        rows = books.execute(account.select().order_by(account.c.period)).all()
    told: Told = {}
    for row in rows:
        found = told.setdefault(row.account_key, {})
        for one in explain_account(office, row.account, row.period).sentences:
            found[one.about] = f"{found.get(one.about, '')}{one.with_rules}\n"
    return told


def silent_events(desk: Desk, told: Told, kind: str) -> list[tuple[str, str]]:
    """Events of a kind that no sentence is about, or that say another word or amount."""
    return [
        (about, text)
        for about, key, word, cents in desk.query(EVENTS[kind])
        for text in [told.get(key, {}).get(about, "")]
        if not text
        or (word and word not in text)
        or (cents is not None and Money(abs(cents)).dollars() not in text)
    ]
