"""What the command's exit statuses mean."""

from __future__ import annotations

DONE = 0
UNEXPECTED = 1  # what was done stands, running again continues
WRONG_USE = 2  # wrong arguments or settings
REFUSED = 3  # by a guard or a blocking check; nothing was changed
NEEDS_PERSON = 4  # done, but something needs a person
