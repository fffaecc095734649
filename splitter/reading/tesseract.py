"""The program tesseract, which reads pictures; nothing of a page is ever put on disk for it."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from domain.causes import say_cause
from domain.failures import Misuse

PROGRAM = "tesseract"
LANGUAGE = "eng"
READING_SECONDS = 60  # for one picture, which takes one or two; a busy machine makes that longer
MOST_PICTURES = 4  # that the program is asked about for one page
_WORKING_SECONDS = 20  # of the processor, for one picture
_STARTING_SECONDS = 30
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "TESSDATA_PREFIX")  # no secret is handed on
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_LIBC = ctypes.CDLL(None)
_WORD = "5"  # the level of a row about one word


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as displayed, in gray, one byte a pixel, row by row from the top left."""

    width: int
    height: int
    pixels: bytes
    dots_per_inch: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was read: its line, and its middle in points from the page's top left corner."""

    text: str
    line: tuple[str, ...]
    x: float
    y: float


class ProgramFailed(Exception):
    """The program took too long, crashed, or is not there."""


def require_tesseract() -> None:
    """Raise Misuse where the program or its English is not installed."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise Misuse(
            "Reading scanned pages is asked for, but the program tesseract is not installed; "
            "install it (Debian: tesseract-ocr), or do without --ocr and splitter.ocr.",
            "no-tesseract",
        )
    try:
        told = subprocess.run(
            [program, "--list-langs"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_STARTING_SECONDS,
            env=_environment(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        languages = []
    else:
        languages = (told.stdout + told.stderr).decode("utf-8", "replace").split()
    if LANGUAGE not in languages:
        raise Misuse(
            f"Reading scanned pages is asked for, but {program} does not know English; install "
            "its language eng (Debian: tesseract-ocr-eng), or do without --ocr and splitter.ocr.",
            "no-tesseract",
        )


def words_in(picture: Picture, layout: int) -> list[Word]:
    """
    Return the words of a picture in the order of reading; raises ProgramFailed.

    `layout` is tesseract's page segmentation mode. The program has one thread, so that the workers
    share the machine, and the limits of memory of the worker that starts it.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise ProgramFailed("it is not installed")
    options = ["--psm", str(layout), "--dpi", str(picture.dots_per_inch), "-l", LANGUAGE]
    heading = f"P5 {picture.width} {picture.height} 255\n".encode()  # a portable gray map
    try:
        answer = subprocess.run(
            [program, "stdin", "stdout", *options, "-c", "tessedit_create_tsv=1"],
            input=heading + picture.pixels,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=READING_SECONDS,
            env=_environment(os.environ) | {"OMP_THREAD_LIMIT": "1"},
            preexec_fn=_die_with_the_worker,  # safe: a worker has one thread
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise ProgramFailed(say_cause(failure)) from None
    if answer.returncode:
        raise ProgramFailed(f"it ended with {answer.returncode}")
    return _words(answer.stdout.decode("utf-8", "replace"), 72 / picture.dots_per_inch)


def _words(table: str, points: float) -> list[Word]:
    words = []
    for row in table.splitlines():
        level, *line, _word, left, top, width, height, _confidence, text = row.split("\t", 11)
        if level == _WORD and text.strip():
            x, y = int(left) + int(width) / 2, int(top) + int(height) / 2
            words.append(Word(text.strip(), tuple(line), x * points, y * points))
    return words


def _environment(whole: Mapping[str, str]) -> dict[str, str]:
    return {name: whole[name] for name in _ENVIRONMENT if name in whole}


def _die_with_the_worker() -> None:
    """End the program with the worker that started it, or soon after where that cannot be asked."""
    resource.setrlimit(resource.RLIMIT_CPU, (_WORKING_SECONDS, _WORKING_SECONDS))
    if sys.platform == "linux":
        _LIBC.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
