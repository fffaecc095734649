"""A new password by a code that customer service read out on the phone (rule 155)."""

from __future__ import annotations

from starlette.responses import Response

from domain.failures import TemporaryFailure
from identity.attempts.counting import count_bad, record_attempt
from identity.customer_service.recovery import recover
from identity.signing_in import HOUR
from rules.portal_access import find_password_fault
from web.layout import newest_utility_name, show
from web.visits import Visit, passwords_of

MOST_FROM_NETWORK = 20  # wrong codes an hour
BUSY = "Very many people sign in at this moment. Please try again in a minute."
WRONG = (
    "That code does not fit, or it is good no more: it works once, for 24 hours, and five wrong "
    "tries end it. Call us for another one."
)


def show_recovering(visit: Visit) -> Response:
    return show(visit, "recover.html")


def take_recovery(visit: Visit) -> Response:
    """Set a password by a recovery code, and say what to sign in with; one answer to all else."""
    problems = _find_problems(visit)
    if problems:
        return show(visit, "recover.html", 422, problems=problems)
    office, network = visit.office, [visit.network]
    with office.database.reading() as books:
        too_many = count_bad(books, "recover", network, visit.now, HOUR) >= MOST_FROM_NETWORK
    if too_many:
        return show(visit, "recover.html", 429, problems={"": visit.say(BUSY)})
    try:
        name = recover(
            office.database,
            passwords_of(visit),
            office.link_tokens,
            visit.text("name"),
            visit.text("code"),
            visit.form.get("password", ""),
            visit.now,
        )
    except TemporaryFailure:
        return show(visit, "recover.html", 429, problems={"": visit.say(BUSY)})
    with office.database.writing() as books:
        record_attempt(books, "recover", network, visit.now, good=name is not None)
    if name is None:
        return show(visit, "recover.html", 422, problems={"code": visit.say(WRONG)})
    return show(visit, "recovered.html", name=name)


def _find_problems(visit: Visit) -> dict[str, str]:
    problems: dict[str, str] = {}
    if not visit.text("name"):
        problems["name"] = visit.say("Enter your account number.")
    if not visit.text("code"):
        problems["code"] = visit.say("Enter the code that was read to you.")
    password = visit.form.get("password", "")
    fault = find_password_fault(password, newest_utility_name(visit))
    if fault:
        problems["password"] = visit.say(fault)
    elif password != visit.form.get("again", ""):
        problems["again"] = visit.say("The two passwords are not the same.")
    return problems
