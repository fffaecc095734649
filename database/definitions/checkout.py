"""The table of payments that customers begin by hand, from the check page on."""

from __future__ import annotations

import sqlalchemy as sa

from database.definitions.identity import web_user
from database.definitions.making import make_table
from database.types import Cents, Moment, one_of
from domain.checkout import CheckoutState, NotTaken
from domain.payments import MethodKind, PaymentState

checkout = make_table(
    "checkout",  # what the check page shows; the money is a gateway_payment, made by the yes
    sa.Column("key", sa.String(64), primary_key=True),  # random: it is in an address
    sa.Column("user_number", sa.ForeignKey(web_user.c.number), nullable=False),
    sa.Column("address", sa.String(320), nullable=False),  # the receipt goes there
    sa.Column("account_key", sa.String(64), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("amount", Cents, nullable=False),  # for the account
    sa.Column("service_fee", Cents, nullable=False),  # besides
    sa.Column("method_token", sa.String(200), nullable=False),
    sa.Column("method_kind", one_of(MethodKind, "method_kind"), nullable=False),
    sa.Column("last4", sa.String(4), nullable=False),
    sa.Column("state", one_of(CheckoutState, "state"), nullable=False),
    sa.Column("not_taken", one_of(NotTaken, "not_taken")),  # why it was refused
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("submitted_at", Moment),
    sa.Column("told", one_of(PaymentState, "told")),  # the end that a mail was queued of
    sa.Column("payment_key", sa.String(120), sa.ForeignKey("gateway_payment.key"), unique=True),
    sa.CheckConstraint("amount > 0", name="amount_positive"),
    sa.CheckConstraint("service_fee >= 0", name="service_fee_not_negative"),
    sa.CheckConstraint(
        "(payment_key IS NULL) = (state <> 'submitted')", name="submitted_has_payment"
    ),
    sa.Index(None, "user_number", "account_key"),
    sa.Index(None, "submitted_at"),
)
