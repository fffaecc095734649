"""
What a close needs, loaded once for all the processes that are forked to be stopped.

That is also what a close loads on its way, by itself or by Prefect.
"""

import fastapi  # noqa: F401
import prefect.concurrency.asyncio
import prefect.concurrency.sync
import prefect.flow_engine
import prefect.task_engine  # noqa: F401

import database.migrating  # noqa: F401
import flows.close_period  # noqa: F401
import mail.communications.posted
import mail.rendering.bills
import mail.rendering.notices  # noqa: F401
import tests.scenarios.interrupted  # noqa: F401
from data_checks.checking import warm_up
from rules.calendars import bank_closed_days

warm_up()
bank_closed_days()  # which loads the holidays
