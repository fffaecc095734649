"""Mails that come back, print batches in parts, and two new kinds of mail."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op

import database.types


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BOUNCES = ("hard", "soft", "unknown")
KINDS_BEFORE = (
    "bill",
    "payment-due",
    "past-due",
    "autopay-failed",
    "receipt",
    "communication",
    "alert",
)
NEW_KINDS = ("autopay-scheduled", "method-expiring")
KINDS = (*KINDS_BEFORE[:3], "autopay-scheduled", "autopay-failed", "method-expiring", *KINDS_BEFORE[4:])
CHUNK = 1_000


def upgrade() -> None:
    with op.batch_alter_table("delivery") as batch:
        batch.add_column(sa.Column("bounced_at", database.types.Moment(timezone=True)))
        batch.add_column(sa.Column("token", sa.String(length=16)))
    _name_deliveries()
    with op.batch_alter_table("delivery") as batch:
        batch.alter_column("token", existing_type=sa.String(length=16), nullable=False)
        batch.create_unique_constraint(op.f("uq_delivery_token"), ["token"])
        _change_kinds(batch, KINDS_BEFORE, KINDS)
    with op.batch_alter_table("paper") as batch:
        batch.add_column(sa.Column("part", sa.Integer()))
    op.execute("UPDATE paper SET part = 1")  # what was printed before there were others
    _rebuild_print_batch(["run", "part", "bulk"])
    _create_tables()


def downgrade() -> None:
    """Keep what an earlier release has a place for: the close's own print batches."""
    op.drop_table("bounce")
    op.drop_table("unsubscribed_address")
    op.drop_table("suppressed_address")
    op.execute("DELETE FROM print_batch WHERE part > 1")
    _rebuild_print_batch(["run", "bulk"])
    with op.batch_alter_table("paper") as batch:
        batch.drop_column("part")
    for kind in NEW_KINDS:
        op.execute(f"UPDATE delivery SET kind = 'alert' WHERE kind = '{kind}'")
    with op.batch_alter_table("delivery") as batch:
        _change_kinds(batch, KINDS, KINDS_BEFORE)
        batch.drop_constraint(op.f("uq_delivery_token"), type_="unique")
        batch.drop_column("token")
        batch.drop_column("bounced_at")


def _change_kinds(batch: Any, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    batch.alter_column(
        "kind",
        existing_type=_one_of(before, "kind"),
        type_=_one_of(after, "kind"),
        existing_nullable=False,
    )


def _one_of(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _name_deliveries() -> None:
    """Give the deliveries of earlier releases the token that a bounce would name them by."""
    delivery = sa.table("delivery", sa.column("key"), sa.column("token"))
    books = op.get_bind()
    name = (
        delivery.update()
        .where(delivery.c.key == sa.bindparam("row_key"))
        .values(token=sa.bindparam("row_token"))
    )
    keys = books.execute(sa.select(delivery.c.key)).scalars().all()
    for first in range(0, len(keys), CHUNK):
        some = keys[first : first + CHUNK]
        books.execute(name, [{"row_key": key, "row_token": _token(key)} for key in some])


def _token(key: str) -> str:
    digest = hashlib.sha256(f"bounce/{key}".encode()).digest()
    return base64.b32encode(digest[:10]).decode("ascii").lower()


def _rebuild_print_batch(key: list[str]) -> None:
    """Write the table anew: a primary key cannot be changed in place on SQLite."""
    has_part = "part" in key
    op.rename_table("print_batch", "print_batch_before")
    books = op.get_bind()
    if books.dialect.name == "postgresql":  # names of keys are unique in a schema there
        op.execute("ALTER TABLE print_batch_before DROP CONSTRAINT pk_print_batch")
        op.execute("ALTER TABLE print_batch_before DROP CONSTRAINT fk_print_batch_run")
    op.create_table(
        "print_batch",
        sa.Column("run", sa.String(length=40), nullable=False),
        *([sa.Column("part", sa.Integer(), autoincrement=False, nullable=False)] * has_part),
        sa.Column("bulk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("file", sa.String(length=500), nullable=False),
        sa.Column("bills", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("written_at", database.types.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["period_close.run"], name=op.f("fk_print_batch_run")),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_print_batch")),
    )
    kept = "run, bulk, form, file, bills, pages, sha256, written_at"
    into, chosen = ("part, ", "1, ") if has_part else ("", "")
    op.execute(
        f"INSERT INTO print_batch ({into}{kept}) SELECT {chosen}{kept} FROM print_batch_before"
    )
    op.drop_table("print_batch_before")


def _create_tables() -> None:
    op.create_table(
        "suppressed_address",
        sa.Column("mailbox", sa.String(length=320), nullable=False),
        sa.Column("since", database.types.Moment(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("delivery_key", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_key"], ["delivery.key"], name=op.f("fk_suppressed_address_delivery_key")
        ),
        sa.PrimaryKeyConstraint("mailbox", name=op.f("pk_suppressed_address")),
    )
    op.create_table(
        "unsubscribed_address",
        sa.Column("mailbox", sa.String(length=320), nullable=False),
        sa.Column("since", database.types.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", name=op.f("pk_unsubscribed_address")),
    )
    op.create_table(
        "bounce",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("received_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("processed_at", database.types.Moment(timezone=True), nullable=False),
        sa.Column("delivery_key", sa.String(length=500), nullable=True),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column(
            "kind",
            _one_of(BOUNCES, "kind"),
            nullable=False,
        ),
        sa.Column("diagnostic", sa.Text(), nullable=False),
        sa.Column("settled_at", database.types.Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_key"], ["delivery.key"], name=op.f("fk_bounce_delivery_key")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounce")),
    )
    op.create_index(op.f("ix_bounce_delivery_key"), "bounce", ["delivery_key"])
