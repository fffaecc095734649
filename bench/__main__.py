"""What `make bench` runs: `python -m bench`, or one subject with its options."""

from __future__ import annotations

import sys

from bench import association, close, mail, money, nightly, orchestration, register, splitter

SUBJECTS = {
    "splitter": splitter.main,
    "association": association.main,
    "mail": mail.main,
    "money": money.main,
    "close": close.main,
    "orchestration": orchestration.main,
    "nightly": nightly.main,
    "register": register.main,
}


def main() -> None:
    """Run the subject that is named first, with its options; without any, all of them."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] not in SUBJECTS:
        sys.exit(f"name one of {', '.join(SUBJECTS)} first")
    for name in arguments[:1] or SUBJECTS:
        SUBJECTS[name](arguments[1:])


if __name__ == "__main__":
    main()
