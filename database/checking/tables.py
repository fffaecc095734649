"""The tables of what an office wants of its checks, and of the months they compare with."""

from __future__ import annotations

import sqlalchemy as sa

from database.definitions.making import make_table, one_where
from database.tables import bill_run
from database.types import Cents, Moment

# The newest row of a check, service, rate code and name is in force; `value` NULL: as before.
check_setting = make_table(
    "check_setting",
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("check_name", sa.String(40), nullable=False),
    sa.Column("service", sa.String(100), nullable=False, server_default=""),
    sa.Column("rate_code", sa.String(40), nullable=False, server_default=""),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("value", sa.String(40)),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("set_at", Moment, nullable=False),
    sa.Column("set_by", sa.String(100), nullable=False),
)

# Findings about one account that are known: it ends by itself on the day after `until`.
check_mute = make_table(
    "check_mute",
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("check_name", sa.String(40), nullable=False),
    sa.Column("account_key", sa.String(64), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("service", sa.String(100), nullable=False, server_default=""),  # '': any
    sa.Column("until", sa.Date, nullable=False),
    sa.Column("up_to", Cents),  # at stake; NULL: whatever is at stake
    sa.Column("meters", sa.Text, nullable=False, server_default=""),  # of the account, JSON
    sa.Column("status", sa.String(12), nullable=False, server_default=""),  # of the account
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("set_at", Moment, nullable=False),
    sa.Column("set_by", sa.String(100), nullable=False),
    sa.Column("lifted_at", Moment),
    sa.Column("lifted_by", sa.String(100)),
    one_where("uq_check_mute_open", ("check_name", "account_key", "service"), "lifted_at IS NULL"),
)

# A figure of a period against its band, as Great Expectations judged it.
register_figure = make_table(
    "register_figure",
    sa.Column(
        "period",
        sa.String(40),
        sa.ForeignKey(bill_run.c.period, ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("check_name", sa.String(40), nullable=False),
    sa.Column("service", sa.String(100), nullable=False),
    sa.Column("rate_code", sa.String(40), nullable=False),  # '': the whole service
    sa.Column("figure", sa.String(20), nullable=False),
    sa.Column("value", sa.Float),  # dollars, lines or a share: a figure, no amount of the books
    sa.Column("low", sa.Float),
    sa.Column("high", sa.Float),
    sa.Column("before", sa.Float),
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
)

# The judge's own words, for an auditor: the suite and the result as JSON, and its page.
register_record = make_table(
    "register_record",
    sa.Column(
        "period",
        sa.String(40),
        sa.ForeignKey(bill_run.c.period, ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("suite", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("page", sa.Text, nullable=False),
)

# Past exports that were taken in for comparison alone: they are no bill runs, and nothing shows.
history_period = make_table(
    "history_period",
    sa.Column("period", sa.String(40), primary_key=True),
    sa.Column("cycle", sa.String(40), nullable=False),
    sa.Column("starts_on", sa.Date, nullable=False),
    sa.Column("ends_on", sa.Date, nullable=False),
    sa.Column("utility", sa.String(200), nullable=False),
    sa.Column("export_name", sa.String(255), nullable=False),
    sa.Column("export_sha256", sa.String(64), nullable=False),
    sa.Column("accounts", sa.Integer, nullable=False),
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("imported_at", Moment, nullable=False),
    sa.Column("imported_by", sa.String(100), nullable=False),
)

history_line = make_table(
    "history_line",
    sa.Column(
        "period",
        sa.String(40),
        sa.ForeignKey(history_period.c.period, ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("account_key", sa.String(64), nullable=False),
    sa.Column("service", sa.String(100), nullable=False),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("usage", sa.Float),
    sa.Column("days", sa.Integer),
    sa.Column("meter", sa.String(64), nullable=False, server_default=""),
    sa.Column("read_type", sa.String(12), nullable=False, server_default=""),
    sa.Column("previous_read", sa.Float),
    sa.Column("current_read", sa.Float),
    sa.Column("rate_code", sa.String(40), nullable=False, server_default=""),
)
