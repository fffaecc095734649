"""What `billclose --help` says beside each command's line: groups, and an example of each."""

from __future__ import annotations

GROUPS: dict[str, tuple[str, ...]] = {  # as README's table has them; what is in none comes last
    "The close": (
        "import", "check", "close", "pages", "schedule-autopay", "print", "outsort", "release",
        "correct", "undo",
    ),
    "A yes by somebody else": ("approvals", "approve", "refuse"),
    "Looking up": ("status", "list", "find", "show", "why"),
    "Autopay and money": (
        "autopay", "collect", "retry-postings", "unknown", "refund", "deposits", "journal",
    ),
    "Between two closes": ("feed", "balances"),
    "Every night": ("remind", "notify", "hold"),
    "Mail": (
        "mail", "preview", "process-bounces", "bounces", "communication", "export-usage",
    ),
    "Is all well": ("health", "calendar", "rounds", "alerts"),
    "For an auditor": ("audit", "auditors-pack"),
    "The machines": ("init", "up", "work", "web", "staff", "backup", "restore"),
    "Without a home": ("split", "pattern", "draft-export", "demo", "sandbox"),
}  # fmt: skip

EXAMPLES: dict[str, tuple[str, ...]] = {
    "init": ("billclose --home my-office init",),
    "import": ("billclose import october.zip",),
    "check": ("billclose check 2026-10",),
    "close": ("billclose close october.zip --dry-run", "billclose close 2026-10 --yes"),
    "approve": ("billclose approve 2026-10",),
    "refuse": ('billclose refuse 2026-10 --reason "the garbage charges are missing"',),
    "approvals": ("billclose approvals",),
    "pages": ("billclose pages 2026-10",),
    "outsort": ('billclose outsort 01.1037.1 --period 2026-10 --reason "meter to be read again"',),
    "release": ("billclose release 01.1037.1 --period 2026-10",),
    "schedule-autopay": ("billclose schedule-autopay 2026-10 --dry-run",),
    "print": ("billclose print",),
    "list": (
        "billclose list bills --where 'amount_due>500' --sort -amount_due --limit 20",
        "billclose list deliveries --where status=failed --xlsx failed.xlsx",
    ),
    "find": ("billclose find beltran canyon", "billclose find 555-0148"),
    "show": ("billclose show 01.1037.1",),
    "why": ("billclose why 01.1037.1 --period 2026-10",),
    "status": ("billclose status",),
    "autopay": ("billclose autopay show 01.1037.1",),
    "collect": ("billclose collect --dry-run",),
    "retry-postings": ("billclose retry-postings --now",),
    "unknown": ("billclose unknown",),
    "feed": ("billclose feed status",),
    "balances": ('billclose balances decide feed/M-118 --contained --reason "seen in the export"',),
    "refund": ('billclose refund SBX-90017 --amount 20.00 --reason "paid twice"',),
    "deposits": ("billclose deposits",),
    "journal": ("billclose journal --period 2026-10 --to october.journal",),
    "remind": ("billclose remind --dry-run",),
    "notify": ("billclose notify",),
    "hold": ('billclose hold place 01.1037.1 --until 2026-12-01 --reason "pays by the week"',),
    "mail": ("billclose mail status",),
    "preview": ("billclose preview bill --period 2026-10 --open",),
    "process-bounces": ("billclose process-bounces",),
    "bounces": ("billclose bounces list",),
    "communication": ("billclose communication list",),
    "export-usage": ("billclose export-usage 01.1037.1",),
    "alerts": ("billclose alerts test",),
    "rounds": ("billclose rounds",),
    "health": ("billclose health",),
    "calendar": ("billclose calendar 2027 --html 2027.html",),
    "audit": ("billclose audit verify",),
    "auditors-pack": ("billclose auditors-pack 2026-10 --to october.zip",),
    "up": ("billclose up",),
    "work": ("billclose work",),
    "web": ("billclose web",),
    "staff": ("billclose staff add anna@example.org --role clerk",),
    "backup": ("billclose backup --to office.tar.gz",),
    "restore": ("billclose --home new-office restore --from office.tar.gz",),
    "split": (r"billclose split bills.pdf --account 'Account: ([\d.]+)' --to bills",),
    "pattern": ("billclose pattern bills.pdf",),
    "draft-export": ("billclose draft-export october",),
    "demo": ("billclose demo",),
    "sandbox": ("billclose sandbox",),
}


def grouped(names: list[str]) -> list[tuple[str, list[str]]]:
    """Put commands into their groups, each in its group's order; those of none at the end."""
    known = {name for group in GROUPS.values() for name in group}
    found = [(title, [name for name in group if name in names]) for title, group in GROUPS.items()]
    others = [name for name in names if name not in known]
    return [(title, group) for title, group in [*found, ("Others", others)] if group]
