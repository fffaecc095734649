"""Every command that acts: it takes a time and a document, and a rehearsed one is refused."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator

import click
import pytest

from command_line.options import LOOKING, in_words
from command_line.registry import COMMANDS
from tests.builders_export import write_export

TIME = "2026-11-02T09:00"
REASON = ("--reason", "a test")
# What it takes to call each command that acts in a home, but for --as-of.
ACTING = {
    "import": ("EXPORT",),
    "check": ("2026-10",),
    "checks mute": ("usage-outlier", "01.1001.1", "--until", "2026-12-31", *REASON),
    "checks set": ("usage-outlier", "factor=3", *REASON),
    "checks suite": (),
    "checks unmute": ("usage-outlier", "01.1001.1"),
    "close": ("EXPORT", "--yes"),
    "approve": ("2026-10",),
    "refuse": ("2026-10", *REASON),
    "pages drop": ("2026-10", "bills.pdf", "1", *REASON),
    "pages forget": ("2026-10", "bills.pdf", "1", *REASON),
    "pages give": ("2026-10", "bills.pdf", "1", "--to", "01.1001.1", *REASON),
    "outsort": ("01.1001.1", "--period", "2026-10", *REASON),
    "release": ("01.1001.1", "--period", "2026-10", *REASON),
    "schedule-autopay": ("2026-10",),
    "print": (),
    "autopay cancel": ("01.1001.1", "--yes", *REASON),
    "autopay enroll": ("01.1001.1", "--user", "a@b.example", "--method", "t", "--days-prior", "0"),
    "autopay reinstate": ("01.1001.1", *REASON),
    "collect": (),
    "retry-postings": ("--now",),
    "unknown decide": ("--all-agreed",),
    "feed accept-gap": ("3", *REASON),
    "feed take-in": (),
    "balances decide": ("1", "--contained", *REASON),
    "correct": ("01.1001.1", "--period", "2026-10", "--bundle", "EXPORT", *REASON),
    "undo": ("2026-10", "--yes", *REASON),
    "refund": ("X1", *REASON),
    "arrange": ("01.1001.1", "--installments", "2", "--yes", *REASON),
    "deposits match": ("FILE",),
    "deposits settle": ("X1", *REASON),
    "landlord end": ("L1", "a@b.example", *REASON),
    "landlord link": ("L1", "a@b.example", *REASON),
    "remind": (),
    "notify": (),
    "hold lift": ("1", *REASON),
    "hold place": ("01.1001.1", "--until", "2026-12-31", *REASON),
    "mail again": ("--failed", "2026-10", *REASON),
    "mail confirm": ("X1", *REASON),
    "mail send": (),
    "texts announce": ("--text", "FILE", "--to-customers"),
    "texts send": (),
    "texts stop": ("970-555-0100",),
    "texts take-back": ("1", *REASON),
    "process-bounces": (),
    "bounces lift": ("a@b.example", *REASON),
    "bounces settle": ("X1", *REASON),
    "communication add": ("FILE", "--title", "News"),
    "communication change": ("1", "--title", "News"),
    "communication remove": ("1", *REASON),
    "communication resubscribe": ("a@b.example", *REASON),
    "communication send": ("--subject", "News", "--body", "FILE", "--to-customers"),
    "communication unsubscribe": ("a@b.example",),
    "export-usage": ("--clean",),
    "alerts test": (),
    "auditors-pack": ("2026-10", "--to", "pack.zip"),
    "staff add": ("a@b.example", "--role", "clerk", "--print-link"),
    "staff link": ("a@b.example", "--print-link"),
    "staff lock": ("a@b.example",),
    "staff role": ("a@b.example", "clerk"),
    "backup": ("--to", "backup.tar.gz"),
}
TIMELESS = {  # and what they do is of no business day
    "init": "makes the home itself",
    "restore": "makes the home itself",
    "demo": "has its own month and its own day",
    "split": "has no home",
    "pattern": "has no home",
    "draft-export": "has no home",
    "replay": "closes each past month on its own day, and keeps nothing",
    "audit verify": "adds up what stands, whenever that was",
    "mail status": "shows the outbox as it is",
    "texts status": "shows the outbox as it is",
    "checks list": "shows what is set",
    "checks muted": "shows what is set",
    "checks try": "tries limits on the books as they are",
    "approvals": "shows what waits",
    "pages list": "shows the books as they are",
    "pages show": "shows the books as they are",
    "bounces list": "shows the books as they are",
    "rounds": "a rehearsed clock must not move the rounds of an office",
    "work": "serves until it is told to stop",
    "up": "serves until it is told to stop",
    "sandbox": "serves until it is told to stop",
}
SERVING = {"up", "web", "sandbox"}  # what they say is told as they go on


def leaves(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    """Yield each command that can be called, by the words that call it."""
    if not isinstance(command, click.Group):
        yield " ".join(words), command
        return
    if command.invoke_without_command:
        yield " ".join(words), command
    for name, inner in command.commands.items():
        yield from leaves(inner, (*words, name))


def every_command() -> dict[str, click.Command]:
    entries = {
        name: getattr(importlib.import_module(entry.module), entry.name)
        for name, entry in COMMANDS.items()
    }
    return dict(found for name, one in entries.items() for found in leaves(one, (name,)))


def options_of(command: click.Command) -> set[str]:
    return {name for one in command.params for name in one.opts}


def test_every_command_prints_a_document():
    found = every_command()

    lacking = {name for name, one in found.items() if "--json" not in options_of(one)}

    assert lacking == SERVING


def test_every_command_that_acts_takes_a_time():
    found = every_command()

    lacking = {name for name, one in found.items() if "--as-of" not in options_of(one)}

    assert lacking == set(TIMELESS)


def test_every_command_acts_or_looks_or_is_timeless():
    named = {*ACTING, *LOOKING, *TIMELESS, "web"}

    assert set() == set(every_command()) - named
    assert set() == set(ACTING) & {*LOOKING, *TIMELESS}


@pytest.fixture(scope="module")
def own(prepared, tmp_path_factory):
    """An office's own home, which is none for rehearsals, and what stands beside it."""
    place = tmp_path_factory.mktemp("own")
    write_export(place / "export")
    (place / "text.pdf").write_text("News")
    desk = prepared.copied(place / "office")
    return type(desk)(desk.home, desk.settings | {"BILLCLOSE_CLOCK__REHEARSAL": "false"})


@pytest.mark.parametrize("name", sorted(ACTING))
def test_a_rehearsed_time_is_refused_in_an_offices_own_home(own, name):
    place = own.home.parent
    stands_for = {"EXPORT": place / "export", "FILE": place / "text.pdf"}
    words = [stands_for.get(word, word) for word in ACTING[name]]
    before = own.files()

    answer = own(*name.split(), *words, "--as-of", TIME, "--json")

    assert (2, "no-rehearsal") == (answer.status, answer.json["failure"]["code"]), answer.err
    assert before == own.files()


def documents(desk, *calls):
    """Call one after the other; each must end well and print one document."""
    found = []
    for words in calls:
        answer = desk(*words, "--json")
        assert 0 == answer.status, (words, answer.err)
        found.append(json.loads(answer.out))
    return found


def test_what_is_set_and_decided_is_told_in_documents(prepared, tmp_path):
    desk = prepared.copied(tmp_path / "office")
    mailbox, until = "ann@larkspur.example", ("--until", "2026-12-31")
    at = ("--as-of", TIME)

    _, *told = documents(
        desk,
        ("import", write_export(tmp_path / "export"), *at),
        ("checks", "set", "usage-outlier", "factor=3", *REASON, *at),
        ("checks", "mute", "usage-outlier", "01.1037.1", *until, *REASON, *at),
        ("checks", "unmute", "usage-outlier", "01.1037.1"),
        ("checks", "suite"),
        ("checks", "suite"),
        ("staff", "add", mailbox, "--role", "clerk", "--print-link", *at),
        ("staff", "link", mailbox, "--print-link"),
        ("staff", "role", mailbox, "auditor"),
        ("staff", "lock", mailbox),
        ("communication", "unsubscribe", mailbox),
        ("communication", "resubscribe", mailbox, *REASON),
        ("preview", "bill", "--sample", "--to", tmp_path / "bill.eml"),
        ("backup", "--to", tmp_path / "backup.tar.gz"),
        ("init",),
    )

    assert {"done"} == {one["status"] for one in told}
    assert [{"name": "factor", "value": "3", "service": "", "rate_code": ""}] == told[0]["set"]
    assert [True, False] == [one["written"] for one in told[3:5]]
    assert all("/office/password/" in one["link"] for one in told[5:7])
    assert ("auditor", False) == (told[7]["role"], told[9]["before"])
    assert (tmp_path / "bill.html").is_file()
    assert (str(tmp_path / "backup.tar.gz"), False) == (told[12]["file"], told[13]["created"])
    assert [True] == [row["rehearsed"] for row in desk.rows("audit", "action=set check")]


def test_a_reason_is_made_of_words_wherever_one_is_asked_for():
    asked = {
        name: option.callback
        for name, command in every_command().items()
        for option in command.params
        if "--reason" in option.opts and option.required
    }

    assert {"landlord link", "landlord end", "texts take-back"} <= asked.keys()
    assert [] == [name for name, check in asked.items() if check is not in_words]
