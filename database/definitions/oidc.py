"""The tables of sign-in through others: their accounts that open ours, and what is under way."""

from __future__ import annotations

import sqlalchemy as sa

from database.definitions.identity import web_user
from database.definitions.making import make_table
from database.types import Moment, Number

outside_identity = make_table(
    "outside_identity",  # known by issuer and subject, never by an address
    sa.Column("number", Number, primary_key=True),
    sa.Column("user_number", Number, sa.ForeignKey(web_user.c.number), nullable=False),
    sa.Column("provider", sa.String(20), nullable=False),
    sa.Column("issuer", sa.String(200), nullable=False),
    sa.Column("subject", sa.String(255), nullable=False),
    sa.Column("label", sa.String(320), nullable=False, server_default=""),  # to know it by
    sa.Column("linked_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
    sa.UniqueConstraint("issuer", "subject"),
    sa.Index(None, "user_number"),
)

oidc_request = make_table(
    "oidc_request",  # somebody is at the provider's page; each is answered once
    sa.Column("state_sha256", sa.String(64), primary_key=True),
    sa.Column("binder_sha256", sa.String(64), nullable=False),  # of a cookie of the same browser
    sa.Column("provider", sa.String(20), nullable=False),
    sa.Column("nonce", sa.String(64), nullable=False),
    sa.Column("verifier", sa.String(128), nullable=False),  # of the code (PKCE)
    sa.Column("goes_on_to", sa.String(200), nullable=False, server_default="/"),
    sa.Column("user_number", Number, sa.ForeignKey(web_user.c.number)),  # who connects it
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
    sa.Column("issuer", sa.String(200), nullable=False, server_default=""),  # once proved, and
    sa.Column("subject", sa.String(255), nullable=False, server_default=""),  # nobody's here yet
    sa.Column("label", sa.String(320), nullable=False, server_default=""),
    sa.Column("connected_at", Moment),
    sa.Index(None, "binder_sha256"),
)
