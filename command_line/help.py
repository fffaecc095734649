"""What `billclose --help` says beside each command's line: groups, and an example of each."""

from __future__ import annotations

GROUPS: dict[str, tuple[str, ...]] = {  # as docs/commands.md has them; what is in none comes last
    "The close": (
        "import", "check", "close", "pages", "schedule-autopay", "print", "outsort", "release",
        "correct", "undo", "replay",
    ),
    "A yes by somebody else": ("approvals", "approve", "refuse"),
    "Looking up": ("status", "list", "find", "show", "why"),
    "Autopay and money": (
        "autopay", "collect", "retry-postings", "unknown", "refund", "arrange", "deposits",
        "journal",
    ),
    "Between two closes": ("feed", "balances"),
    "Every night": ("remind", "notify", "hold"),
    "Mail": (
        "mail", "texts", "preview", "process-bounces", "bounces", "communication", "export-usage",
    ),
    "The office's checks": ("checks",),
    "Is all well": ("health", "calendar", "rounds", "alerts"),
    "For an auditor": ("audit", "auditors-pack"),
    "The machines": ("init", "up", "work", "web", "staff", "landlord", "backup", "restore"),
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
    "feed": ("billclose feed", "billclose feed movements.csv"),
    "balances": ('billclose balances decide feed/M-118 --contained --reason "seen in the export"',),
    "refund": ('billclose refund SBX-90017 --amount 20.00 --reason "paid twice"',),
    "arrange": (
        'billclose arrange 01.1037.1 --installments 4 --every month --reason "asked by phone"',
        "billclose arrange 01.1037.1 --on 2026-12-01=80.00 --on 2027-01-04=60.00 --reason asked",
    ),
    "deposits": ("billclose deposits",),
    "journal": ("billclose journal --period 2026-10 --to october.journal",),
    "remind": ("billclose remind --dry-run",),
    "notify": ("billclose notify",),
    "hold": ('billclose hold place 01.1037.1 --until 2026-12-01 --reason "pays by the week"',),
    "mail": ("billclose mail status",),
    "texts": ("billclose texts status",),
    "preview": ("billclose preview bill --account 01.1037.1 --open",),
    "process-bounces": ("billclose process-bounces",),
    "bounces": ("billclose bounces list",),
    "communication": ("billclose communication list",),
    "export-usage": ("billclose export-usage 01.1037.1 --to ann@example.org",),
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
    "landlord": ('billclose landlord link L1 lara@example.org --reason "owns 4 Elm St"',),
    "texts announce": (
        "billclose texts announce --text water-off.txt --to-customers --dry-run",
        "billclose texts announce --text water-off.txt --where zip=84840 --yes-to 120",
    ),
    "texts take-back": ('billclose texts take-back 3 --reason "the water is back"',),
    "landlord link": ('billclose landlord link L1 lara@example.org --reason "owns 4 Elm St"',),
    "landlord end": ('billclose landlord end L1 lara@example.org --reason "sold 4 Elm St"',),
    "backup": ("billclose backup --to office.tar.gz",),
    "restore": ("billclose --home new-office restore --from office.tar.gz",),
    "split": (r"billclose split bills.pdf --account 'Account: ([\d.]+)' --to bills",),
    "pattern": ("billclose pattern bills.pdf",),
    "draft-export": ("billclose draft-export october",),
    "replay": ("billclose replay past-exports --against what-we-did",),
    "demo": ("billclose demo",),
    "sandbox": ("billclose sandbox",),
    "checks": ("billclose checks list",),
    "checks list": ("billclose checks list", "billclose checks list usage-outlier --json"),
    "checks set": (
        'billclose checks set usage-outlier severity=fold --reason "the council asked for it"',
        'billclose checks set usage-outlier WATER/IRR factor=3 --reason "sprinklers"',
    ),
    "checks mute": (
        "billclose checks mute usage-outlier 01.1037.1 --until 2027-03-31 "
        '--reason "a pool is filled"',
    ),
    "checks muted": ("billclose checks muted",),
    "checks unmute": ("billclose checks unmute usage-outlier 01.1037.1",),
    "checks try": ("billclose checks try usage-outlier factor=2.5 --periods 6",),
    "checks suite": ("billclose checks suite",),
    "correct": (
        "billclose correct 01.1037.1 --period 2026-10 --bundle corrected "
        '--reason "the meter was misread"',
    ),
    "undo": ("billclose undo 2026-10 --dry-run", 'billclose undo 2026-10 --reason "old rates"'),
    "pages list": ("billclose pages list 2026-10 --unassigned",),
    "pages show": ("billclose pages show 2026-10 bills.pdf 17 --picture page.png",),
    "pages give": (
        'billclose pages give 2026-10 bills.pdf 17 --to 01.1037.1 --reason "read by eye"',
    ),
    "pages drop": ('billclose pages drop 2026-10 bills.pdf 17 --reason "a cover sheet"',),
    "pages forget": ('billclose pages forget 2026-10 bills.pdf 17 --reason "looked at again"',),
    "autopay enroll": (
        "billclose autopay enroll 01.1037.1 --user ana@example.org --method tok_1 --days-prior 5",
    ),
    "autopay cancel": ('billclose autopay cancel 01.1037.1 --reason "asked at the counter"',),
    "autopay reinstate": ('billclose autopay reinstate 01.1037.1 --reason "a new bank account"',),
    "autopay show": ("billclose autopay show 01.1037.1",),
    "unknown decide": (
        "billclose unknown decide autopay/2026-10/01.1037.1 --never-arrived "
        '--reason "the gateway\'s desk looked"',
    ),
    "feed take-in": ("billclose feed take-in feed",),
    "feed accept-gap": ('billclose feed accept-gap 118 --reason "written twice by mistake"',),
    "balances decide": (
        'billclose balances decide feed/M-118 --carried --reason "came after the export"',
    ),
    "deposits match": ("billclose deposits match november.bai --json",),
    "deposits settle": ('billclose deposits settle po_1/fee --reason "agreed with the bank"',),
    "texts status": ("billclose texts status --json",),
    "texts send": ("billclose texts send",),
    "texts stop": ("billclose texts stop 435-555-0142",),
    "hold place": (
        'billclose hold place 01.1037.1 --until 2026-12-01 --reason "pays by the week"',
    ),
    "hold lift": ('billclose hold lift 3 --reason "paid"',),
    "hold list": ("billclose hold list",),
    "mail again": ('billclose mail again --failed 2026-10 --reason "the server was down"',),
    "mail confirm": (
        'billclose mail confirm 7f3a@larkspur.example --reason "seen in the server\'s log"',
    ),
    "mail send": ("billclose mail send",),
    "mail status": ("billclose mail status 2026-10",),
    "bounces lift": ('billclose bounces lift ana@example.org --reason "she called"',),
    "bounces list": ("billclose bounces list",),
    "bounces settle": ('billclose bounces settle 12 --reason "an answer from vacation"',),
    "communication add": (
        'billclose communication add rates.pdf --title "New rates" --expires 2027-01-31',
    ),
    "communication change": ("billclose communication change 2 --expires 2027-03-31",),
    "communication list": ("billclose communication list",),
    "communication remove": ('billclose communication remove 2 --reason "an old version"',),
    "communication send": (
        'billclose communication send --subject "New rates" --body rates.txt --to-customers '
        "--dry-run",
    ),
    "communication unsubscribe": ("billclose communication unsubscribe ana@example.org",),
    "communication resubscribe": (
        'billclose communication resubscribe ana@example.org --reason "asked by phone"',
    ),
    "alerts test": ("billclose alerts test",),
    "audit verify": ("billclose audit verify",),
    "staff add": ("billclose staff add anna@example.org --role clerk",),
    "staff link": ("billclose staff link anna@example.org",),
    "staff lock": ("billclose staff lock anna@example.org",),
    "staff role": ("billclose staff role anna@example.org supervisor",),
}


def grouped(names: list[str]) -> list[tuple[str, list[str]]]:
    """Put commands into their groups, each in its group's order; those of none at the end."""
    known = {name for group in GROUPS.values() for name in group}
    found = [(title, [name for name in group if name in names]) for title, group in GROUPS.items()]
    others = [name for name in names if name not in known]
    return [(title, group) for title, group in [*found, ("Others", others)] if group]
