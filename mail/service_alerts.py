"""The two mails to the office when cash receipting falls silent, and when it is back."""

from __future__ import annotations

from database.books import Database
from database.postings import count_unposted
from domain.words import say_count
from mail.announcements import AlertLetter

DOWN, BACK = "alert-cash-receipting-down", "alert-cash-receipting-back"
SERVICE_FORMS = (DOWN, BACK)


def service_letter(database: Database, form: str, utility: str) -> AlertLetter:
    """
    Say that cash receipting is down or back, and what waits (rules 186-188).

    Customers are not named: the mail may be forwarded to IT.
    """
    left = count_unposted(database)
    waits = f"{say_count(left.count, 'payment')}, {left.amount.dollars()}, taken and not posted."
    findings: tuple[str, ...]
    if form == DOWN:
        title = "cash receipting does not answer"
        findings = (
            waits,
            "They are posted by themselves when it answers; nobody is charged again.",
        )
        remedy = (
            "Ask IT to restart the cash-receipting service on the server (Caselle Online Web "
            "Service), then run: billclose retry-postings --now"
        )
    else:
        title = "cash receipting answers again"
        findings = (waits,) if left.count else ("Every payment that was taken is posted.",)
        remedy = "To see which: billclose list pending-payments" if left.count else "Nothing to do."
    return AlertLetter(form=form, utility=utility, title=title, findings=findings, remedy=remedy)
