"""One seeded defect for each check: what would have to be wrong for it to fire."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.data_checks.rows import ACH, CANCELLED, CARD, CLOSED, PREVIOUS, RUN, key, number


@dataclass(frozen=True)
class Mutation:
    """Statements that plant a defect, and the checks that rightly fire along."""

    check: str
    statements: tuple[str, ...]
    along: frozenset[str] = field(default=frozenset())


def changing(check: str, *statements: str, along: tuple[str, ...] = ()) -> Mutation:
    return Mutation(check, statements, frozenset(along))


def update(table: str, change: str, account: int = 5, where: str = "", period: str = RUN) -> str:
    more = f" AND {where}" if where else ""
    of_account = f"period = '{period}' AND account_key = '{key(account)}'"
    return f"UPDATE {table} SET {change} WHERE {of_account}{more}"


def problem(code: str) -> str:
    return (
        'INSERT INTO problem (period, line, code, account, file, "row", column_name, message) '
        f"VALUES ('{RUN}', 1, '{code}', '{number(5)}', 'accounts.csv', 6, 'zip', 'is wrong')"
    )


def linked_before(account: int) -> str:
    return (
        "INSERT INTO portal_link (period, account_key, mailbox, address, paperless) VALUES"
        f" ('{PREVIOUS}', '{key(account)}', 'x@example.com', 'x@example.com', 'f')"
    )


def movement(line: int, kind: str, cents: int, account: int = 5, known: bool = True) -> str:
    account_key = key(account) if known else "999"
    return (
        "INSERT INTO movement (period, line, account_key, account, posted_on, service, description,"
        f" kind, amount) VALUES ('{RUN}', {line}, '{account_key}', '{account_key}', '2026-10-20',"
        f" '', 'Counter', '{kind}', {cents})"
    )


NOTICE_AGAIN = (
    "INSERT INTO bill (period, form, account_key, ordinal, account, bulk, first_page, pages, pdf,"
    f" sha256, size) VALUES ('{RUN}', 'delinquent-notice', '{key(10)}', 2, '{number(10)}', 1, 1,"
    " 1, 'again.pdf', '', 1)"
)
PAGE_AGAIN = (
    "INSERT INTO page (period, bulk, page, disposition, account_key, reason)"
    f" VALUES ('{RUN}', 1, 1, 'bill', '{key(10)}', '')"
)
ANOTHER_FILE = (
    "INSERT INTO bulk_file (period, bulk, form, file, path, account_pattern)"
    f" VALUES ('{RUN}', 2, 'final-bill', 'final.pdf', '', 'Account')"
)


def entry(
    name: str,
    cents: int,
    *,
    kind: str = "payment",
    source: str = "draw",
    reference: str = "SB1",
    told: str = "NULL",
    account: int = 5,
) -> str:
    return (
        "INSERT INTO balance_entry (key, account_key, kind, amount, counts, happened_on,"
        " recorded_at, recorded_by, source, reference, told_at)"
        f" VALUES ('{name}', '{key(account)}', '{kind}', {cents}, TRUE, '2026-10-20',"
        f" '2026-10-20 12:00:00+00:00', 'clerk', '{source}', '{reference}', {told})"
    )


def finding(code: str, booked: str = "NULL") -> str:
    return (
        "INSERT INTO boundary_finding (period, line, code, account_key, happened_on, amount,"
        f" booked, reference, reason, blocks) VALUES ('{RUN}', 1, '{code}', '{key(5)}',"
        f" '2026-10-20', -8000, {booked}, 'SB1', 'no line in the export', FALSE)"
    )


def line(number: int, cents: int, reference: str, account: int = 5) -> str:
    return (
        "INSERT INTO movement (period, line, account_key, account, posted_on, service, description,"
        f" kind, amount, reference) VALUES ('{RUN}', {number}, '{key(account)}',"
        f" '{key(account)}', '2026-10-20', '', 'Counter', 'payment', {cents}, '{reference}')"
    )


THIS_RUN = f"WHERE period = '{RUN}'"
LAST_NUMBER = f"account_key = '{key(CARD)}', account = '{number(CARD)}'"
CLOSED_NUMBER = f"account_key = '{key(CLOSED)}', account = '{number(CLOSED)}'"
OWED = "opening_balance = 4030, closing_balance = 4030"
OWED_IN_TOTAL = (
    "control_opening_balance = control_opening_balance + 4030,"
    " control_closing_balance = control_closing_balance + 4030"
)

FILES = (
    changing("unreadable-row", problem("unreadable-row")),
    changing("account-duplicate", problem("account-duplicate")),
    changing("sensitive-data", problem("sensitive-data")),
    changing("bill-copy", problem("bill-copy")),
    changing("bill-not-tagged", problem("bill-not-tagged")),
    changing("problem-other", problem("encoding")),
    changing(
        "page-unassigned",
        f"UPDATE page SET disposition = 'unassigned' {THIS_RUN} AND bulk = 0 AND page = 0",
    ),
    changing(
        "page-read-by-ocr",
        f"UPDATE page SET reason = 'It was read by OCR.' {THIS_RUN} AND bulk = 0 AND page = 1",
    ),
    changing(
        "page-doubted",
        f"UPDATE page SET reason = 'It says page 1.' {THIS_RUN} AND bulk = 0 AND page = 1",
    ),
    changing("page-total", update("bill", "pages = 2")),
    changing("bulk-file-empty", ANOTHER_FILE),
)
ACCOUNTS = (
    changing("account-number-blank", update("account", "account_key = '', account = '-'", CLOSED)),
    changing(
        "closed-account-balance",
        update("account", OWED, CLOSED),
        update("account", OWED, CLOSED, period=PREVIOUS),
        f"UPDATE bill_run SET {OWED_IN_TOTAL} {THIS_RUN}",
    ),
    changing("active-without-charges", update("account", "status = 'active'", CLOSED)),
    changing("email-shared", update("account_email", "address = 'Customer2@example.com'", 4)),
    changing("cosigner-unknown", update("account", "cosigner_id = 'LL9'")),
    changing("link-unknown-account", update("portal_link", "account_key = '999'", 4)),
    changing("link-unknown-user", f"DELETE FROM portal_user {THIS_RUN}"),
)
BALANCES = (
    changing(
        "roll-forward",
        update("account", "closing_balance = closing_balance + 1", 5),
        update("account", "closing_balance = closing_balance - 1", 6),
    ),
    changing("movement-unknown-account", movement(900, "adjustment", 0, known=False)),
    changing(
        "movement-outside-period",
        update("movement", "posted_on = '2026-11-01'", where="kind = 'payment'"),
    ),
    changing("wrong-sign", movement(900, "payment", 5_00), movement(901, "payment", -5_00)),
    changing(
        "movement-twice",
        update("movement", "amount = -4000", where="kind = 'payment'"),
        movement(900, "payment", -5_00),
        movement(901, "payment", -5_00),
    ),
    changing(
        "large-adjustment",
        movement(900, "adjustment", 600_00),
        movement(901, "adjustment", -600_00),
    ),
    changing("opening-changed", update("account", "closing_balance = 4999", period=PREVIOUS)),
    changing(
        "account-vanished",
        update("account", "account_key = '777'", period=PREVIOUS),
        update("balance_due", "account_key = '777'", period=PREVIOUS),
    ),
)
BILLS = (
    changing("bill-unknown-account", update("bill", "account_key = '999'", 10, "bulk = 1")),
    changing("bill-duplicate", NOTICE_AGAIN, PAGE_AGAIN),
    changing(
        "bill-missing",
        f"DELETE FROM bill {THIS_RUN} AND account_key = '{key(5)}'",
        f"DELETE FROM page {THIS_RUN} AND account_key = '{key(5)}'",
        along=("control-totals",),
    ),
    changing("bill-incomplete", update("bill", "lacks = 'It ends with page 1 of 2.'")),
    changing(
        "bill-amount",
        update("bill", "printed_amount_due = printed_amount_due + 1", 5),
        update("bill", "printed_amount_due = printed_amount_due - 1", 6),
    ),
    changing("bill-due-date", update("bill", "printed_due_on = NULL")),
    changing(
        "negative-bill",
        update("account", "amount_due = -100"),
        update("bill", "printed_amount_due = -100"),
    ),
    changing("closed-account-billed", movement(900, "billing", 0, CLOSED)),
    changing(
        "amount-outlier",
        update("account", "amount_due = 30000"),
        update("bill", "printed_amount_due = 30000"),
    ),
    changing(
        "large-bill",
        update("account", "amount_due = 300000"),
        update("bill", "printed_amount_due = 300000"),
        along=("amount-outlier",),
    ),
    changing("page-count", update("bill", "pages = 21"), along=("page-total",)),
)
TOTALS = (
    changing("control-totals", f"UPDATE bill_run SET control_bills = 12 {THIS_RUN}"),
    changing("billed-total", update("bill", "printed_amount_due = 1"), along=("bill-amount",)),
    changing(
        "due-date-window",
        f"UPDATE bill_run SET due_on = '2027-11-20' {THIS_RUN}",
        f"UPDATE bill SET printed_due_on = '2027-11-20' {THIS_RUN} AND bulk = 0",
    ),
)
USAGE = (
    changing("usage-outlier", update("movement", "usage = 100", where="service = 'WATER'")),
    changing("usage-zero", update("movement", "usage = 0", where="service = 'WATER'")),
    changing("usage-negative", update("movement", "usage = -1", where="service = 'WATER'")),
)
DELIVERY = (
    changing("ebill-no-email", f"DELETE FROM recipient {THIS_RUN} AND account_key = '{key(2)}'"),
    changing(
        "ebill-bounced",
        "INSERT INTO suppressed_address (mailbox, since, reason)"
        " VALUES ('customer2@example.com', '2026-10-05 12:00:00', '5.1.1 no such mailbox')",
    ),
    changing("email-invalid", update("account_email", "fault = 'no @'", 2)),
    changing("email-invalid", update("portal_link", "fault = 'no @'", 4)),
    changing(
        "mailing-address-changed",
        "INSERT INTO feed_file (number, name, written_at, received_at, sha256, movements, amount)"
        " VALUES (1, 'night', '2027-01-02 12:00:00', '2027-01-02 12:00:00', '', 0, 0)",
        "INSERT INTO account_change (id, account_key, field, value, told_at, feed)"
        f" VALUES (1, '{key(5)}', 'mailing_address', '9 New St', '2027-01-02 12:00:00', 1)",
    ),
    changing("neither-paper-nor-ebill", update("account", "send_paper = false")),
)
AUTOPAY = (
    changing("autopay-direct-pay", update("account", "direct_pay = true", CARD)),
    changing("autopay-method-blocked", update("account", "block_card = true", CARD)),
    changing("autopay-closed-account", update("mandate", CLOSED_NUMBER, CARD)),
    changing(
        "autopay-over-maximum",
        update("planned_payment", "pay_on = NULL, unscheduled = 'over-maximum'", CARD),
    ),
    changing("pay-date-past", update("planned_payment", "immediate = true", CARD)),
    changing("notice-short", update("planned_payment", "pay_on = '2026-11-11'", ACH)),
    changing("mandate-unknown-account", update("mandate", "account_key = '999'", CARD)),
    changing("mandate-twice", update("mandate", f"active = true, {LAST_NUMBER}", CANCELLED)),
    changing("mandate-method-missing", update("mandate", "method_token = 'gone'", CARD)),
    changing("days-prior-range", update("mandate", "days_prior = 45", CARD)),
    changing("maximum-not-positive", update("mandate", "maximum = 0", CARD)),
)

VANISHED = (changing("vanished", *(linked_before(account) for account in (5, 6, 7))),)
SPOILED = ("roll-forward", "control-totals")
A_FILE = (
    "INSERT INTO feed_file (name, written_at, received_at, sha256, movements, amount)"
    " VALUES ('f', '2026-09-30 12:00:00', '2026-09-30 12:00:00', '', 0, 0)"
)
A_DECLINED_DRAW = (
    "INSERT INTO draw (key, payment_key, number, amount, method_token, state, reference,"
    " created_at, lookups) SELECT key || '/9', key, 9, 8000, 'tok', 'declined', 'SB1',"
    " '2026-10-20 12:00:00', 0 FROM scheduled_payment LIMIT 1"
)
A_RECEIPT = (
    "INSERT INTO posting (key, entry_key, payment_key, kind, amount, state, attempts, created_at,"
    " next_retry_at) SELECT 'receipt/e', 'e', key, 'receipt', 8000, 'posted', 1,"
    " '2026-10-20 12:00:00', '2026-10-20 12:00:00' FROM scheduled_payment LIMIT 1"
)
TOLD_BEFORE = "'2026-09-30 12:00:00'"
BOUNDARY = (
    changing("payments-not-in-export", finding("payments-not-in-export")),
    changing("booked-otherwise", finding("booked-otherwise", "-10700")),
    changing(
        "booked-twice",
        entry("e", -8000),
        line(900, -8000, "SB1"),
        line(901, -8100, "SB1"),
        along=SPOILED,
    ),
    changing(
        "booked-on-other-account",
        entry("e", -8000, account=6),
        line(900, -8000, "SB1"),
        along=SPOILED,
    ),
    changing("claims-ours", A_DECLINED_DRAW, line(900, -8000, "SB1"), along=SPOILED),
    changing(
        "movements-not-in-export",
        entry("f", -123, source="feed", reference="", told=TOLD_BEFORE),
    ),
    changing("feed-incomplete", A_FILE),
    changing("references-missing", entry("e", -8000), A_RECEIPT),
    changing("equal-pay-behind", update("account", "equal_pay_amount = 1, status = 'active'")),
)

MUTATIONS = (
    *(FILES + ACCOUNTS + VANISHED + BALANCES + BOUNDARY),
    *(BILLS + TOTALS + USAGE + DELIVERY + AUTOPAY),
)
