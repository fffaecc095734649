"""What a close needs, loaded once for all the processes that are forked to be stopped."""

import command_line.prefect_run  # noqa: F401
import flows.close_period  # noqa: F401
import office.rehearsing  # noqa: F401
import tests.scenarios.interrupted  # noqa: F401
from data_checks.checking import warm_up

warm_up()
