"""A helper that says in the end which packages it loaded."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from command_line.commands.mail import main

if __name__ == "__main__":
    main()
    packages = {name.partition(".")[0] for name in sys.modules}
    Path(os.environ["BILLCLOSE_TEST_LOADED"]).write_text("\n".join(packages))
