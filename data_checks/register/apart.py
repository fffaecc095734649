"""
The review of a large register in a process of its own, which is gone with all that it held.

    python -m data_checks.register.apart PIPE

It is told what to review on its standard input and answers on a pipe; both are pickled, and both
ends are this program. The URL of the books stands in neither arguments nor environment.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from data_checks.register.figures import ExpectedFigure
from data_checks.register.limits import Limits
from data_checks.register.reviewing import Review, review
from database.books import Database
from domain.causes import say_cause
from domain.failures import TemporaryFailure


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be reviewed, as `review` takes it; `url` is the books'."""

    url: str
    period: str
    limits: Limits
    at: datetime
    own: tuple[ExpectedFigure, ...] = ()


def review_apart(asked: Asked) -> Review:
    """
    Review a period in a process of its own; nothing is written.

    Raises what the review raises there, and TemporaryFailure where that process ends without an
    answer: it was killed, or the machine has too little memory for it.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as answers:
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(writing)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # its failures come by the pipe
                pass_fds=(writing,),
            )
        finally:
            os.close(writing)
        with process:
            try:
                assert process.stdin is not None
                with suppress(BrokenPipeError), process.stdin as question:
                    question.write(pickle.dumps(asked))
                answer = answers.read()
                process.wait()
            finally:
                process.kill()  # whoever is interrupted here waits for nobody
    try:
        told = pickle.loads(answer)  # noqa: S301 - written by this program, a moment ago
    except (EOFError, pickle.UnpicklingError):
        raise TemporaryFailure(
            f"The review of the register of {asked.period} ended without an answer (exit status "
            f"{process.returncode}); see that the machine has memory left, then run it again."
        ) from None
    if isinstance(told, BaseException):
        raise told
    assert isinstance(told, Review)
    return told


def _reviewed(asked: Asked) -> Review:
    books = Database(asked.url)
    try:
        with books.reading() as opened:
            return review(opened, asked.period, asked.limits, at=asked.at, own=asked.own)
    finally:
        books.close()


def _travelling(failure: Exception) -> Exception:
    """Return a failure as it can be told to another process, with where it came from."""
    try:
        pickle.loads(pickle.dumps(failure))  # noqa: S301 - our own
    except Exception:
        failure = RuntimeError(say_cause(failure))
    failure.add_note(traceback.format_exc())
    return failure


def main() -> None:
    """Answer what is asked on the standard input."""
    asked = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    answer: Review | Exception
    try:
        answer = _reviewed(asked)
    except Exception as failure:
        answer = _travelling(failure)
    with os.fdopen(int(sys.argv[1]), "wb") as pipe:
        pickle.dump(answer, pipe)


if __name__ == "__main__":
    main()
