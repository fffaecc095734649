"""Draws, postings, settlements and mandates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database.types


revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _whole(column: str, name: str) -> sa.CheckConstraint:
    """SQLite would take '12.34' as an amount of cents; PostgreSQL has a type for it."""
    rule = f"{column} IS NULL OR typeof({column}) = 'integer'"
    return sa.CheckConstraint(rule, name=op.f(name)).ddl_if(dialect="sqlite")


def upgrade() -> None:
    op.drop_table("posting")  # no earlier release drew a payment: there is nothing in it
    op.create_table(
        "enrollment",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("portal_user", sa.String(length=320), nullable=False),
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
        sa.Column("days_prior", sa.Integer(), nullable=False),
        sa.Column("maximum", database.types.Cents(), nullable=True),
        sa.Column("pays_up_to_maximum", sa.Boolean(), nullable=True),
        sa.Column("enrolled_on", sa.Date(), nullable=False),
        sa.Column("enrolled_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("enrolled_by", sa.String(length=100), nullable=False),
        sa.Column("consent_version", sa.String(length=40), nullable=False),
        sa.Column("consent_text", sa.Text(), nullable=False),
        sa.Column("cancelled_on", sa.Date(), nullable=True),
        sa.Column("cancelled_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.String(length=100), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        _whole("maximum", "ck_enrollment_maximum_whole"),
        sa.CheckConstraint("days_prior >= 0", name=op.f("ck_enrollment_days_prior")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrollment")),
    )
    with op.batch_alter_table("enrollment", schema=None) as batch_op:
        batch_op.create_index(
            "uq_enrollment_one_active",
            ["account_key"],
            unique=True,
            sqlite_where=sa.text("cancelled_at IS NULL"),
            postgresql_where=sa.text("cancelled_at IS NULL"),
        )

    op.create_table(
        "enrollment_end",
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=False),
        sa.Column("ended_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("ended_by", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_key", name=op.f("pk_enrollment_end")),
    )
    op.create_table(
        "events_read",
        sa.Column("gateway", sa.String(length=60), nullable=False),
        sa.Column("until", database.types.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_events_read")),
    )
    op.create_table(
        "service_health",
        sa.Column("service", sa.String(length=60), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("down_since", database.types.Moment(timezone=True), nullable=True),
        sa.Column("next_probe_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.Column("probing_until", database.types.Moment(timezone=True), nullable=True),
        sa.Column("told_down_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("service", name=op.f("pk_service_health")),
    )
    op.create_table(
        "settlement",
        sa.Column("settlement_id", sa.String(length=100), nullable=False),
        sa.Column("pays_out_on", sa.Date(), nullable=False),
        sa.Column("gross", database.types.Cents(), nullable=False),
        sa.Column("fees", database.types.Cents(), nullable=False),
        sa.Column("net", database.types.Cents(), nullable=False),
        sa.Column("recorded_at", database.types.Moment(timezone=True), nullable=False),
        _whole("fees", "ck_settlement_fees_whole"),
        _whole("gross", "ck_settlement_gross_whole"),
        _whole("net", "ck_settlement_net_whole"),
        sa.PrimaryKeyConstraint("settlement_id", name=op.f("pk_settlement")),
    )
    op.create_table(
        "suspended_method",
        sa.Column("method_token", sa.String(length=200), nullable=False),
        sa.Column("since", database.types.Moment(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("method_token", name=op.f("pk_suspended_method")),
    )
    op.create_table(
        "settlement_item",
        sa.Column("settlement_id", sa.String(length=100), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("draw_key", sa.String(length=140), nullable=False),
        sa.Column("amount", database.types.Cents(), nullable=False),
        sa.Column("fee", database.types.Cents(), nullable=False),
        _whole("amount", "ck_settlement_item_amount_whole"),
        _whole("fee", "ck_settlement_item_fee_whole"),
        sa.ForeignKeyConstraint(
            ["settlement_id"],
            ["settlement.settlement_id"],
            name=op.f("fk_settlement_item_settlement_id"),
        ),
        sa.PrimaryKeyConstraint("settlement_id", "line", name=op.f("pk_settlement_item")),
    )
    with op.batch_alter_table("settlement_item", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_settlement_item_reference"), ["reference"], unique=False
        )

    op.create_table(
        "draw",
        sa.Column("key", sa.String(length=140), nullable=False),
        sa.Column("payment_key", sa.String(length=120), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("amount", database.types.Cents(), nullable=False),
        sa.Column("method_token", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "asked",
                "approved",
                "declined",
                "abandoned",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reference", sa.String(length=100), nullable=True),
        sa.Column("created_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("asked_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("lookups", sa.Integer(), nullable=False),
        sa.Column("next_lookup_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("answered_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("code", sa.String(length=60), nullable=True),
        sa.Column(
            "advice",
            sa.Enum(
                "later",
                "once-more",
                "customer-action",
                "new-method",
                "never",
                "clerk",
                name="advice",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        _whole("amount", "ck_draw_amount_whole"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_draw_amount_positive")),
        sa.ForeignKeyConstraint(
            ["payment_key"], ["scheduled_payment.key"], name=op.f("fk_draw_payment_key")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_draw")),
        sa.UniqueConstraint("payment_key", "number", name=op.f("uq_draw_payment_key_number")),
        sa.UniqueConstraint("reference", name=op.f("uq_draw_reference")),
    )
    with op.batch_alter_table("draw", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_draw_state_next_lookup_at"), ["state", "next_lookup_at"], unique=False
        )
        batch_op.create_index(
            "uq_draw_one_open",
            ["payment_key"],
            unique=True,
            sqlite_where=sa.text("state IN ('created', 'asked', 'approved')"),
            postgresql_where=sa.text("state IN ('created', 'asked', 'approved')"),
        )

    op.create_table(
        "payment_return",
        sa.Column("event_id", sa.String(length=120), nullable=False),
        sa.Column("payment_key", sa.String(length=120), nullable=False),
        sa.Column("charged_back", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("amount", database.types.Cents(), nullable=False),
        sa.Column("happened_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("recorded_at", database.types.Moment(timezone=True), nullable=False),
        _whole("amount", "ck_payment_return_amount_whole"),
        sa.ForeignKeyConstraint(
            ["payment_key"], ["scheduled_payment.key"], name=op.f("fk_payment_return_payment_key")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_payment_return")),
        sa.UniqueConstraint("payment_key", name=op.f("uq_payment_return_payment_key")),
    )
    op.create_table(
        "posting",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("payment_key", sa.String(length=120), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "receipt",
                "reversal",
                "fee",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("amount", database.types.Cents(), nullable=False),
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
        sa.Column("created_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("asked_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("next_retry_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("receipt", sa.String(length=100), nullable=True),
        sa.Column("posted_at", database.types.Moment(timezone=True), nullable=True),
        _whole("amount", "ck_posting_amount_whole"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_posting_amount_positive")),
        sa.ForeignKeyConstraint(
            ["payment_key"], ["scheduled_payment.key"], name=op.f("fk_posting_payment_key")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_posting")),
        sa.UniqueConstraint("payment_key", "kind", name=op.f("uq_posting_payment_key_kind")),
    )
    with op.batch_alter_table("posting", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_posting_state_next_retry_at"), ["state", "next_retry_at"], unique=False
        )


def downgrade() -> None:
    """Refuse where money has moved: an earlier release has no place for what happened to it."""
    drawn = op.get_bind().execute(sa.text("SELECT count(*) FROM draw")).scalar_one()
    if drawn:
        raise RuntimeError("payments have been drawn; an earlier release could draw them again")
    for table in (
        "posting",
        "payment_return",
        "draw",
        "settlement_item",
        "suspended_method",
        "settlement",
        "service_health",
        "events_read",
        "enrollment_end",
        "enrollment",
    ):
        op.drop_table(table)
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
