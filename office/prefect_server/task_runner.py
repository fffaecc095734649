"""Who makes the batches of a close: a worker of this machine, and a Dask cluster's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from database.books import Database
from database.owners import this_process
from domain.failures import Misuse, TemporaryFailure
from office.equipment.office import Office
from office.home import PRIVATE_FOLDER, bill_store, database_url
from office.settings.settings import Settings, open_settings
from splitter.batches.run import BatchWorker
from splitter.workers.parent import processors

if TYPE_CHECKING:
    from prefect_dask.task_runners import DaskTaskRunner

HOME = "BILLCLOSE_HOME"
CONNECT_SECONDS = 30


def is_shared(office: Office) -> bool:
    """
    Tell whether other machines help and can reach the bill store: it is not in the home.

    Where nobody helps, a second copy of everybody's bills would only be one more to guard.
    """
    if office.settings.workers.task_runner == "threads":
        return False
    folder = office.store.folder
    return folder is None or not Path(folder).is_relative_to(office.home.absolute())


def batch_worker(home: Path, settings: Settings) -> BatchWorker:
    """Return what makes batches for a home, whichever machine it is on."""
    exports = home / "exports"
    exports.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return BatchWorker(
        Database(database_url(home, settings)),
        bill_store(home, settings),
        exports,
        owner=this_process(),
        release=version("billclose"),
        processes=settings.splitter.processes or None,
    )


def worker_of_this_machine() -> BatchWorker:
    """Return what makes batches in a Dask worker, whose home is named by BILLCLOSE_HOME."""
    home = Path(os.environ.get(HOME, ""))
    if not os.environ.get(HOME) or not home.is_dir():
        raise Misuse(
            f"{HOME} of this Dask worker names no folder; start it with the home of this machine.",
            "home",
        )
    return batch_worker(home, open_settings(home))


@contextmanager
def dask_runner(office: Office) -> Iterator[DaskTaskRunner]:
    """
    Give a runner that hands tasks to a Dask scheduler, or to a cluster of this machine's own.

    The client takes its certificates from Dask's own configuration. Raises Misuse where the extra
    `dask` is not installed, TemporaryFailure where no scheduler answers.
    """
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError:
        raise Misuse(
            "workers.task_runner is dask, but Dask is not installed: install billclose[dask].",
            "no-dask",
        ) from None
    address = office.settings.workers.address
    own_cluster = {
        "n_workers": office.settings.splitter.processes or processors(),
        "threads_per_worker": 1,  # a worker makes one batch at a time, with one hand
        "dashboard_address": None,
        "env": {HOME: str(office.home.absolute()), "BILLCLOSE_SPLITTER__PROCESSES": "1"},
    }
    runner: DaskTaskRunner = (
        DaskTaskRunner(address=address, client_kwargs={"timeout": CONNECT_SECONDS})
        if address
        else DaskTaskRunner(cluster_kwargs=own_cluster)
    )
    with runner:
        try:
            _ = runner.client
        except OSError:
            raise TemporaryFailure(
                f"No Dask scheduler answers at {address}; see workers.address."
            ) from None
        yield runner
