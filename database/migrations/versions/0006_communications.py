"""Communications that are posted, mass mails, and who gets them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import database.types


revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "communication",
        _number(),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("link", sa.String(length=600), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("added_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(length=100), nullable=False),
        sa.Column("written_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("removed_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("removed_by", sa.String(length=100), nullable=True),
        sa.Column("removal_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_communication")),
    )
    op.create_index(
        "uq_communication_one_of_a_file",
        "communication",
        ["sha256"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "mass_mailing",
        _number(),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("communication", sa.BigInteger(), nullable=True),
        sa.Column("attachment_name", sa.String(length=200), nullable=True),
        sa.Column("attachment_sha256", sa.String(length=64), nullable=True),
        sa.Column("recorded_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=100), nullable=False),
        sa.Column("resolved_at", database.types.Moment(timezone=True), nullable=True),
        sa.Column("left_out", sa.Text(), nullable=True),
        sa.Column("queued_until", sa.String(length=320), nullable=True),
        sa.Column("queued_at", database.types.Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["communication"],
            ["communication.number"],
            name=op.f("fk_mass_mailing_communication"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_mass_mailing")),
        sa.UniqueConstraint("content", "day", name=op.f("uq_mass_mailing_content_day")),
    )
    op.create_table(
        "mass_recipient",
        sa.Column("mailing", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mailbox", sa.String(length=320), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
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
        sa.Column("token", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["mailing"], ["mass_mailing.number"], name=op.f("fk_mass_recipient_mailing")
        ),
        sa.PrimaryKeyConstraint("mailing", "mailbox", name=op.f("pk_mass_recipient")),
    )
    op.create_index(op.f("ix_mass_recipient_token"), "mass_recipient", ["token"])


def downgrade() -> None:
    """Keep who wants no communications; what was posted stays in the bill store alone."""
    op.drop_index(op.f("ix_mass_recipient_token"), table_name="mass_recipient")
    op.drop_table("mass_recipient")
    op.drop_table("mass_mailing")
    op.drop_index("uq_communication_one_of_a_file", table_name="communication")
    op.drop_table("communication")


def _number() -> sa.Column[int]:
    return sa.Column(
        "number",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        autoincrement=True,
        nullable=False,
    )
