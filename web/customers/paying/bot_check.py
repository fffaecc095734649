"""What a guest's browser is asked before the pages on which guests pay (rule 190)."""

from __future__ import annotations

from functools import partial

from web.customers import persons

ASKING = persons.Asking(
    check="/guest/check",
    first="/guest",
    title="Before you pay",
    why="Who pays without signing in shows first that a person sits there. Your browser does it by "
    "itself.",
    without="This check needs JavaScript, and your browser does not run it. You can pay without "
    "it: sign in, or call the number that stands on your bill.",
    not_now="The service that tells people from programs does not answer now. Nothing was taken. "
    "Please try again in some minutes, or sign in and pay there.",
)
CHECK = ASKING.check
for_persons = partial(persons.guard, asking=ASKING)
show_check = partial(persons.show_check, asking=ASKING)
take_check = partial(persons.take_check, asking=ASKING)
