"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database.types


revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _whole(column: str, name: str) -> sa.CheckConstraint:
    """SQLite would take '12.34' as an amount of cents; PostgreSQL has a type for it."""
    rule = f"{column} IS NULL OR typeof({column}) = 'integer'"
    return sa.CheckConstraint(rule, name=op.f(name)).ddl_if(dialect="sqlite")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "bill_run",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "staged",
                "refused",
                "waiting",
                "approved",
                "closed",
                "finished",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("utility", sa.String(length=200), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("export_name", sa.String(length=255), nullable=False),
        sa.Column("export_sha256", sa.String(length=64), nullable=False),
        sa.Column("imported_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("imported_by", sa.String(length=100), nullable=False),
        sa.Column("approved_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("approved_by", sa.String(length=100), nullable=True),
        sa.Column("control_accounts", sa.Integer(), nullable=False),
        sa.Column("control_bills", sa.Integer(), nullable=False),
        sa.Column("control_opening_balance", database.types.Cents(), nullable=False),
        sa.Column("control_billed", database.types.Cents(), nullable=False),
        sa.Column("control_payments", database.types.Cents(), nullable=False),
        sa.Column("control_adjustments", database.types.Cents(), nullable=False),
        sa.Column("control_penalties", database.types.Cents(), nullable=False),
        sa.Column("control_closing_balance", database.types.Cents(), nullable=False),
        _whole("control_adjustments", "ck_bill_run_control_adjustments_whole"),
        _whole("control_billed", "ck_bill_run_control_billed_whole"),
        _whole("control_closing_balance", "ck_bill_run_control_closing_balance_whole"),
        _whole("control_opening_balance", "ck_bill_run_control_opening_balance_whole"),
        _whole("control_payments", "ck_bill_run_control_payments_whole"),
        _whole("control_penalties", "ck_bill_run_control_penalties_whole"),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_bill_run_dates_in_order")),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_bill_run")),
    )
    op.create_table(
        "run_lock",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("taken_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("renewed_at", database.types.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_run_lock")),
    )
    op.create_table(
        "account",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("service_address", sa.Text(), nullable=False),
        sa.Column("mailing_address", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("zip", sa.String(length=20), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("ebill", sa.Boolean(), nullable=False),
        sa.Column("send_paper", sa.Boolean(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "final",
                "closed",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("opening_balance", database.types.Cents(), nullable=False),
        sa.Column("closing_balance", database.types.Cents(), nullable=False),
        sa.Column("equal_pay_amount", database.types.Cents(), nullable=True),
        sa.Column("amount_due", database.types.Cents(), nullable=False),
        sa.Column("direct_pay", sa.Boolean(), nullable=False),
        sa.Column("block_ach", sa.Boolean(), nullable=False),
        sa.Column("block_card", sa.Boolean(), nullable=False),
        sa.Column("cosigner_id", sa.String(length=64), nullable=False),
        _whole("amount_due", "ck_account_amount_due_whole"),
        _whole("closing_balance", "ck_account_closing_balance_whole"),
        _whole("equal_pay_amount", "ck_account_equal_pay_amount_whole"),
        _whole("opening_balance", "ck_account_opening_balance_whole"),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_account_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "account_key", name=op.f("pk_account")),
    )
    op.create_table(
        "account_email",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("fault", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_account_email_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "account_key", "position", name=op.f("pk_account_email")),
    )
    op.create_table(
        "bill",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("bulk", sa.Integer(), nullable=False),
        sa.Column("first_page", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("printed_amount_due", database.types.Cents(), nullable=True),
        sa.Column("printed_due_on", sa.Date(), nullable=True),
        sa.Column("pdf", sa.String(length=500), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        _whole("printed_amount_due", "ck_bill_printed_amount_due_whole"),
        sa.CheckConstraint("pages > 0", name=op.f("ck_bill_pages")),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_bill_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "form", "account_key", "ordinal", name=op.f("pk_bill")),
        sa.UniqueConstraint("run", "pdf", name=op.f("uq_bill_run_pdf")),
    )
    op.create_table(
        "bulk_file",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("bulk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("file", sa.String(length=255), nullable=False),
        sa.Column("path", sa.String(length=1000), nullable=False),
        sa.Column("account_pattern", sa.Text(), nullable=False),
        sa.Column("amount_due_pattern", sa.Text(), nullable=True),
        sa.Column("due_on_pattern", sa.Text(), nullable=True),
        sa.Column("separator", sa.Text(), nullable=True),
        sa.Column("region", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_bulk_file_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "bulk", name=op.f("pk_bulk_file")),
    )
    op.create_table(
        "check_finding",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("check_name", sa.String(length=40), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_check_finding_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "check_name", "line", name=op.f("pk_check_finding")),
    )
    op.create_table(
        "check_result",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("check_name", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "severity",
            sa.Enum(
                "blocking",
                "warning",
                name="severity",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "passed",
                "warned",
                "failed",
                "waived",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("fix", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_check_result_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "check_name", name=op.f("pk_check_result")),
    )
    op.create_table(
        "cosigner",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("cosigner_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("portal_user", sa.String(length=320), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_cosigner_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "cosigner_id", name=op.f("pk_cosigner")),
    )
    op.create_table(
        "delivery_plan",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("paperless", sa.Boolean(), nullable=False),
        sa.Column(
            "paper",
            sa.Enum(
                "send-paper",
                "no-valid-email",
                "no-ebill",
                "ebill-bounced",
                name="paper",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_delivery_plan_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "account_key", name=op.f("pk_delivery_plan")),
    )
    op.create_table(
        "held_account",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("check_name", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_held_account_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "account_key", "check_name", name=op.f("pk_held_account")),
    )
    op.create_table(
        "mandate",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("portal_user", sa.String(length=320), nullable=False),
        sa.Column("method_token", sa.String(length=200), nullable=False),
        sa.Column("days_prior", sa.Integer(), nullable=False),
        sa.Column("maximum", database.types.Cents(), nullable=True),
        sa.Column("enrolled_on", sa.Date(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        _whole("maximum", "ck_mandate_maximum_whole"),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_mandate_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "line", name=op.f("pk_mandate")),
    )
    with op.batch_alter_table("mandate", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_mandate_run_account_key"), ["run", "account_key"], unique=False
        )

    op.create_table(
        "movement",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("service", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "billing",
                "payment",
                "adjustment",
                "penalty",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("amount", database.types.Cents(), nullable=False),
        sa.Column("usage", sa.Float(), nullable=True),
        _whole("amount", "ck_movement_amount_whole"),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_movement_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "line", name=op.f("pk_movement")),
    )
    with op.batch_alter_table("movement", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_movement_run_account_key"), ["run", "account_key"], unique=False
        )

    op.create_table(
        "page",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("bulk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("page", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("disposition", sa.String(length=12), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "disposition IN ('bill','separator','unassigned')", name=op.f("ck_page_disposition")
        ),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_page_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "bulk", "page", name=op.f("pk_page")),
    )
    op.create_table(
        "payment_method",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("token", sa.String(length=200), nullable=False),
        sa.Column("portal_user", sa.String(length=320), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "card", "ach", name="kind", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_payment_method_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "token", name=op.f("pk_payment_method")),
    )
    op.create_table(
        "period_close",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("closed_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("closed_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["bill_run.run"], name=op.f("fk_period_close_run")),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_period_close")),
    )
    op.create_table(
        "planned_payment",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("amount", database.types.Cents(), nullable=False),
        sa.Column("pay_on", sa.Date(), nullable=True),
        sa.Column("immediate", sa.Boolean(), nullable=False),
        sa.Column(
            "unscheduled",
            sa.Enum(
                "held",
                "account-closed",
                "direct-pay",
                "method-blocked",
                "method-missing",
                "zero-balance",
                "over-maximum",
                "after-due-date",
                "already-processed",
                name="unscheduled",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("method_token", sa.String(length=200), nullable=False),
        sa.Column(
            "method_kind",
            sa.Enum(
                "card",
                "ach",
                name="method_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("last4", sa.String(length=4), nullable=False),
        _whole("amount", "ck_planned_payment_amount_whole"),
        sa.CheckConstraint(
            "(pay_on IS NULL) <> (unscheduled IS NULL)",
            name=op.f("ck_planned_payment_one_or_the_other"),
        ),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_planned_payment_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "account_key", name=op.f("pk_planned_payment")),
    )
    op.create_table(
        "portal_link",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("mailbox", sa.String(length=320), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("paperless", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_portal_link_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "account_key", "mailbox", name=op.f("pk_portal_link")),
    )
    op.create_table(
        "portal_user",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("mailbox", sa.String(length=320), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_portal_user_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "mailbox", name=op.f("pk_portal_user")),
    )
    op.create_table(
        "problem",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(length=255), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("column_name", sa.String(length=100), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_problem_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "line", name=op.f("pk_problem")),
    )
    op.create_table(
        "recipient",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("mailbox", sa.String(length=320), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "customer-record",
                "portal-user",
                "landlord",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_recipient_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "account_key", "mailbox", name=op.f("pk_recipient")),
    )
    op.create_table(
        "run_step",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("started_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("finished_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_run_step_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "step", name=op.f("pk_run_step")),
    )
    op.create_table(
        "waiver",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("check_name", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("waived_by", sa.String(length=100), nullable=False),
        sa.Column("waived_at", database.types.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["bill_run.run"], name=op.f("fk_waiver_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run", "check_name", name=op.f("pk_waiver")),
    )
    op.create_table(
        "autopay_unscheduled",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "held",
                "account-closed",
                "direct-pay",
                "method-blocked",
                "method-missing",
                "zero-balance",
                "over-maximum",
                "after-due-date",
                "already-processed",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["run"], ["period_close.run"], name=op.f("fk_autopay_unscheduled_run")
        ),
        sa.PrimaryKeyConstraint("run", "account_key", name=op.f("pk_autopay_unscheduled")),
    )
    op.create_table(
        "balance_due",
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("amount_due", database.types.Cents(), nullable=False),
        sa.Column("paid", database.types.Cents(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        _whole("amount_due", "ck_balance_due_amount_due_whole"),
        _whole("paid", "ck_balance_due_paid_whole"),
        sa.ForeignKeyConstraint(["run"], ["period_close.run"], name=op.f("fk_balance_due_run")),
        sa.PrimaryKeyConstraint("account_key", name=op.f("pk_balance_due")),
    )
    with op.batch_alter_table("balance_due", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_balance_due_run"), ["run"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("run", sa.String(length=40), nullable=True),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "bill",
                "payment-due",
                "past-due",
                "autopay-failed",
                "receipt",
                "communication",
                "alert",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "customer-record",
                "portal-user",
                "landlord",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "sending",
                "sent",
                "deferred",
                "failed",
                "in-doubt",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("queued_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("next_try_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", database.types.Moment(timezone=True), nullable=True),
        sa.Column("sent_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("possible_duplicate", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["period_close.run"], name=op.f("fk_delivery_run")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_delivery")),
        sa.UniqueConstraint("message_id", name=op.f("uq_delivery_message_id")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_delivery_run_account_key"), ["run", "account_key"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_delivery_status_next_try_at"), ["status", "next_try_at"], unique=False
        )

    op.create_table(
        "paper",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "send-paper",
                "no-valid-email",
                "no-ebill",
                "ebill-bounced",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["period_close.run"], name=op.f("fk_paper_run")),
        sa.PrimaryKeyConstraint("run", "form", "account_key", name=op.f("pk_paper")),
    )
    op.create_table(
        "print_batch",
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("bulk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("file", sa.String(length=500), nullable=False),
        sa.Column("bills", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("written_at", database.types.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["period_close.run"], name=op.f("fk_print_batch_run")),
        sa.PrimaryKeyConstraint("run", "bulk", name=op.f("pk_print_batch")),
    )
    op.create_table(
        "scheduled_payment",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("pay_on", sa.Date(), nullable=False),
        sa.Column("amount", database.types.Cents(), nullable=False),
        sa.Column("method_token", sa.String(length=200), nullable=False),
        sa.Column(
            "method_kind",
            sa.Enum(
                "card",
                "ach",
                name="method_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("immediate", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "scheduled",
                "submitted",
                "unknown",
                "succeeded",
                "declined",
                "returned",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("confirmation", sa.String(length=100), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("scheduled_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("taken_at", database.types.Moment(timezone=True), nullable=True),
        _whole("amount", "ck_scheduled_payment_amount_whole"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_scheduled_payment_amount_positive")),
        sa.ForeignKeyConstraint(
            ["run"], ["period_close.run"], name=op.f("fk_scheduled_payment_run")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_scheduled_payment")),
        sa.UniqueConstraint(
            "run", "account_key", name=op.f("uq_scheduled_payment_run_account_key")
        ),
    )
    with op.batch_alter_table("scheduled_payment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_scheduled_payment_pay_on"), ["pay_on"], unique=False)

    op.create_table(
        "posting",
        sa.Column("payment_key", sa.String(length=120), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "submitted",
                "posted",
                "rejected",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_retry_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("receipt", sa.String(length=100), nullable=True),
        sa.Column("posted_at", database.types.Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["payment_key"], ["scheduled_payment.key"], name=op.f("fk_posting_payment_key")
        ),
        sa.PrimaryKeyConstraint("payment_key", name=op.f("pk_posting")),
    )


def downgrade() -> None:
    op.drop_table("posting")
    with op.batch_alter_table("scheduled_payment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_scheduled_payment_pay_on"))

    op.drop_table("scheduled_payment")
    op.drop_table("print_batch")
    op.drop_table("paper")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_status_next_try_at"))
        batch_op.drop_index(batch_op.f("ix_delivery_run_account_key"))

    op.drop_table("delivery")
    with op.batch_alter_table("balance_due", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_balance_due_run"))

    op.drop_table("balance_due")
    op.drop_table("autopay_unscheduled")
    op.drop_table("waiver")
    op.drop_table("run_step")
    op.drop_table("recipient")
    op.drop_table("problem")
    op.drop_table("portal_user")
    op.drop_table("portal_link")
    op.drop_table("planned_payment")
    op.drop_table("period_close")
    op.drop_table("payment_method")
    op.drop_table("page")
    with op.batch_alter_table("movement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_movement_run_account_key"))

    op.drop_table("movement")
    with op.batch_alter_table("mandate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mandate_run_account_key"))

    op.drop_table("mandate")
    op.drop_table("held_account")
    op.drop_table("delivery_plan")
    op.drop_table("cosigner")
    op.drop_table("check_result")
    op.drop_table("check_finding")
    op.drop_table("bulk_file")
    op.drop_table("bill")
    op.drop_table("account_email")
    op.drop_table("account")
    op.drop_table("run_lock")
    op.drop_table("bill_run")
    op.drop_table("audit")
