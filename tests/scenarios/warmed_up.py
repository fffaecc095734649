"""
What a close needs, loaded once for all the processes that are forked to be stopped.

That is also what a close loads on its way, by itself or by Prefect.
"""

import fastapi  # noqa: F401
import prefect.concurrency.asyncio
import prefect.concurrency.sync
import prefect.flow_engine
import prefect.task_engine  # noqa: F401

import command_line.commands
import command_line.main
import command_line.prefect_run  # noqa: F401
import database.migrating  # noqa: F401
import flows.close_period  # noqa: F401
import mail.bill_mail
import mail.communications_live
import mail.notice_mail  # noqa: F401
import office.home_secret
import office.identity
import office.mail_equipment
import office.rehearsing  # noqa: F401
import splitter.evidence
import splitter.swift_reader  # noqa: F401
import tests.scenarios.interrupted  # noqa: F401
from data_checks.checking import warm_up
from rules.calendars import bank_closed_days

warm_up()
bank_closed_days()  # which loads the holidays
