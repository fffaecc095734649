"""PostgreSQL's own programs, run on the office's database."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import sqlalchemy as sa

from domain.failures import Misuse, PermanentFailure


def run_postgres(program: str, url: str, *words: str) -> None:
    """
    Run one of PostgreSQL's programs on a database; the password is on no command line.

    Raises Misuse where it is not installed, PermanentFailure where it fails.
    """
    parts = sa.make_url(url)
    plain = parts.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    secret = {"PGPASSWORD": str(parts.password)} if parts.password else {}
    command = [str(_program(program)), f"--dbname={plain}", *words]
    done = subprocess.run(command, env=os.environ | secret, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise PermanentFailure(f"{program} ended with status {done.returncode} and said: {said}")


def _program(name: str) -> Path:
    """Return the newest one: pg_dump must not be older than the server."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda at: int(at.parts[-3])
    )
    found = str(installed[-1]) if installed else shutil.which(name)
    if not found:
        raise Misuse(f"{name} is not installed (Debian: postgresql-client).", "backup")
    return Path(found)
