"""The report of a close: what a clerk reads and an auditor keeps."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checklist import ChecklistItem, ChecklistLine, ChecklistMark
from domain.money import Money
from domain.runs import RunState
from reporting.report.page import render_page, write_page
from reporting.run_sheet.exceptions import ExceptionRow
from reporting.run_sheet.run_sheet import RunSheet
from tests.release import so_many
from tests.reporting.builders import (
    WRITTEN_AT,
    WaivedCheck,
    a_check,
    a_huge_close,
    a_refused_run,
    a_rehearsal,
    a_sheet,
    an_exception,
    exceptions_of,
    with_checks,
    with_exceptions,
)

VOID = {"meta", "link", "br", "hr", "img", "input"}
RUNS = {
    "perfect": (a_sheet(), []),
    "exceptions": with_exceptions(),
    "refused": a_refused_run(),
    "rehearsal": a_rehearsal(),
    "huge": a_huge_close(),
    "empty": (a_sheet(bills=0, checks=(), seconds={}), []),
}
HOSTILE = "</style></p><script>alert(1)</script><b onmouseover='x'>&amp;\"{{ 7 * 7 }}"


class Reader(HTMLParser):
    """Reads a page as a browser does and notes what is out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.faults: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page_of(sheet: RunSheet, exceptions: Iterable[ExceptionRow] = (), **more: object) -> str:
    return render_page(sheet, exceptions, written_at=WRITTEN_AT, version="0.1.0", **more)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def text_of(sheet: RunSheet, exceptions: Iterable[ExceptionRow] = (), **more: object) -> str:
    return read(page_of(sheet, exceptions, **more)).text


@pytest.mark.parametrize("period", RUNS)
def test_every_tag_is_closed_where_it_belongs(period):
    reader = read(page_of(*RUNS[period]))

    assert reader.faults == []
    assert reader.open == []


@pytest.mark.parametrize("period", RUNS)
def test_the_page_needs_nothing_else(period):
    reader = read(page_of(*RUNS[period]))

    outward = {
        value
        for _, attributes in reader.tags
        for name, value in attributes.items()
        if name in ("src", "href", "action", "data") and not (value or "").startswith("#")
    }
    assert set() == outward
    assert not {"script", "link", "iframe", "img", "object"} & {tag for tag, _ in reader.tags}


@pytest.mark.parametrize("period", RUNS)
def test_the_page_can_be_read_aloud(period):
    reader = read(page_of(*RUNS[period]))
    tags = [tag for tag, _ in reader.tags]

    assert reader.tags[0] == ("html", {"lang": "en"})
    assert tags.count("h1") == 1
    assert all("scope" in attributes for tag, attributes in reader.tags if tag == "th")
    assert all(
        "aria-label" in attributes or "aria-hidden" in attributes
        for tag, attributes in reader.tags
        if tag == "svg"
    )


@pytest.mark.parametrize("period", RUNS)
def test_what_is_pointed_to_is_there_once(period):
    reader = read(page_of(*RUNS[period]))
    names = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]

    wanted = {(a.get("href") or "")[1:] for tag, a in reader.tags if tag in ("a", "use")}
    wanted |= {a["aria-labelledby"] for _, a in reader.tags if "aria-labelledby" in a}

    assert sorted(set(names)) == sorted(names)
    assert wanted <= set(names)


def test_a_perfect_close_says_who_closed_what_and_when():
    text = text_of(a_sheet())

    assert (
        "Billing period 2026-10 was closed by dana.ruiz on Monday, November 2, 2026 at 9:04 AM MST;"
        " every total ties out and nothing needs a person."
    ) in text
    assert "Due date Friday, November 20, 2026" in text
    assert "larkspur-2026-10.zip SHA-256 9f2c41d07be6…" in text
    assert "Nothing. No check found anything, and every e-mail left." in text
    assert "does not tie out" not in text.lower()
    assert "Written Monday, November 2, 2026 at 9:11 AM MST by billclose 0.1.0." in text


@pytest.mark.parametrize(
    "figure",
    [
        "Bills 395 on 812 pages",
        "Amount due $54,902.17",
        "E-mailed 231 bills in 262 messages",
        "Printed 202 bills on 415 pages",
        "Autopay scheduled $18,340.72 141 payments, 4 drawn at once",
        "Exceptions 0 nothing needs a person",
        "Closing balance $55,561.44 $55,561.44 Ties out",
        "812 billed + 20 separators + 0 unassigned = 832 pages Ties out",
        "231 by e-mail + 202 printed − 38 both ways + 0 held back = 395 bills Ties out",
        "By e-mail only 193 49%",
        "Split bulk bills 15 s",
        "Guard calendar under 0.1 s",
    ],
)
def test_a_perfect_close_shows(figure):
    assert figure in text_of(a_sheet())


def test_a_total_that_does_not_tie_out_is_shown_with_the_difference():
    totals = a_sheet().totals
    sheet = a_sheet(totals=totals | {"payments": Money(-6_412_18), "bills": 394})

    page = page_of(sheet)

    text = read(page).text
    assert "-$6,443.65 -$6,412.18 Does not tie out: ours is $31.47 less" in text
    assert "Bills 395 394 Does not tie out: ours is 1 fewer" in text
    assert "= $55,561.44 closing balance Does not tie out: $31.47 too much" in text
    assert "3 totals do not tie out" in text
    assert page.count('<tr class="differs">') == 3
    assert 'class="verdict careful"' in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param(
            {"printed_total": Money(54_951_17), "checks": with_checks(a_check("billed-total", 1))},
            "= $54,951.17 printed on the bills Does not tie out: $49.00 apart",
            id="bills show more than is due",
        ),
        pytest.param(
            {"printed_total": Money(54_951_17)},
            "$49.00 apart for notices and amounts not read; bill by bill it ties out",
            id="notices show more than is due",
        ),
        pytest.param(
            {"printed_total": Money(0)},
            "Not compared: the bills' amounts were not read",
            id="no amount was read",
        ),
        pytest.param(
            {"bills": 397}, "= 397 bills Does not tie out: 2 too little", id="two bills stay"
        ),
        pytest.param(
            {"not_enrolled": 251}, "Does not tie out: 1 too much", id="an account in both lists"
        ),
        pytest.param(
            {"pages": {"total": 832, "billed": 811, "separators": 20, "unassigned": 1}},
            "1 page belongs to no bill",
            id="a page is left over",
        ),
    ],
)
def test_it_is_told_when(changes, says):
    assert says in text_of(a_sheet(**changes))


def test_a_refused_run_says_that_nothing_was_changed_and_why():
    text = text_of(*a_refused_run())

    assert (
        "Refused 3 blocking checks failed (page-unassigned, bill-missing, control-totals)."
    ) in text
    assert "Nothing was changed: no bill is visible, no balance moved" in text
    assert "02.1433.2 $31.12 billed, no bill found" in text
    assert "whole run bills.pdf, page 411: no account" in text


def test_the_guard_that_refused_is_quoted():
    sheet = a_sheet(state=RunState.REFUSED, closed_at=None, closed_by=None, checks=(), seconds={})

    text = text_of(sheet, refusal="The period ends today; close it on Monday.")

    assert "Refused The period ends today; close it on Monday. Nothing was changed" in text
    assert "No checks ran." in text


def test_a_rehearsal_speaks_of_what_would_be():
    text = text_of(*a_rehearsal())

    assert "Rehearsal (dry run) Billing period 2026-10 would close;" in text
    assert "Nothing was written, sent or drawn" in text
    assert "To be printed 202 bills" in text
    assert "Planned; counted after the close" in text


def test_a_rehearsal_that_went_to_its_end_speaks_of_what_would_be_too():
    """In its copy the period is closed; in the office it is not."""
    text = text_of(a_sheet(), rehearsal=True)

    for planned in ("To be e-mailed", "To be printed", "Autopay to schedule", "would leave"):
        assert planned in text
    for done in (
        "Approved",
        "E-mailed",
        "Printed",
        "Autopay scheduled",
        " sent",
        "How the bills left",
    ):
        assert done not in text.replace("scheduled, sent or drawn", "").replace(
            "written, sent or drawn", ""
        )


def test_a_rehearsal_that_would_be_refused_says_so():
    sheet, exceptions = a_refused_run()

    text = text_of(sheet, exceptions, rehearsal=True)

    assert "Rehearsal (dry run) The close would be refused: 3 blocking checks failed" in text


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ((ChecklistMark.DONE, ChecklistMark.ASKED), "would close; every total"),
        (
            (ChecklistMark.OPEN, ChecklistMark.DONE),
            "would close; 1 line of the checklist is open (feed-current); every total",
        ),
        (
            (ChecklistMark.OPEN, ChecklistMark.OPEN),
            "would close; 2 of the checklist are open (feed-current, backup-made); every total",
        ),
    ],
)
def test_the_headline_of_a_rehearsal_says_what_of_the_checklist_is_open(marks, said):
    items = (ChecklistItem.FEED_CURRENT, ChecklistItem.BACKUP_MADE)
    lines = tuple(
        ChecklistLine(item, mark, "So it stands.")
        for item, mark in zip(items, marks, strict=True)
    )  # fmt: skip

    sheet, exceptions = a_rehearsal()

    assert said in text_of(replace(sheet, checklist=lines), exceptions, rehearsal=True)


@pytest.mark.parametrize(
    ("remedy", "shown"),
    [
        ("Make one: `billclose backup --to FILE` (soon).",
         "<b>Make one: <code>billclose backup --to FILE</code> (soon).</b>"),
        ("`one` and `two`", "<b><code>one</code> and <code>two</code></b>"),
        ("a lone ` and <i>", "<b>a lone ` and &lt;i&gt;</b>"),
        ("`<script>` & more", "<b><code>&lt;script&gt;</code> &amp; more</b>"),
    ],
)  # fmt: skip
def test_a_remedys_command_is_set_as_what_is_typed(remedy, shown):
    line = ChecklistLine(ChecklistItem.BACKUP_MADE, ChecklistMark.OPEN, "No backup.", remedy)
    sheet, exceptions = a_rehearsal()

    assert shown in page_of(replace(sheet, checklist=(line,)), exceptions, rehearsal=True)


def test_a_run_waits_for_a_person():
    sheet = a_sheet(state=RunState.WAITING, closed_at=None, closed_by=None)

    assert "Waiting for approval Billing period 2026-10 is ready to close;" in text_of(sheet)


def test_a_close_that_was_interrupted_does_not_look_finished():
    seconds = dict(a_sheet().seconds)
    del seconds["schedule autopay"], seconds["write print batch"]

    text = text_of(a_sheet(seconds=seconds))

    assert "Not finished: autopay is not scheduled, the print batch is not written." in text
    assert "Not finished" not in text_of(a_sheet(seconds=seconds, state=RunState.FINISHED))


def test_what_needs_a_person_comes_by_urgency():
    text = text_of(*with_exceptions())

    order = ["The amount on a bill is not", "A bill could not be e-mailed", "A paperless account"]
    places = [text.index(words) for words in order]
    assert sorted(places) == places
    assert "14 waived, 29 to look at" in text
    assert "of 224 bills; 4 not sent" in text
    assert "Reprint of the fourteen bills is at the printer" in text
    assert "14 bills are held back, $1,103.20: not shown, mailed, printed or drawn" in text
    assert "Due 19 days after the period's end" in text


def test_no_address_of_a_customer_is_on_the_page():
    page = page_of(*with_exceptions())

    assert "pat.jones" not in page
    assert "3 × 550 5.1.1 &lt;(address)&gt;: mailbox unavailable" in page


def test_a_long_list_shows_twelve_and_holds_all():
    sheet, rows = a_sheet(), exceptions_of("email-invalid", 30)

    page = page_of(sheet, rows)

    first, rest = page.split("<details>")
    listed = re.compile(r'<span class="number">')
    assert len(listed.findall(first)) == 12
    assert len(listed.findall(rest)) == 30
    assert "and 18 more" in first
    assert "All 30 accounts" in rest


def test_five_thousand_exceptions_are_all_there():
    page = page_of(*a_huge_close(5000))

    assert page.count("<td>The bill shows 2026-11-21</td>") == 2500 + 12
    assert "5,000" in read(page).text
    assert len(page) < 1_000_000


@settings(max_examples=so_many(25, release=100), deadline=None)
@given(text=st.text(max_size=60) | st.just(HOSTILE) | st.text("<>&\"'/{}%# \\script", max_size=40))
def test_no_text_from_outside_becomes_markup(text):
    sheet = a_sheet(
        utility=text,
        period=text,
        export_name=text,
        closed_by=text,
        approved_by=text,
        waivers=(WaivedCheck(text, text, text, WRITTEN_AT),),
        seconds={text: 1.0},
    )
    rows = [
        an_exception("bill-amount", account=text, message=text, fix=text),
        an_exception(text or "x", account=text, message=text, fix=text),
    ]
    harmless = replace(sheet, utility="x", period="x", export_name="x", seconds={"x": 1.0})
    harmless = replace(harmless, waivers=(WaivedCheck("x", "x", "x", WRITTEN_AT),))
    plain = [replace(row, account=row.account and "x", message="x", fix="x") for row in rows]

    reader = read(page_of(sheet, rows))

    assert reader.faults == []
    assert "script" not in {tag for tag, _ in reader.tags}
    assert len(read(page_of(harmless, plain)).tags) >= len(reader.tags)


def test_a_hostile_name_cannot_leave_the_style_element():
    page = page_of(a_sheet(utility=HOSTILE))

    assert page.count("</style>") == 1
    assert "49" not in re.search(r"<h1>.*?</h1>", page).group()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_same_close_makes_the_same_page():
    assert page_of(*with_exceptions()) == page_of(*with_exceptions())


def test_a_moment_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        render_page(a_sheet(), [], written_at=datetime(2026, 11, 2), version="1")


def test_only_the_owner_may_read_the_file(tmp_path: Path):
    path = tmp_path / "reports" / "2026-10" / "report.html"

    write_page(path, a_sheet(), [], written_at=WRITTEN_AT, version="0.1.0")

    modes = [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]
    assert page_of(a_sheet()) == path.read_text("utf-8")


def test_the_old_report_stays_where_the_new_one_fails(tmp_path: Path):
    path = tmp_path / "report.html"
    write_page(path, a_sheet(), [], written_at=WRITTEN_AT, version="0.1.0")
    before = path.read_bytes()

    with pytest.raises(KeyError):
        write_page(path, a_sheet(totals={}), [], written_at=WRITTEN_AT, version="0.1.0")

    assert before == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_colors_are_easy_to_read():
    style = page_of(a_sheet())
    color = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", style))
    pairs = [(name, "white") for name in ("ink", "quiet", "accent", "good", "careful", "bad")]
    pairs += [(name, f"{name}-tint") for name in ("good", "careful", "bad")]
    pairs += [("quiet", f"{name}-tint") for name in ("good", "careful", "bad")]

    color["white"] = "#ffffff"
    poor = [pair for pair in pairs if contrast(color[pair[0]], color[pair[1]]) < 4.5]  # WCAG AA

    assert poor == []


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
