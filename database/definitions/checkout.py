"""The tables of payments that customers begin by hand, from the cart and the check page on."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.identity import web_user
from database.definitions.making import make_table
from database.types import Cents, Moment, Number, one_of
from domain.checkout import CheckoutState, NotTaken
from domain.payments import MethodKind, PaymentState


def _owner() -> tuple[Any, ...]:
    """A portal user, or a guest by the hash of the cookie: one of the two."""
    return (
        sa.Column("user_number", sa.ForeignKey(web_user.c.number)),
        sa.Column("guest", sa.String(64), nullable=False, server_default=""),
        sa.CheckConstraint("(user_number IS NULL) = (guest <> '')", name="one_owner"),
    )


def _line() -> tuple[Any, ...]:
    return (
        sa.Column("account_key", sa.String(64), nullable=False, server_default=""),
        sa.Column("account", sa.String(64), nullable=False, server_default=""),
        sa.Column("amount", Cents, nullable=False),
        sa.Column("distribution", sa.String(40), nullable=False, server_default=""),
        sa.Column("title", sa.String(120), nullable=False, server_default=""),
        sa.Column("payor", sa.String(120), nullable=False, server_default=""),
        sa.Column("comment", sa.String(500), nullable=False, server_default=""),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("(account_key <> '') <> (distribution <> '')", name="one_subject"),
    )


checkout = make_table(
    "checkout",  # what the check page shows; the money is a gateway_payment, made by the yes
    sa.Column("key", sa.String(64), primary_key=True),  # random: it is in an address
    *_owner(),
    sa.Column("address", sa.String(320), nullable=False),  # the receipt goes there
    sa.Column("language", sa.String(5), nullable=False, server_default="en"),  # of the page
    sa.Column("service_fee", Cents, nullable=False),  # besides the lines
    sa.Column("method_token", sa.String(200), nullable=False),
    sa.Column("method_kind", one_of(MethodKind, "method_kind"), nullable=False),
    sa.Column("last4", sa.String(4), nullable=False),
    sa.Column("state", one_of(CheckoutState, "state"), nullable=False),
    sa.Column("not_taken", one_of(NotTaken, "not_taken")),  # why it was refused
    sa.Column("not_taken_of", sa.String(120), nullable=False, server_default=""),  # which line
    sa.Column("consent", sa.Text, nullable=False, server_default=""),  # of a bank debit, as shown
    sa.Column("returns_to", sa.Text, nullable=False, server_default=""),  # from the bank's page
    sa.Column("bank_page", sa.Text, nullable=False, server_default=""),  # while it awaits its yes
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("submitted_at", Moment),
    sa.Column("told", one_of(PaymentState, "told")),  # the end that a mail was queued of
    sa.Column("payment_key", sa.String(120), sa.ForeignKey("gateway_payment.key"), unique=True),
    sa.CheckConstraint("service_fee >= 0", name="service_fee_not_negative"),
    sa.CheckConstraint(
        "(payment_key IS NULL) = (state <> 'submitted')", name="submitted_has_payment"
    ),
    sa.Index(None, "user_number"),
    sa.Index(None, "submitted_at"),
)

checkout_line = make_table(
    "checkout_line",  # what one payment by hand pays; each line has a posting of its own (rule 78)
    sa.Column("checkout", sa.ForeignKey(checkout.c.key), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    *_line(),
    sa.Index(None, "account_key"),
)

cart_line = make_table(
    "cart_line",  # what somebody gathers to pay at once (rule 195)
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    *_owner(),
    *_line(),
    sa.Column("added_at", Moment, nullable=False),
    sa.Index(None, "user_number"),
    sa.Index(None, "guest"),
)

bot_check_pass = make_table(
    "bot_check_pass",  # an answer by which a guest was taken for a person: each counts once
    sa.Column("answer", sa.String(80), primary_key=True),  # a hash or a challenge; nobody's secret
    sa.Column("guest", sa.String(64), nullable=False),
    sa.Column("passed_at", Moment, nullable=False),
    sa.Column("good_until", Moment, nullable=False),  # so long the same answer could come again
    sa.Index(None, "guest"),
    sa.Index(None, "good_until"),
)

guest_method = make_table(
    "guest_method",  # what a guest gave on the gateway's page: it pays once and is in no wallet
    sa.Column("token", sa.String(200), primary_key=True),
    sa.Column("guest", sa.String(64), nullable=False),
    sa.Column("kind", one_of(MethodKind, "kind"), nullable=False),
    sa.Column("last4", sa.String(4), nullable=False),
    sa.Column("brand", sa.String(30), nullable=False, server_default=""),
    sa.Column("added_at", Moment, nullable=False),
    sa.Index(None, "guest"),
)
