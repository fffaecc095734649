"""The tables of text messages: what was to be sent, and who agreed to get them."""

from __future__ import annotations

import sqlalchemy as sa

from database.definitions.append_only import keep_for_good
from database.definitions.identity import web_user
from database.definitions.making import make_table
from database.types import Moment, Number, one_of
from domain.deliveries import DeliveryStatus, MessageKind, RecipientSource
from domain.texts import ConsentWay

text_message = make_table(
    "text_message",  # recorded before it is sent, like a mail; its words are made when it leaves
    sa.Column("key", sa.String(500), primary_key=True),  # of business facts; its phone is the last
    sa.Column("mail_key", sa.String(500), nullable=False),  # of the mail whose place it takes
    sa.Column("period", sa.String(40), sa.ForeignKey("once_closed.period")),
    sa.Column("account_key", sa.String(64), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("kind", one_of(MessageKind, "kind"), nullable=False),
    sa.Column("form", sa.String(40), nullable=False),
    sa.Column("user_number", Number, sa.ForeignKey(web_user.c.number), nullable=False),
    sa.Column("address", sa.String(320), nullable=False),  # whose mail it would be
    sa.Column("source", one_of(RecipientSource, "source")),
    sa.Column("phone", sa.String(20), nullable=False),
    sa.Column("language", sa.String(5), nullable=False),
    sa.Column("status", one_of(DeliveryStatus, "status"), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("queued_at", Moment, nullable=False),
    sa.Column("next_try_at", Moment, nullable=False),
    sa.Column("lease_owner", sa.String(100)),
    sa.Column("lease_until", Moment),
    sa.Column("words", sa.Text),  # as they left; of a code never
    sa.Column("handed_at", Moment),  # when the last attempt began
    sa.Column("sent_at", Moment),
    sa.Column("reference", sa.String(64), nullable=False, server_default=""),  # the carrier's
    sa.Column("possible_duplicate", sa.Boolean, nullable=False),
    sa.Column("error", sa.Text),
    sa.Index(None, "status", "next_try_at"),
    sa.Index(None, "period", "account_key"),
    sa.Index(None, "reference"),
)

mass_text = make_table(
    "mass_text",  # one text to many phones; recorded with all of them, or not at all
    sa.Column("number", Number, primary_key=True),
    sa.Column("content", sa.String(64), nullable=False),  # hash of all that was asked for
    sa.Column("day", sa.Date, nullable=False),  # the local day it was asked for
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("words_es", sa.Text, nullable=False, server_default=""),
    sa.Column("audience", sa.Text, nullable=False),  # as JSON
    sa.Column("phones", sa.Integer, nullable=False),
    sa.Column("segments", sa.Integer, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("recorded_by", sa.String(100), nullable=False),
    sa.UniqueConstraint("content", "day"),
)

text_consent = make_table(
    "text_consent",  # each yes and no, for good, with the very sentence that was agreed to
    sa.Column("number", Number, primary_key=True),
    sa.Column("user_number", Number, sa.ForeignKey(web_user.c.number)),  # NULL: by the phone
    sa.Column("phone", sa.String(20), nullable=False),
    sa.Column("given", sa.Boolean, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("way", one_of(ConsentWay, "way"), nullable=False),
    sa.Column("sentence", sa.Text, nullable=False, server_default=""),
    sa.Column("news", sa.Boolean, nullable=False, server_default=sa.false()),  # of the office, too
    sa.Index(None, "user_number"),
    sa.Index(None, "phone"),
)
keep_for_good(text_consent)
