"""What `make bench` runs: `python -m bench`, or one subject with its options."""

from __future__ import annotations

import sys
from importlib import import_module

SUBJECTS = {  # name: the module whose `main` measures it
    "splitter": "bench.splitter.main",
    "association": "bench.association",
    "mail": "bench.mail.main",
    "money": "bench.money.main",
    "close": "bench.close.main",
    "orchestration": "bench.orchestration.main",
    "nightly": "bench.nights.main",
    "nights": "bench.quarter.main",
    "register": "bench.register.main",
    "web": "bench.web.main",
    "lost-machine": "bench.lost_machine",
}
ON_REQUEST = {"lost-machine", "nights"}  # a PostgreSQL and ten minutes; an hour and more


def main() -> None:
    """Run the subject named first, with its options; without any all of them but ON_REQUEST."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] not in SUBJECTS:
        sys.exit(f"name one of {', '.join(SUBJECTS)} first")
    for name in arguments[:1] or [name for name in SUBJECTS if name not in ON_REQUEST]:
        import_module(SUBJECTS[name]).main(arguments[1:])


if __name__ == "__main__":
    main()
