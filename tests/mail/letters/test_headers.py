"""The headers of a mail: each as it is meant, and none that anybody slipped in."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from domain.failures import Misuse, PermanentFailure
from mail.letters.links import Unsubscribing
from mail.message.mime import (
    LONGEST_TEXT,
    Attachment,
    Heading,
    Unsubscribe,
    build,
    one_line,
    to_headers,
)
from tests.release import so_many

HEADING = Heading(
    "City of Larkspur", "billing@larkspur.example", "ann@customer.example", "Your bill",
    datetime.fromisoformat("2026-11-02T06:00:00-07:00"), "<bill.1@larkspur.example>",
    reply_to="desk@larkspur.example",
)  # fmt: skip
NAMES = [
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
]  # fmt: skip
LIST_NAMES = ["Precedence", "List-Unsubscribe", "List-Unsubscribe-Post"]
HOSTILE = (
    "x\r\nBcc: evil@x.example", "x\nBcc: e@x", "\rBcc: e@x", "a\r\n\r\n<html>", "\0", "a\u2028b",
    "a\u2029b", "\x85", "\x0b\x0c", "=?utf-8?q?x?=", "\u202egpj.exe", "\u2066x\u2069", "a" * 1200,
    "a b " * 400, "日本語" * 200, 'a"b\\c', "Ann <evil@x.example>, ", "é" * 300, " x ", "",
    "\ud800", "O'Neil, Ann; LLC (x) @ [y]:", "x" * 76 + " y", "=?", "?=", "\u00a0", "👩‍👩‍👧", "\t",
)  # fmt: skip
hostile = st.text(max_size=120) | st.sampled_from(HOSTILE) | st.tuples(
    st.sampled_from(HOSTILE), st.text(max_size=40), st.sampled_from(HOSTILE)
).map("".join)  # fmt: skip


def header_lines(source: bytes) -> list[bytes]:
    return source.partition(b"\r\n\r\n")[0].split(b"\r\n")


def parsed(source: bytes):
    return message_from_bytes(source, policy=default)


def written(**changes: object) -> bytes:
    return build(replace(HEADING, **changes), "x", "x", "=_boundary")


def squeezed(text: str) -> str:
    return "".join(text.split())


def require_sound(source: bytes) -> None:
    """Each line ends in CRLF, is short enough, and begins a header or goes on with one."""
    lines = header_lines(source)
    assert all(len(line) <= 998 for line in lines)
    assert all(re.match(rb"[ \t]\S|[A-Z][A-Za-z-]+: (\S|$)", line) for line in lines)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", source)


@settings(max_examples=so_many(50, release=300), deadline=None)
@given(subject=hostile, name=hostile, file_name=hostile)
@example(subject="x" * 400, name="x" * 400, file_name="x" * 400)
def test_headers_read_back_exactly_and_none_comes_in(subject, name, file_name):
    attachment = Attachment(file_name, b"%PDF")

    source = build(replace(HEADING, subject=subject, from_name=name), "x", "x", "=_b", attachment)

    message = parsed(source)
    require_sound(source)
    assert [*NAMES, "Content-Type"] == message.keys()
    assert one_line(subject)[:LONGEST_TEXT].rstrip() == str(message["Subject"]).rstrip()
    (sender,) = message["From"].addresses
    assert ("billing@larkspur.example", squeezed(one_line(name)[:LONGEST_TEXT])) == (
        sender.addr_spec,
        squeezed(sender.display_name),  # Python puts a space between encoded words of a name
    )
    assert "ann@customer.example" == message["To"]
    assert "desk@larkspur.example" == message["Reply-To"]
    (pdf,) = message.iter_attachments()
    assert not re.search(r"[/\\\0\r\n\u202a-\u202e\u2066-\u2069]", pdf.get_filename())
    assert 0 < len(pdf.get_filename()) <= 70


@settings(max_examples=so_many(50, release=200), deadline=None)
@given(address=hostile)
def test_an_address_never_begins_a_header(address):
    address = address[:320]
    assume(one_line(address))

    source = written(recipient=address, reply_to=address, from_address=address)

    require_sound(source)
    names = [line.split(b":")[0].decode() for line in header_lines(source) if line[:1] != b" "]
    assert [*NAMES, "Content-Type"] == names


@settings(max_examples=so_many(50, release=200))
@given(text=hostile)
def test_one_line_is_one_line_that_reads_one_way(text):
    line = one_line(text)

    assert line == " ".join(line.split())
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(char) for char in line}
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") & set(line)


@pytest.mark.parametrize(
    ("subject", "lines"),
    [
        pytest.param("Your bill", [b"Subject: Your bill"], id="short"),
        pytest.param("Grüße", [b"Subject: =?utf-8?b?R3LDvMOfZQ==?="], id="other letters, RFC 2047"),
        pytest.param(
            "one two three four five six seven eight nine ten eleven twelve thirteen fourteen",
            [
                b"Subject: one two three four five six seven eight nine ten eleven twelve",
                b" thirteen fourteen",
            ],
            id="long, folded at a space",
        ),
    ],
)
def test_a_subject_is_written(subject, lines):
    found = header_lines(written(subject=subject))

    first = next(number for number, line in enumerate(found) if line.startswith(b"Subject"))
    assert lines == found[first : first + len(lines)]


def test_encoded_words_are_short_and_whole_letters():
    source = written(subject="日本語" * 60, from_name="Stadt Überlingen, Kämmerei " * 5)

    words = re.findall(rb"=\?utf-8\?b\?[A-Za-z0-9+/=]*\?=", source)
    assert len(words) > 5
    assert all(len(word) <= 75 for word in words)
    assert all(len(line) <= 78 for line in header_lines(source))


def test_the_date_is_the_utilitys_and_vacation_replies_stay_away():
    message = parsed(written())

    assert "Mon, 02 Nov 2026 06:00:00 -0700" == message["Date"]
    assert "auto-generated" == message["Auto-Submitted"]
    assert None is message["Precedence"]


def test_what_is_too_long_for_an_address_is_none():
    with pytest.raises(PermanentFailure, match="more than 320 characters"):
        written(recipient=f"{'a' * 320}@x.example")


def test_an_address_of_other_letters_stands_there_as_it_is():
    """RFC 6532: only a message that goes as SMTPUTF8 has one."""
    source = written(recipient="jörg@müller.example")

    assert "To: jörg@müller.example".encode() in header_lines(source)
    assert written().isascii()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("../../etc/passwd.pdf", "-..-etc-passwd.pdf", id="a path"),
        pytest.param("C:\\bill.pdf", "C-bill.pdf", id="a drive"),
        pytest.param("Änderung 2026.pdf", "Änderung 2026.pdf", id="RFC 2231"),
        pytest.param("\u202efdp.exe", "fdp.exe", id="turned round"),
        pytest.param("...", "attachment", id="nothing left"),
        pytest.param("料" * 100 + ".pdf", "料" * 60 + ".pdf", id="too long"),
    ],
)
def test_a_file_name_is_what_it_says(name, expected):
    source = build(HEADING, "x", "x", "=_b", Attachment(name, b"%PDF"))

    (pdf,) = parsed(source).iter_attachments()
    assert expected == pdf.get_filename()
    assert source.isascii()
    assert max(map(len, source.split(b"\r\n"))) <= 998


# -- communications -------------------------------------------------------------------------------


def test_a_communication_shows_the_way_out_on_one_line_of_ascii():
    url = f"https://larkspur.example/out/{'a' * 300}"

    source = written(unsubscribe=Unsubscribe(url, "mailto:out@larkspur.example?subject=out"))

    lines = header_lines(source)
    expected = f"List-Unsubscribe: <{url}>, <mailto:out@larkspur.example?subject=out>"
    assert expected.encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert b"Precedence: bulk" in lines
    assert [*NAMES, *LIST_NAMES, "Content-Type"] == parsed(source).keys()


def test_without_a_web_address_there_is_no_one_click():
    source = written(unsubscribe=Unsubscribe(mailto="mailto:out@larkspur.example"))

    assert [*NAMES, *LIST_NAMES[:2], "Content-Type"] == parsed(source).keys()


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/é", "https://x.example/a b", "https://x.example/\r\nBcc: e@x",
        "https://x.example/>,<mailto:e@x", f"https://x.example/{'a' * 1000}", "",
    ],
)  # fmt: skip
def test_a_way_out_that_no_mail_program_would_find_is_refused(url):
    with pytest.raises(Misuse, match="unsubscribe"):
        to_headers(replace(HEADING, unsubscribe=Unsubscribe(url)))


def test_a_token_is_the_mailboxs_alone_and_shows_nothing_of_it():
    ours = Unsubscribing(b"secret", "https://x.example/{token}", "out@x.example")
    boxes = ["ann@customer.example", "bob@customer.example"]

    ways = ours.ways_out("Ann@Customer.example")
    token = ours.token("ann@customer.example")

    assert (
        Unsubscribe(
            f"https://x.example/{token}", f"mailto:out@x.example?subject=unsubscribe%20{token}"
        )
        == ways
    )
    assert re.fullmatch(r"[a-z2-7]{24}", token)
    assert "ann@customer.example" == ours.find_mailbox(token.upper(), boxes)
    assert None is ours.find_mailbox(token, boxes[1:])
    assert None is Unsubscribing(b"other").find_mailbox(token, boxes)
    assert None is Unsubscribing(b"secret").ways_out("ann@customer.example")
    assert "secret" not in repr(ours)
