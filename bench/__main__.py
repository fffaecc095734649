"""What `make bench` runs: `python -m bench`, or one subject with its options."""

from __future__ import annotations

import sys

from bench import splitter

SUBJECTS = {"splitter": splitter.main}


def main() -> None:
    """Run the subject that is named first, else all of them."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in SUBJECTS:
        SUBJECTS[arguments[0]](arguments[1:])
    else:
        for run in SUBJECTS.values():
            run(arguments)


if __name__ == "__main__":
    main()
