"""What people call the troubles of an office, and the page on which each is put right."""

from __future__ import annotations

from dataclasses import dataclass

from domain.words import say_code

# By kind, as the runbook's page of that kind is headed.
TITLES = {
    "clock-off": "The clock of the machine is off",
    "close-forgotten": "A period could be closed and is not",
    "close-waits": "A close waits for a yes",
    "database-down": "The database does not answer",
    "deposits-differ": "The bank and the payouts differ",
    "disk-nearly-full": "A disk is nearly full",
    "events-lost": "The Prefect server lost events",
    "export-overdue": "The export of a period is overdue",
    "feed-stale": "The billing system's feed does not come",
    "mail-server-down": "The mail server takes no mail",
    "postings-stuck": "Payments were taken and are not in cash receipting",
    "prefect-down": "The Prefect server does not answer",
    "print-files-differ": "Print files are missing or not as they were written",
    "rounds-silent": "Nobody looks whether something has work",
    "run-failed": "A run failed, or a close was refused",
    "run-late": "A scheduled run has not begun",
    "schedule-forgotten": "Autopay of a closed period was not scheduled",
    "service-down": "Cash receipting does not answer",
    "texts-waiting": "Text messages do not leave",
    "work-missed": "A nightly command has not run",
}
# By kind, what is watched, where nothing is wrong with it.
SUBJECTS = {
    "clock-off": "The clock of the machine",
    "close-forgotten": "Closes that are due",
    "close-waits": "Closes that wait for a yes",
    "database-down": "The database",
    "deposits-differ": "The bank and the payouts",
    "disk-nearly-full": "Room on the disks",
    "events-lost": "Events of the Prefect server",
    "export-overdue": "Exports that are due",
    "feed-stale": "The billing system's feed",
    "mail-server-down": "The mail server",
    "postings-stuck": "Payments in cash receipting",
    "prefect-down": "The Prefect server",
    "print-files-differ": "Print files",
    "rounds-silent": "Looking for work",
    "run-failed": "The last runs",
    "run-late": "Scheduled runs",
    "schedule-forgotten": "Scheduling of autopay",
    "service-down": "Cash receipting",
    "texts-waiting": "Text messages",
    "work-missed": "Nightly commands",
}
# What goes by itself, or is started for a period, and what it does.
WORK = {
    "check-period": "the check of an export",
    "close-period": "the close of a period",
    "collect-autopay": "the drawing of autopay",
    "health-watch": "the health watch",
    "office-day": "the report of the day",
    "print-bills": "the printing of what came back",
    "process-bounces": "the reading of mails that came back",
    "remind": "the sending of reminders",
    "retry-postings": "the posting of payments",
    "schedule-autopay": "the scheduling of autopay",
    "send-communication": "the mailing to many",
    "send-mail": "the sending of mails",
    "send-notices": "the sending of receipts and notices",
    "take-in-feed": "the taking in of the billing system's feed",
}
DISKS = {"home": "the home", "temp": "temporary files", "bills": "the bill store"}
_ONE_ALONE = ("service-down",)  # its title names the only one there is
AT_A_TERMINAL = "At a terminal:"  # what is typed stands behind it


@dataclass(frozen=True, slots=True)
class TroublePage:
    """A page of the office's, and what can be done there."""

    path: str
    does: str


def say_service(name: str) -> str:
    """Say a service's name, such as `cash-receipting`, at the beginning of a sentence."""
    return say_code(name).capitalize()


def say_work(name: str) -> str:
    """Say what a command, a look or a deployment does."""
    return WORK.get(name, say_code(name))


def say_trouble(condition: str) -> str:
    """Say a condition's name, such as `close-forgotten/2026-11`, as people read it."""
    kind, _, about = condition.partition("/")
    title = TITLES.get(kind, say_code(kind))
    if not about or kind in _ONE_ALONE:
        return title
    return f"{title}: {DISKS.get(about) or WORK.get(about, about)}"


def page_of_trouble(condition: str) -> TroublePage | None:
    """Return the page on which a trouble is put right; None where it takes another machine's."""
    kind, _, about = condition.partition("/")
    if kind == "work-missed":
        return _OF_WORK.get(about)
    if kind in _OF_PERIODS:
        path, does = _OF_PERIODS[kind]
        return TroublePage(path.format(about), does.format(about))
    return _PAGES.get(kind)


_OF_PERIODS = {
    "close-forgotten": ("/office/close", "Close {}"),
    "close-waits": ("/office/close/{}", "Decide about the close of {}"),
    "export-overdue": ("/office/close", "Upload the export of {}"),
    "schedule-forgotten": ("/office/payments/schedule/{}", "Schedule the autopay of {}"),
}
_PAGES = {
    "deposits-differ": TroublePage("/office/deposits/bank", "Settle the differences"),
    "mail-server-down": TroublePage("/office/emails", "See which mails wait"),
    "postings-stuck": TroublePage("/office/payments/pending", "Post them now"),
    "print-files-differ": TroublePage("/office/print", "See the print files"),
    "service-down": TroublePage("/office/payments/pending", "Post what waits"),
    "texts-waiting": TroublePage("/office/emails/texts", "See which texts wait"),
}
_OF_WORK = {
    "collect-autopay": TroublePage("/office/payments", "See which payments are due"),
    "process-bounces": TroublePage("/office/emails/bounces", "See what came back"),
    "remind": TroublePage("/office/emails/events", "See what was sent"),
    "retry-postings": TroublePage("/office/payments/pending", "Post what waits"),
    "send-mail": TroublePage("/office/emails", "See which mails wait"),
    "send-notices": TroublePage("/office/emails/events", "See what was sent"),
}
