"""The commands: where each stands, and the line of help that `billclose --help` shows."""

from __future__ import annotations

from typing import NamedTuple


class CommandEntry(NamedTuple):
    """A command's module and name in it, and the first sentence of its help."""

    module: str
    name: str
    help: str


COMMANDS = {  # a module is loaded when its command is called, so that the others wait for nothing
    "init": CommandEntry(
        "command_line.commands.init",
        "init",
        "Write a commented billclose.toml, create the database.",
    ),
    "import": CommandEntry(
        "command_line.commands.import_",
        "import_bundle",
        "Stage an export; nothing of it shows before the close.",
    ),
    "check": CommandEntry(
        "command_line.commands.check",
        "check",
        "Run the data checks on the staged export of PERIOD.",
    ),
    "checks": CommandEntry(
        "command_line.commands.checks",
        "checks",
        "Show and set what the office wants of its checks; `list checks` shows what they found.",
    ),
    "close": CommandEntry(
        "command_line.commands.close",
        "close",
        "Close a period: BUNDLE is an export's folder or .zip, or a period imported before.",
    ),
    "approve": CommandEntry(
        "command_line.commands.approve",
        "approve",
        "Say yes to the close of PERIOD, as it is staged now; whoever runs the close goes on.",
    ),
    "refuse": CommandEntry(
        "command_line.commands.approve",
        "refuse",
        "Say no to the close of PERIOD: it is refused until the export is corrected, or approved.",
    ),
    "approvals": CommandEntry(
        "command_line.commands.approve",
        "approvals",
        "Show which periods wait for a yes, with what would happen.",
    ),
    "pages": CommandEntry(
        "command_line.commands.pages",
        "pages",
        "List the pages of PERIOD and settle those that a person must look at.",
    ),
    "outsort": CommandEntry(
        "command_line.commands.outsort",
        "outsort",
        "Hold the bill of ACCOUNT back: not shown, mailed, printed or drawn, no balance moves.",
    ),
    "release": CommandEntry(
        "command_line.commands.release",
        "release",
        "Let the held bill of ACCOUNT go: it shows, its balance moves, autopay, mail or paper "
        "follow.",
    ),
    "schedule-autopay": CommandEntry(
        "command_line.commands.schedule_autopay",
        "schedule_autopay",
        "Schedule autopay for a closed PERIOD; what is overdue is drawn at once.",
    ),
    "print": CommandEntry(
        "command_line.commands.print_",
        "print_bills",
        "Print the bills that came back since the last print batch, of PERIOD or of all periods.",
    ),
    "list": CommandEntry(
        "command_line.commands.list",
        "list_what",
        "List bills, deliveries, payments, checks and more; an export holds just the rows shown.",
    ),
    "find": CommandEntry(
        "command_line.commands.find",
        "find",
        "Find accounts by number, name, address, e-mail, phone, meter, confirmation or last 4.",
    ),
    "show": CommandEntry(
        "command_line.commands.show",
        "show",
        "Show everything that stands about ACCOUNT.",
    ),
    "why": CommandEntry(
        "command_line.commands.why",
        "why",
        "Say why ACCOUNT got what it got, sentence by sentence, each with its rules.",
    ),
    "status": CommandEntry(
        "command_line.commands.status",
        "status",
        "Say where the month stands, what waits for whom, and what comes next.",
    ),
    "autopay": CommandEntry(
        "command_line.commands.autopay",
        "autopay",
        "Enroll a customer in autopay, cancel it, show what is agreed and paid, lift a suspension.",
    ),
    "collect": CommandEntry(
        "command_line.commands.collect",
        "collect",
        "Draw the scheduled payments that are due, and post them.",
    ),
    "retry-postings": CommandEntry(
        "command_line.commands.retry_postings",
        "retry_postings",
        "Post in cash receipting what was taken and is not there; charges nobody.",
    ),
    "unknown": CommandEntry(
        "command_line.commands.unknown",
        "unknown",
        "Show what we, the gateway and cash receipting know of each payment in doubt.",
    ),
    "feed": CommandEntry(
        "command_line.commands.feed",
        "feed",
        "Take in what the billing system tells between two closes: a folder, .zip or .csv at PATH.",
    ),
    "balances": CommandEntry(
        "command_line.commands.balances",
        "balances",
        "Decide of an amount whether the newest export contains it; `list balances` shows them.",
    ),
    "correct": CommandEntry(
        "command_line.commands.correct",
        "correct",
        "Replace the closed bill of ACCOUNT by a corrected one out of a small export.",
    ),
    "undo": CommandEntry(
        "command_line.commands.undo",
        "undo",
        "Take the close of PERIOD back: first shown, then done after a yes.",
    ),
    "refund": CommandEntry(
        "command_line.commands.refund",
        "refund",
        "Give the payment of a CONFIRMATION back to its payer; the bill is owed again by as much.",
    ),
    "arrange": CommandEntry(
        "command_line.commands.arrange",
        "arrange",
        "Let what ACCOUNT owes be paid in installments, by dates; or cancel such a plan.",
    ),
    "deposits": CommandEntry(
        "command_line.commands.deposits",
        "deposits",
        "Show the items of the gateway's payouts that do not agree with our books.",
    ),
    "journal": CommandEntry(
        "command_line.commands.journal",
        "journal",
        "Write bills, payments, returns, fees and payouts as a double-entry journal; no names.",
    ),
    "remind": CommandEntry(
        "command_line.commands.remind",
        "remind",
        "Send the payment-due and past-due mails that are owed now, each once.",
    ),
    "notify": CommandEntry(
        "command_line.commands.notify",
        "notify",
        "Send receipts, and tell of draws to come that no e-bill tells of; each once.",
    ),
    "hold": CommandEntry(
        "command_line.commands.hold",
        "hold",
        "Keep past-due mails from an account or a group for a while.",
    ),
    "mail": CommandEntry(
        "command_line.commands.mail",
        "mail",
        "Look into the outbox, send what is due, decide about single mails.",
    ),
    "texts": CommandEntry(
        "command_line.commands.texts",
        "texts",
        "See how text messages stand, send what is due, act on a STOP.",
    ),
    "preview": CommandEntry(
        "command_line.commands.preview",
        "preview",
        "Write a mail as its first recipient would get it; nobody gets it, nothing is recorded.",
    ),
    "process-bounces": CommandEntry(
        "command_line.commands.bounces",
        "process_bounces",
        "Read the mails that came back; print the bills that no mailbox took.",
    ),
    "bounces": CommandEntry(
        "command_line.commands.bounces",
        "bounces",
        "Show what came back, and write to an address again once it is corrected.",
    ),
    "communication": CommandEntry(
        "command_line.commands.communication",
        "communication",
        "Post newsletters and the like, mail to many customers, keep who wants no such mail.",
    ),
    "export-usage": CommandEntry(
        "command_line.commands.export_usage",
        "export_usage",
        "Mail a link to the newest 1,000 usage records of ACCOUNT as an Excel file.",
    ),
    "alerts": CommandEntry(
        "command_line.commands.alerts",
        "alerts",
        "Try the ways by which the office is told of troubles.",
    ),
    "rounds": CommandEntry(
        "command_line.commands.rounds",
        "rounds",
        "Look every minute whether postings, mail or bounces need work; start only what does.",
    ),
    "health": CommandEntry(
        "command_line.commands.health",
        "health",
        "Look whether anything needs a person: exports, closes, nights, servers, disks, the clock.",
    ),
    "calendar": CommandEntry(
        "command_line.commands.calendar",
        "calendar",
        "Show the office's YEAR: closes, due dates, draws, reminders, and what clashes.",
    ),
    "audit": CommandEntry(
        "command_line.commands.audit",
        "audit",
        "The audit list: `billclose list audit` shows it, `audit verify` proves it.",
    ),
    "auditors-pack": CommandEntry(
        "command_line.commands.audit",
        "auditors_pack",
        "Write report, checks, waivers, approvals, audit rows and hashes of all bills of PERIOD.",
    ),
    "up": CommandEntry(
        "command_line.commands.up",
        "up",
        "Start the Prefect server of this office and serve its flows, until Ctrl-C.",
    ),
    "work": CommandEntry(
        "command_line.commands.work",
        "work",
        "Make batches of bills for whichever machine closes a period, until told to stop.",
    ),
    "web": CommandEntry(
        "command_line.commands.web",
        "web",
        "Serve the customers' portal and the office's web desk until Ctrl-C.",
    ),
    "landlord": CommandEntry(
        "command_line.commands.landlord",
        "landlord",
        "Say which portal user is which landlord; `list landlords` shows them.",
    ),
    "staff": CommandEntry(
        "command_line.commands.staff",
        "staff",
        "Say who may sign in to the office's pages; `billclose list staff` shows them.",
    ),
    "backup": CommandEntry(
        "command_line.commands.backup",
        "backup",
        "Write books, bills and settings into one file, while the office may work.",
    ),
    "restore": CommandEntry(
        "command_line.commands.backup",
        "restore",
        "Put a backup into a new home, and bring it up to date.",
    ),
    "split": CommandEntry(
        "command_line.commands.split",
        "split",
        "Write one PDF for each account of FILE, named after the account.",
    ),
    "pattern": CommandEntry(
        "command_line.commands.pattern",
        "pattern",
        "Show the text of some pages of FILE and the likely patterns to find accounts with.",
    ),
    "draft-export": CommandEntry(
        "command_line.commands.draft_export",
        "draft_export",
        "Write a first bundle.toml into FOLDER, from its tables' headings and its PDFs.",
    ),
    "replay": CommandEntry(
        "command_line.commands.replay",
        "replay",
        "Close the past months whose exports lie in FOLDER once more, in rehearsals, and compare.",
    ),
    "demo": CommandEntry(
        "command_line.demo.demo",
        "demo",
        "Make a city of some 500 accounts in a new home, close its month, say where to look.",
    ),
    "sandbox": CommandEntry(
        "command_line.commands.sandbox",
        "sandbox",
        "Run a cash-receipting service and a billing system to rehearse with, until interrupted.",
    ),
}
