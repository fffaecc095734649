"""The tables of the books, named as the domain's fields."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import sqlalchemy as sa

import database.feed.tables
import database.ledger.tables  # noqa: F401 - its tables refer to these, and these to its
from database.definitions import making
from database.definitions.audit_guards import guard_statements
from database.definitions.corrections import remember_closes
from database.definitions.making import index_where as _index_where
from database.definitions.making import make_table as _table
from database.definitions.making import one_where as _one_where
from database.definitions.making import trigram_index as _trigram_index
from database.types import Cents, Moment, Number, SearchedText, one_of
from domain.accounts import AccountStatus
from domain.approvals import Decision
from domain.batches import BatchState
from domain.bounces import BounceKind, delivery_token
from domain.checks import CheckStatus, Severity
from domain.deliveries import DeliveryStatus, MessageKind, PaperReason, RecipientSource
from domain.money import ZERO
from domain.movements import MovementKind
from domain.payments import (
    Advice,
    DrawState,
    MethodKind,
    PaymentKind,
    PaymentState,
    PostingKind,
    PostingState,
    RefundState,
    Unscheduled,
)
from domain.runs import RunState

metadata = making.metadata


def _run() -> sa.Column[str]:
    """A run's own rows go with it when another export takes its place."""
    return sa.Column(
        "period",
        sa.String(40),
        sa.ForeignKey("bill_run.period", ondelete="CASCADE"),
        primary_key=True,
    )


def _closed_run(*, primary_key: bool = True, nullable: bool = False) -> sa.Column[str]:
    """
    A column that only a closed run can fill (rules 2, 8, 9).

    The row in period_close is the close. Whatever refers to it cannot exist before it: that makes
    scheduling or mailing before the close impossible for any program, ours included.
    """
    return sa.Column(
        "period",
        sa.String(40),
        sa.ForeignKey("period_close.period"),
        primary_key=primary_key,
        nullable=nullable,
    )


def _once_closed(*, nullable: bool = False) -> sa.Column[str]:
    """
    A column that only a run can fill that was closed once, though that may be taken back.

    Money that was drawn and mail that has left stay when a close is undone.
    """
    return sa.Column(
        "period", sa.String(40), sa.ForeignKey("once_closed.period"), nullable=nullable
    )


def _key(*, primary_key: bool = True) -> sa.Column[str]:
    return sa.Column("account_key", sa.String(64), primary_key=primary_key, nullable=False)


def _number() -> sa.Column[str]:
    return sa.Column("account", sa.String(64), nullable=False)


def _start(context: Any) -> datetime:
    """The start of the period: of an export that says nothing, nothing later is sure."""
    starts_on: date = context.get_current_parameters()["starts_on"]
    return datetime.combine(starts_on, time(), UTC)


def _imported(context: Any) -> datetime:
    moment: datetime = context.get_current_parameters()["imported_at"]
    return moment


def _token(context: Any) -> str:
    return delivery_token(context.get_current_parameters()["key"])


def _meter_columns() -> list[sa.Column[Any]]:
    """What a line says of its meter; quantities and reads are no money (NULL: not told)."""
    return [
        sa.Column("unit", sa.String(20), nullable=False, default="", server_default=""),
        sa.Column("days", sa.Integer),  # that the line is for
        sa.Column("meter", sa.String(64), nullable=False, default="", server_default=""),
        sa.Column("read_type", sa.String(12), nullable=False, default="", server_default=""),
        sa.Column("previous_read", sa.Float),
        sa.Column("current_read", sa.Float),
        sa.Column("rate_code", sa.String(40), nullable=False, default="", server_default=""),
    ]


# -- a run and its export -------------------------------------------------------------------------

bill_run = _table(
    "bill_run",
    sa.Column("period", sa.String(40), primary_key=True),
    sa.Column("state", one_of(RunState, "state"), nullable=False),
    sa.Column("utility", sa.String(200), nullable=False),
    sa.Column("timezone", sa.String(64), nullable=False),
    sa.Column("starts_on", sa.Date, nullable=False),
    sa.Column("ends_on", sa.Date, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("cycle", sa.String(40), nullable=False, server_default=""),
    sa.Column("overlaps", sa.String(1000)),  # why it may overlap a closed one; NULL: it may not
    sa.Column("written_at", Moment),  # NULL: the export does not say
    sa.Column("sure_until", Moment, nullable=False, default=_start),  # what it surely knows
    sa.Column("not_after", Moment, nullable=False, default=_imported),  # what it cannot know
    sa.Column("export_name", sa.String(255), nullable=False),
    sa.Column("export_sha256", sa.String(64), nullable=False),
    sa.Column("imported_at", Moment, nullable=False),
    sa.Column("imported_by", sa.String(100), nullable=False),
    sa.Column("approved_at", Moment),
    sa.Column("approved_by", sa.String(100)),
    sa.Column("control_accounts", sa.Integer, nullable=False),
    sa.Column("control_bills", sa.Integer, nullable=False),
    sa.Column("control_opening_balance", Cents, nullable=False),
    sa.Column("control_billed", Cents, nullable=False),
    sa.Column("control_payments", Cents, nullable=False),
    sa.Column("control_adjustments", Cents, nullable=False),
    sa.Column("control_penalties", Cents, nullable=False),
    sa.Column("control_closing_balance", Cents, nullable=False),
    sa.CheckConstraint("starts_on <= ends_on", name="dates_in_order"),
)

bulk_file = _table(
    "bulk_file",
    _run(),
    sa.Column("bulk", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("form", sa.String(40), nullable=False),
    sa.Column("file", sa.String(255), nullable=False),
    sa.Column("path", sa.String(1000), nullable=False),
    sa.Column("account_pattern", sa.Text, nullable=False),
    sa.Column("amount_due_pattern", sa.Text),
    sa.Column("due_on_pattern", sa.Text),
    sa.Column("separator", sa.Text),
    sa.Column("region", sa.JSON),
    sa.Column("exemptions", sa.JSON),  # how the form is unlike others: keys of [[documents]]
    sa.Column("shared_sha256", sa.String(64)),  # NULL: other machines cannot get it
)

account = _table(
    "account",
    _run(),
    _key(),
    _number(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("last_name", sa.Text, nullable=False),
    sa.Column("service_address", sa.Text, nullable=False),
    sa.Column("mailing_address", sa.Text, nullable=False),
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("zip", sa.String(20), nullable=False),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("ebill", sa.Boolean, nullable=False),
    sa.Column("send_paper", sa.Boolean, nullable=False),
    sa.Column("status", one_of(AccountStatus, "status"), nullable=False),
    sa.Column("opening_balance", Cents, nullable=False),
    sa.Column("closing_balance", Cents, nullable=False),
    sa.Column("equal_pay_amount", Cents),
    sa.Column("amount_due", Cents, nullable=False),
    sa.Column("direct_pay", sa.Boolean, nullable=False),
    sa.Column("block_ach", sa.Boolean, nullable=False),
    sa.Column("block_card", sa.Boolean, nullable=False),
    sa.Column("cosigner_id", sa.String(64), nullable=False),
    sa.Column("district", sa.String(64), nullable=False, server_default=""),
    sa.Column("deposit_held", Cents),  # NULL: not told
    sa.Column("line", sa.Integer, nullable=False, server_default="0"),  # its place in the export
    _index_where("ix_account_landlord", ("cosigner_id", "period"), "cosigner_id <> ''"),
)

account_email = _table(
    "account_email",
    _run(),
    _key(),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("fault", sa.String(200)),  # why it is no address; NULL: it is one
)

movement = _table(
    "movement",
    _run(),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    _key(primary_key=False),
    _number(),
    sa.Column("posted_on", sa.Date, nullable=False),
    sa.Column("service", sa.String(100), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("kind", one_of(MovementKind, "kind"), nullable=False),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("usage", sa.Float),  # a meter's quantity, not money
    sa.Column(
        "reference", sa.String(100), nullable=False, default="", server_default=""
    ),  # a receipt or a confirmation
    *_meter_columns(),
    sa.Index(None, "period", "account_key"),
    sa.Index(None, "account_key", "posted_on"),  # what a customer looks back at
)

portal_user = _table(
    "portal_user",
    _run(),
    sa.Column("mailbox", sa.String(320), primary_key=True),
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
)

portal_link = _table(
    "portal_link",
    _run(),
    _key(),
    sa.Column("mailbox", sa.String(320), primary_key=True),
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("paperless", sa.Boolean, nullable=False),
    sa.Column("fault", sa.String(200)),  # why it is no address; NULL: it is one
    sa.Index(None, "mailbox"),
)

cosigner = _table(
    "cosigner",
    _run(),
    sa.Column("cosigner_id", sa.String(64), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("portal_user", sa.String(320), nullable=False),
    sa.Column("fault", sa.String(200)),  # why that is no address; NULL: it is one, or empty
    sa.Index("ix_cosigner_mailbox", sa.text("lower(portal_user)")),
)

payment_method = _table(
    "payment_method",
    _run(),
    sa.Column("token", sa.String(200), primary_key=True),
    sa.Column("portal_user", sa.String(320), nullable=False),
    sa.Column("kind", one_of(MethodKind, "kind"), nullable=False),
    sa.Column("last4", sa.String(4), nullable=False),
)

mandate = _table(
    "mandate",
    _run(),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    _key(primary_key=False),
    _number(),
    sa.Column("portal_user", sa.String(320), nullable=False),
    sa.Column("method_token", sa.String(200), nullable=False),
    sa.Column("days_prior", sa.Integer, nullable=False),
    sa.Column("maximum", Cents),
    sa.Column("enrolled_on", sa.Date, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Index(None, "period", "account_key"),
)

problem = _table(
    "problem",
    _run(),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("code", sa.String(40), nullable=False),
    _number(),
    sa.Column("file", sa.String(255), nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("column_name", sa.String(100), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
)

# What an export has that is not used, or has not; how it was read; nobody is stopped by it.
export_note = _table(
    "export_note",
    _run(),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("file", sa.String(255), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
)

# -- what the splitter found and wrote ------------------------------------------------------------

page = _table(
    "page",
    _run(),
    sa.Column("bulk", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("page", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("disposition", sa.String(12), nullable=False),
    sa.Column("account_key", sa.String(64), nullable=False),  # unassigned: of the bill before it
    sa.Column(
        "seems_key", sa.String(64), nullable=False, server_default=""
    ),  # whose an unassigned page seems to be
    sa.Column("text_checksum", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.CheckConstraint("disposition IN ('bill','separator','unassigned')", name="disposition"),
)

bill = _table(
    "bill",
    _run(),
    sa.Column("form", sa.String(40), primary_key=True),
    _key(),
    sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
    _number(),
    sa.Column("bulk", sa.Integer, nullable=False),
    sa.Column("first_page", sa.Integer, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("printed_amount_due", Cents),
    sa.Column("printed_due_on", sa.Date),
    sa.Column("pdf", sa.String(500), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column(
        "lacks", sa.Text, nullable=False, server_default=""
    ),  # a sentence about missing pages; '': it is whole
    sa.Column(
        "edition", sa.Integer, nullable=False, default=0, server_default="0"
    ),  # replaced so often
    sa.UniqueConstraint("period", "pdf"),
    sa.CheckConstraint("pages > 0", name="pages"),
    sa.Index(None, "account_key"),
)

# Where the bill of an account that has none would stand, in a file whose order is known.
bill_place = _table(
    "bill_place",
    _run(),
    _key(),
    sa.Column("bulk", sa.Integer, nullable=False),
    sa.Column("before_key", sa.String(64), nullable=False),  # of the bill before it
    sa.Column("before_page", sa.Integer),
    sa.Column("after_page", sa.Integer),
)

# What a person said about one page of a bulk file; it outlives the run's rows, not the page's text.
page_ruling = _table(
    "page_ruling",
    sa.Column("file_sha256", sa.String(64), primary_key=True),
    sa.Column("page", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("text_checksum", sa.BigInteger, nullable=False),
    sa.Column("account", sa.String(64), nullable=False),  # '': the page is nobody's
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("ruled_by", sa.String(100), nullable=False),
    sa.Column("ruled_at", Moment, nullable=False),
)

# A piece of splitting; its rows go when all bills of the run are filed.
split_batch = _table(
    "split_batch",
    _run(),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("bulk", sa.Integer, nullable=False),
    sa.Column("plan", sa.String(64), nullable=False),  # a hash of all that decides the outcome
    sa.Column("release", sa.String(40), nullable=False),
    sa.Column("bills", sa.Integer, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("orders", sa.Text, nullable=False),
    sa.Column("state", one_of(BatchState, "state"), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("lease_owner", sa.String(200)),
    sa.Column("lease_until", Moment),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment),
    sa.Column("outcome", sa.Text),
)

# -- what is planned, checked and waived ----------------------------------------------------------

delivery_plan = _table(
    "delivery_plan",
    _run(),
    _key(),
    sa.Column("paperless", sa.Boolean, nullable=False),
    sa.Column("paper", one_of(PaperReason, "paper")),
)

recipient = _table(
    "recipient",
    _run(),
    _key(),
    sa.Column("mailbox", sa.String(320), primary_key=True),
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("source", one_of(RecipientSource, "source"), nullable=False),
)

planned_payment = _table(
    "planned_payment",
    _run(),
    _key(),
    _number(),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("pay_on", sa.Date),
    sa.Column("immediate", sa.Boolean, nullable=False),
    sa.Column("unscheduled", one_of(Unscheduled, "unscheduled")),
    sa.Column("method_token", sa.String(200), nullable=False),
    sa.Column("method_kind", one_of(MethodKind, "method_kind")),
    sa.Column("last4", sa.String(4), nullable=False),
    sa.CheckConstraint("(pay_on IS NULL) <> (unscheduled IS NULL)", name="one_or_the_other"),
)

check_result = _table(
    "check_result",
    _run(),
    sa.Column("check_name", sa.String(40), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("severity", one_of(Severity, "severity"), nullable=False),
    sa.Column("status", one_of(CheckStatus, "status"), nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("fix", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("before_yes", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("known", sa.Integer, nullable=False, default=0, server_default="0"),  # muted findings
)

check_finding = _table(
    "check_finding",
    _run(),
    sa.Column("check_name", sa.String(40), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("account_key", sa.String(64), nullable=False),
    _number(),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("service", sa.String(100), nullable=False, default="", server_default=""),
    sa.Column("stake", Cents),  # the money at stake, where a check can tell it
    sa.Column("months", sa.Text, nullable=False, default="", server_default=""),  # uses, JSON
    sa.Column("known_until", sa.Date),  # muted; NULL: it counts
)

waiver = _table(
    "waiver",
    _run(),
    sa.Column("check_name", sa.String(40), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("waived_by", sa.String(100), nullable=False),
    sa.Column("waived_at", Moment, nullable=False),
)

# A bill that is held back from the close's effects: by a person, or by a waived check. It outlives
# the run's rows: an export that is replaced must not let go what a person held.
outsorted_bill = _table(
    "outsorted_bill",
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("period", sa.String(40), nullable=False),
    _key(primary_key=False),
    _number(),
    sa.Column("check_name", sa.String(40), nullable=False, server_default=""),  # '': a person
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("outsorted_at", Moment, nullable=False),
    sa.Column("outsorted_by", sa.String(100), nullable=False),
    sa.Column("released_at", Moment),  # NULL: it is held
    sa.Column("released_by", sa.String(100)),
    sa.Column("release_reason", sa.Text, nullable=False, server_default=""),
    sa.Column("due_on", sa.Date),  # of a bill that was released after its period's close
    _one_where(
        "uq_outsorted_bill_one_open", ("period", "account_key", "check_name"), "released_at IS NULL"
    ),
    sa.Index(None, "period", "account_key"),
    sa.Index(None, "account_key"),
)

approval_request = _table(
    "approval_request",  # of no bill run: it outlives an export that is replaced
    sa.Column("period", sa.String(40), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.String(64), nullable=False),  # of what a decision is bound to
    sa.Column("figures", sa.Text, nullable=False),  # JSON, what was shown
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("asked_by", sa.String(100), nullable=False),
    sa.Column("flow_run", sa.String(36)),  # the Prefect run that waits for the answer
)

approval_decision = _table(
    "approval_decision",
    sa.Column("period", sa.String(40), primary_key=True),
    sa.Column("request", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("decision", one_of(Decision, "decision"), nullable=False),
    sa.Column("who", sa.String(100), nullable=False),
    sa.Column("decided_at", Moment, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("waived", sa.JSON, nullable=False),  # names of checks
    # The machine's user, where nothing proves who it was.
    sa.Column("origin", sa.String(40), nullable=False, server_default=""),
    sa.Column("checklist", sa.JSON, nullable=False, server_default="[]"),  # beside a yes
    sa.ForeignKeyConstraint(
        ["period", "request"], ["approval_request.period", "approval_request.number"]
    ),
)

# -- the close and what only it allows ------------------------------------------------------------

period_close = _table(
    "period_close",
    sa.Column(
        "period",
        sa.String(40),
        sa.ForeignKey("bill_run.period"),
        sa.ForeignKey("once_closed.period", name="fk_period_close_once_closed"),
        primary_key=True,
    ),
    sa.Column("closed_at", Moment, nullable=False),
    sa.Column("closed_by", sa.String(100), nullable=False),
)
remember_closes(period_close)

balance_due = _table(
    "balance_due",  # a row an account, made once, changed in place: who moves money waits for it
    _key(),
    _number(),
    _closed_run(primary_key=False, nullable=True),  # NULL: no period of it is closed yet
    sa.Column("amount_due", Cents, nullable=False),  # of the newest bill
    sa.Column("added", Cents, nullable=False, default=ZERO),  # outstanding entries but money
    sa.Column("paid", Cents, nullable=False, default=ZERO),  # minus those of money
    sa.Column("due_on", sa.Date),
    sa.Column("equal_pay", sa.Boolean, nullable=False, default=False),  # the amount due is agreed
    sa.Index(None, "period"),
)

account_search = _table(
    "account_search",  # a row an account: its newest closed period, and all that it is found by
    _key(),
    sa.Column("period", sa.String(40), nullable=False),
    sa.Column("district", sa.String(64), nullable=False, server_default=""),
    sa.Column("text", SearchedText, nullable=False),  # rules.customer_search.findable_text
    sa.Column("meters", SearchedText, nullable=False, server_default=""),  # that it is billed by
    sa.Index(None, "district"),
    sa.Index(None, "period"),
    _trigram_index("account_search", "text", "meters"),
    sqlite_with_rowid=False,  # read from its beginning to its end, in the order of the numbers
)

gateway_payment = _table(
    "gateway_payment",  # whatever a gateway draws: scheduled by autopay, or paid by a customer
    sa.Column("key", sa.String(120), primary_key=True),
    sa.Column(
        "kind",
        one_of(PaymentKind, "kind"),
        nullable=False,
        server_default=PaymentKind.AUTOPAY.value,
    ),
    _once_closed(),
    _key(primary_key=False),
    _number(),
    sa.Column("number", sa.Integer, nullable=False, default=1),  # 2, 3: of a returned one
    sa.Column("pay_on", sa.Date, nullable=False),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("service_fee", Cents, nullable=False, server_default="0"),  # within the amount
    sa.Column("method_token", sa.String(200), nullable=False),
    sa.Column("method_kind", one_of(MethodKind, "method_kind"), nullable=False),
    sa.Column("last4", sa.String(4), nullable=False),
    sa.Column("immediate", sa.Boolean, nullable=False),
    sa.Column("state", one_of(PaymentState, "state"), nullable=False),
    sa.Column("confirmation", sa.String(100)),
    sa.Column("error", sa.Text),
    sa.Column("scheduled_at", Moment, nullable=False),
    sa.Column("taken_at", Moment),
    sa.CheckConstraint("amount > 0", name="amount_positive"),
    sa.CheckConstraint("service_fee >= 0 AND service_fee < amount", name="service_fee_within"),
    _one_where(
        "uq_gateway_payment_autopay", ("period", "account_key", "number"), "kind = 'autopay'"
    ),
    sa.Index(None, "pay_on"),
    sa.Index(None, "account_key"),
    sa.Index(None, "period"),
)

# The payments that autopay scheduled: a view (definitions/in_force.py), so that who reads the
# schedule never meets what customers pay by hand. Written is gateway_payment alone.
scheduled_payment = sa.Table(
    "scheduled_payment",
    sa.MetaData(),
    *(
        sa.Column(column.name, column.type, primary_key=column.primary_key)
        for column in gateway_payment.c
        if column.name not in ("kind", "service_fee")
    ),
)

autopay_unscheduled = _table(
    "autopay_unscheduled",
    _closed_run(),
    _key(),
    _number(),
    sa.Column("reason", one_of(Unscheduled, "reason"), nullable=False),
)

draw = _table(
    "draw",
    sa.Column("key", sa.String(140), primary_key=True),  # the payment's key and the number
    sa.Column("payment_key", sa.String(120), sa.ForeignKey("gateway_payment.key"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("method_token", sa.String(200), nullable=False),
    sa.Column("state", one_of(DrawState, "state"), nullable=False),
    sa.Column("reference", sa.String(100)),  # the gateway's
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("asked_at", Moment),
    sa.Column("lookups", sa.Integer, nullable=False),
    sa.Column("next_lookup_at", Moment),
    sa.Column("answered_at", Moment),
    sa.Column("code", sa.String(60)),
    sa.Column("advice", one_of(Advice, "advice")),
    sa.UniqueConstraint("payment_key", "number"),
    sa.UniqueConstraint("reference"),
    sa.CheckConstraint("amount > 0", name="amount_positive"),
    # of one payment, one draw at most may have happened or still happen
    _one_where("uq_draw_one_open", "payment_key", "state IN ('created', 'asked', 'approved')"),
    sa.Index(None, "state", "next_lookup_at"),
)

posting = _table(
    "posting",
    sa.Column("key", sa.String(220), primary_key=True),  # the kind and the entry's key
    sa.Column("entry_key", sa.String(200), sa.ForeignKey("balance_entry.key"), nullable=False),
    sa.Column("payment_key", sa.String(120), sa.ForeignKey("gateway_payment.key"), nullable=False),
    sa.Column("kind", one_of(PostingKind, "kind"), nullable=False),
    sa.Column("line", sa.Integer, nullable=False, server_default="1"),  # of the payment
    sa.Column("amount", Cents, nullable=False),
    sa.Column("state", one_of(PostingState, "state"), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("asked_at", Moment),
    sa.Column("first_asked_at", Moment),  # NULL: cash receipting surely never had it from us
    sa.Column("next_retry_at", Moment, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("receipt", sa.String(100)),
    sa.Column("posted_at", Moment),
    sa.UniqueConstraint("entry_key"),
    sa.CheckConstraint("amount > 0", name="amount_positive"),
    sa.Index(None, "state", "next_retry_at"),
    sa.Index(None, "payment_key"),
)

told_event = _table(
    "told_event",  # what a gateway told by itself, kept until the next collecting takes it in
    sa.Column("event_id", sa.String(120), primary_key=True),
    sa.Column("gateway", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("draw_key", sa.String(140), nullable=False),
    sa.Column("reference", sa.String(100), nullable=False),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("code", sa.String(60), nullable=False),
    sa.Column("refund_key", sa.String(160), nullable=False, default=""),
    sa.Column("fee", Cents, nullable=False, default=ZERO),
    sa.Column("answer_by", Moment),
    sa.Column("happened_at", Moment, nullable=False),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("taken_in_at", Moment),
)

settlement = _table(
    "settlement",
    sa.Column("settlement_id", sa.String(100), primary_key=True),
    sa.Column("gateway", sa.String(60), nullable=False, default=""),
    sa.Column("pays_out_on", sa.Date, nullable=False),
    sa.Column("gross", Cents, nullable=False),
    sa.Column("fees", Cents, nullable=False),
    sa.Column("net", Cents, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
)

settlement_item = _table(
    "settlement_item",
    sa.Column(
        "settlement_id",
        sa.String(100),
        sa.ForeignKey("settlement.settlement_id"),
        primary_key=True,
    ),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("reference", sa.String(100), nullable=False),
    sa.Column("draw_key", sa.String(140), nullable=False),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("fee", Cents, nullable=False),
    sa.Index(None, "reference"),
)

settled_item = _table(
    "settled_item",  # differences of deposits that a person has settled
    sa.Column("item", sa.String(220), primary_key=True),  # the settlement and line, or a reference
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("settled_at", Moment, nullable=False),
    sa.Column("settled_by", sa.String(100), nullable=False),
)

refund_request = _table(
    "refund_request",  # refunds that we ask for, written down before they are asked
    sa.Column("key", sa.String(160), primary_key=True),  # refund/PAYMENT/n
    sa.Column("draw_key", sa.String(140), sa.ForeignKey("draw.key"), nullable=False),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", one_of(RefundState, "state"), nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("asked_by", sa.String(100), nullable=False),
    sa.Column("reference", sa.String(100)),  # the gateway's number of it
    sa.Column("answered_at", Moment),
    sa.Column("error", sa.Text),
    sa.CheckConstraint("amount > 0", name="amount_positive"),
    _one_where("uq_refund_request_one_open", "draw_key", "state = 'asked'"),
)

enrollment = _table(
    "enrollment",  # mandates given to the office itself; the export's stand in mandate
    sa.Column("id", Number, primary_key=True, autoincrement=True),
    _key(primary_key=False),
    _number(),
    sa.Column("portal_user", sa.String(320), nullable=False),
    sa.Column("method_token", sa.String(200), nullable=False),
    sa.Column("method_kind", one_of(MethodKind, "method_kind"), nullable=False),
    sa.Column("last4", sa.String(4), nullable=False),
    sa.Column("days_prior", sa.Integer, nullable=False),
    sa.Column("maximum", Cents),
    sa.Column("pays_up_to_maximum", sa.Boolean),
    sa.Column("enrolled_on", sa.Date, nullable=False),
    sa.Column("enrolled_at", Moment, nullable=False),
    sa.Column("enrolled_by", sa.String(100), nullable=False),
    sa.Column("consent_version", sa.String(40), nullable=False),
    sa.Column("consent_text", sa.Text, nullable=False),
    sa.Column("cancelled_on", sa.Date),
    sa.Column("cancelled_at", Moment),
    sa.Column("cancelled_by", sa.String(100)),
    sa.Column("cancel_reason", sa.Text),
    sa.CheckConstraint("days_prior >= 0", name="days_prior"),
    _one_where("uq_enrollment_one_active", "account_key", "cancelled_at IS NULL"),
)

enrollment_end = _table(
    "enrollment_end",  # a mandate of the export that the office ended
    _key(),
    sa.Column("ended_on", sa.Date, nullable=False),
    sa.Column("ended_at", Moment, nullable=False),
    sa.Column("ended_by", sa.String(100), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

suspended_method = _table(
    "suspended_method",
    sa.Column("method_token", sa.String(200), primary_key=True),
    sa.Column("since", Moment, nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
)

reminder_hold = _table(
    "reminder_hold",  # no past-due mails for an account, or for a group of them, for a while
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("account_key", sa.String(64)),  # of one account; NULL: of a group
    sa.Column("account", sa.String(64)),
    sa.Column("column_name", sa.String(40)),  # of the group: all accounts with this value there
    sa.Column("value", sa.String(200)),
    sa.Column("until", sa.Date, nullable=False),  # the last day that it holds
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("placed_at", Moment, nullable=False),
    sa.Column("placed_by", sa.String(100), nullable=False),
    sa.Column("lifted_at", Moment),
    sa.Column("lifted_by", sa.String(100)),
    sa.Column("lift_reason", sa.Text),
    sa.CheckConstraint("(account_key IS NULL) <> (column_name IS NULL)", name="one_or_many"),
    sa.Index(None, "account_key"),
)

service_health = _table(
    "service_health",
    sa.Column("service", sa.String(60), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("down_since", Moment),
    sa.Column("next_probe_at", Moment),
    sa.Column("probes", sa.Integer, nullable=False),
    sa.Column("probing_until", Moment),
    sa.Column("told_down_at", Moment),
    sa.Column("error", sa.Text),
)

events_read = _table(
    "events_read",
    sa.Column("gateway", sa.String(60), primary_key=True),
    sa.Column("until", Moment, nullable=False),
)

# -- the health watch and the exports that expire -------------------------------------------------

incident = _table(
    "incident",
    sa.Column("key", sa.String(160), primary_key=True),  # the condition and when it was noticed
    sa.Column("condition", sa.String(120), nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("remedy", sa.Text, nullable=False),
    sa.Column("command", sa.Text, nullable=False, server_default=""),  # typed at a terminal for it
    sa.Column("noticed_at", Moment, nullable=False),
    sa.Column("told_at", Moment),
    sa.Column("ended_at", Moment),
    _one_where("uq_incident_one_open", "condition", "ended_at IS NULL"),
)

alert_post = _table(
    "alert_post",  # what a way of alerts.urls is told of a trouble: once each, a dead way apart
    sa.Column("about", sa.String(160), primary_key=True),
    sa.Column("form", sa.String(60), primary_key=True),
    sa.Column("way", sa.String(16), primary_key=True),  # a hash: the URL itself is a secret
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("queued_at", Moment, nullable=False),
    sa.Column("told_at", Moment),
)

work_done = _table(
    "work_done",  # when each nightly command last ended well
    sa.Column("command", sa.String(60), primary_key=True),
    sa.Column("ended_at", Moment, nullable=False),
)

look_round = _table(
    "look_round",  # the newest look at what may need work
    sa.Column("look", sa.String(60), primary_key=True),
    sa.Column("every_minutes", sa.Integer, nullable=False),
    sa.Column("looked_at", Moment, nullable=False),
    sa.Column("last_reason", sa.String(200), nullable=False),
    sa.Column("last_started_at", Moment),
)

look_day = _table(
    "look_day",  # what the looks of a day came to, by the utility's days
    sa.Column("look", sa.String(60), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("looks", sa.Integer, nullable=False),
    sa.Column("starts", sa.Integer, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("longest_gap_seconds", sa.Integer, nullable=False),
)

office_mark = _table(
    "office_mark",  # one row: by what a Prefect server's deployments of this office are known
    sa.Column("id", sa.Integer, primary_key=True),  # always 1
    sa.Column("mark", sa.String(32), nullable=False),
)

usage_export = _table(
    "usage_export",
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("token_sha256", sa.String(64), nullable=False),
    _key(primary_key=False),
    _number(),
    sa.Column("records", sa.Integer, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("removed_at", Moment),
    sa.UniqueConstraint("token_sha256"),
    sa.Index(None, "expires_at"),
)

delivery = _table(
    "delivery",
    sa.Column("key", sa.String(500), primary_key=True),
    _once_closed(nullable=True),
    _key(primary_key=False),
    _number(),
    sa.Column("kind", one_of(MessageKind, "kind"), nullable=False),
    sa.Column("form", sa.String(40), nullable=False),
    sa.Column("edition", sa.Integer, nullable=False, default=0, server_default="0"),  # of a bill
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("source", one_of(RecipientSource, "source")),
    sa.Column("status", one_of(DeliveryStatus, "status"), nullable=False),
    sa.Column("message_id", sa.String(200), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("queued_at", Moment, nullable=False),
    sa.Column("next_try_at", Moment, nullable=False),
    sa.Column("lease_owner", sa.String(100)),
    sa.Column("lease_until", Moment),
    sa.Column("sent_at", Moment),
    sa.Column("possible_duplicate", sa.Boolean, nullable=False),
    sa.Column("bounced_at", Moment),
    sa.Column("token", sa.String(16), nullable=False, default=_token),  # a bounce names it so
    sa.Column("error", sa.Text),
    sa.UniqueConstraint("message_id"),
    sa.UniqueConstraint("token"),
    sa.Index(None, "status", "next_try_at"),
    sa.Index(None, "period", "account_key"),
)

suppressed_address = _table(
    "suppressed_address",
    sa.Column("mailbox", sa.String(320), primary_key=True),
    sa.Column("since", Moment, nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
    sa.Column("delivery_key", sa.String(500), sa.ForeignKey("delivery.key")),
)

unsubscribed_address = _table(
    "unsubscribed_address",
    sa.Column("mailbox", sa.String(320), primary_key=True),
    sa.Column("since", Moment, nullable=False),
)

communication = _table(
    "communication",  # a PDF posted for the customers; its file is named by number and hash
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("link", sa.String(600), nullable=False),  # an address of its own; empty: the office's
    sa.Column("expires_on", sa.Date),  # the last local day on which it is shown
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("added_at", Moment, nullable=False),
    sa.Column("added_by", sa.String(100), nullable=False),
    sa.Column("written_at", Moment),  # NULL: its file may be missing
    sa.Column("removed_at", Moment),
    sa.Column("removed_by", sa.String(100)),
    sa.Column("removal_reason", sa.Text),
    _one_where("uq_communication_one_of_a_file", "sha256", "removed_at IS NULL"),
)

mass_mailing = _table(
    "mass_mailing",
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("content", sa.String(64), nullable=False),  # hash of all that was asked for
    sa.Column("day", sa.Date, nullable=False),  # the local day it was asked for
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("audience", sa.Text, nullable=False),  # as JSON
    sa.Column("communication", sa.BigInteger, sa.ForeignKey("communication.number")),
    sa.Column("attachment_name", sa.String(200)),
    sa.Column("attachment_sha256", sa.String(64)),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("recorded_by", sa.String(100), nullable=False),
    sa.Column("resolved_at", Moment),  # NULL: its mailboxes are not yet written down
    sa.Column("left_out", sa.Text),  # how many and why, as JSON
    sa.Column("queued_until", sa.String(320)),  # the last mailbox that is in the outbox
    sa.Column("queued_at", Moment),  # NULL: some mailboxes are not yet in the outbox
    sa.UniqueConstraint("content", "day"),
)

mass_recipient = _table(
    "mass_recipient",
    sa.Column(
        "mailing",
        sa.BigInteger,
        sa.ForeignKey("mass_mailing.number"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("mailbox", sa.String(320), primary_key=True),
    sa.Column("address", sa.String(320), nullable=False),
    _key(primary_key=False),
    _number(),
    sa.Column("source", one_of(RecipientSource, "source")),
    sa.Column("token", sa.String(24)),  # its way out; NULL: none was set up
    sa.Index(None, "token"),
)

bounce = _table(
    "bounce",
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("processed_at", Moment, nullable=False),
    sa.Column("delivery_key", sa.String(500), sa.ForeignKey("delivery.key")),
    sa.Column("action", sa.String(20), nullable=False),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("kind", one_of(BounceKind, "kind"), nullable=False),
    sa.Column("diagnostic", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text),  # as the mail names it; NULL: it is the delivery's
    sa.Column("sender", sa.Text),
    sa.Column("subject", sa.Text),
    sa.Column("first_lines", sa.Text),
    sa.Column("file_name", sa.Text),  # in the mailbox that bounces come to
    sa.Column("settled_at", Moment),  # a person has seen it, or what it said was taken back
    sa.Index(None, "delivery_key"),
)

paper = _table(
    "paper",
    _closed_run(),
    sa.Column("form", sa.String(40), primary_key=True),
    _key(),
    sa.Column(
        "edition",
        sa.Integer,
        primary_key=True,
        autoincrement=False,
        default=0,
        server_default="0",
    ),  # of the bill
    _number(),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("reason", one_of(PaperReason, "reason"), nullable=False),
    sa.Column("part", sa.Integer),  # which print batch it is in; NULL: it waits for the next
    sa.Column("sequence", sa.Integer, nullable=False),  # within part and form; 0 while it waits
)

print_batch = _table(
    "print_batch",
    _closed_run(),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),  # 1: the close's own
    sa.Column("bulk", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("form", sa.String(40), nullable=False),
    sa.Column("file", sa.String(500), nullable=False),
    sa.Column("bills", sa.Integer, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("sheets", sa.Integer, nullable=False, server_default="0"),
    sa.Column("envelopes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("written_at", Moment, nullable=False),
    sa.Column("fetched_at", Moment),  # somebody has it, for the printer; NULL: nobody said so
    sa.Column("fetched_by", sa.String(100)),
    sa.Column("key", sa.String(200), unique=True),  # as its plan had it
    sa.Column("manifest_sha256", sa.String(64), nullable=False, server_default=""),
    sa.Column("unmarked", sa.Integer, nullable=False, server_default="0"),  # sheets
)

# A print file that was begun: recorded before anything is written, gone when it is in print_batch.
print_plan = _table(
    "print_plan",
    _closed_run(),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("bulk", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String(200), nullable=False, unique=True),  # period, part, content
    sa.Column("form", sa.String(40), nullable=False),
    sa.Column("file", sa.String(500), nullable=False),
    sa.Column("planned_at", Moment, nullable=False),
    # What the finished file is, known before it gets its name; NULL: it is not made yet.
    sa.Column("sha256", sa.String(64)),
    sa.Column("manifest_sha256", sa.String(64)),
    *(
        sa.Column(name, sa.Integer, nullable=False, server_default="0")
        for name in ("bills", "pages", "sheets", "envelopes", "unmarked")
    ),
)

print_plan_bill = _table(
    "print_plan_bill",
    sa.Column("period", sa.String(40), primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("bulk", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("form", sa.String(40), nullable=False),
    _key(primary_key=False),
    sa.Column("edition", sa.Integer, nullable=False),
    _number(),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("reason", one_of(PaperReason, "reason"), nullable=False),
    sa.ForeignKeyConstraint(
        ["period", "part", "bulk"],
        ["print_plan.period", "print_plan.part", "print_plan.bulk"],
        ondelete="CASCADE",
    ),
)

# -- how the work went ----------------------------------------------------------------------------

run_step = _table(
    "run_step",
    _run(),
    sa.Column("step", sa.String(40), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("finished_at", Moment, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
)

run_lock = _table(
    "run_lock",
    sa.Column("period", sa.String(40), primary_key=True),
    sa.Column("holder", sa.String(100), nullable=False),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("taken_at", Moment, nullable=False),
    sa.Column("renewed_at", Moment, nullable=False),
)

audit = _table(
    "audit",
    sa.Column(
        "id",
        Number,
        primary_key=True,
        autoincrement=False,  # given out under a lock: numbers and hashes go together
    ),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", sa.String(100), nullable=False),
    sa.Column("action", sa.String(60), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("machine_at", Moment, nullable=False),  # by the machine's clock
    sa.Column("rehearsed", sa.Boolean, nullable=False),  # `at` is a rehearsed time
    sa.Column("previous", sa.String(64), nullable=False),  # the hash of the row before
    sa.Column("hash", sa.String(64), nullable=False),
    sa.UniqueConstraint("previous"),  # a chain without forks
)


@sa.event.listens_for(audit, "after_create")
def _guard_audit(_table: sa.Table, connection: sa.Connection, **_options: Any) -> None:
    for statement in guard_statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
