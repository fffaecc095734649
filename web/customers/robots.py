"""Forms that anybody may send keep robots out (rule 68)."""

from __future__ import annotations

from web.visits import Visit

TRAP = "website"  # a field that nobody sees: who fills it in is a program that fills in all
SAID = (
    "This form was filled in as programs do it, so nothing was sent. Try it again without letting "
    "a program fill it in, or call the billing office."
)


def find_robot(visit: Visit) -> dict[str, str]:
    """Return what to say to a program that fills in forms; of a person's form, nothing."""
    return {"": visit.say(SAID)} if visit.text(TRAP) else {}
