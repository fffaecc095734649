"""The words and the bytes of a mail."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.failures import Misuse
from domain.money import Money
from mail.keys import delivery_key, file_stem, message_id
from mail.letters.bill import FORM_TITLES, AnnouncedDraw, BillLetter, a_sample, variables
from mail.letters.phrases import period_words
from mail.letters.templates import Templates
from mail.message.addresses import to_envelope_address
from mail.message.mime import Attachment, Heading, build, to_base64
from mail.previews.previewing import render_sample
from mail.rendering.bills import Sender, Stamp, compose_mail
from mail.smtp.envelope import to_wire
from tests.release import so_many

FORMS = [*FORM_TITLES, "backflow-test"]
TEMPLATES = Templates()
HEADING = Heading(
    "City of Larkspur", "billing@larkspur.example", "ann@customer.example", "Your bill",
    datetime(2026, 11, 2, 13, tzinfo=UTC), "<bill.1@larkspur.example>",
)  # fmt: skip
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
}  # fmt: skip
anything = st.text(max_size=60) | st.sampled_from(
    [
        "x\r\nBcc: evil@x.example",
        "x\nBcc: e@x",
        "\rBcc: e@x",
        "\0",
        "a\u2028b",
        "\x85",
        "=?utf-8?q?x?=",
    ]
)


def parsed(message: bytes):
    return message_from_bytes(message, policy=default)


def a_letter(form: str = "utility-bill", **facts) -> BillLetter:
    return replace(a_sample(form), **facts)


class Page(HTMLParser):
    """The tags of a page, in which everything opened must be closed in order."""

    EMPTY = ("meta", "br", "img")

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag == self.open.pop()


# -- templates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_a_mail_of_its_own_that_parses(form):
    """Rule 14."""
    source = render_sample(form)

    message = parsed(source)

    assert message.defects == []
    assert message.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "multipart/alternative",
        "application/pdf",
    ]
    assert {part.get_content_type() for part in message.walk()} >= {"text/plain", "text/html"}
    assert all(part.defects == [] for part in message.walk())
    assert set(message.keys()) == HEADERS
    assert "01.1037.1" in message["Subject"]
    assert b"\n" not in source.replace(b"\r\n", b"")
    assert max(len(line) for line in source.split(b"\r\n")) <= 998


def test_forms_are_told_apart_by_their_subjects():
    assert len(FORMS) == len({str(parsed(render_sample(form))["Subject"]) for form in FORMS})


@pytest.mark.parametrize("form", FORMS)
def test_text_and_page_tell_the_same_and_everything(form):
    message = parsed(render_sample(form))
    text = message.get_body(("plain",)).get_content()
    html = message.get_body(("html",)).get_content()

    for words in ("01.1037.1", "12 Elm Street", "$1,027.35", "November 20, 2026", "2026-10",
                  "https://larkspur.example/news/2026-10.pdf", "City of Larkspur"):  # fmt: skip
        assert words in text
        assert words in html
    assert "Ann O'Neil & Søn" in text
    assert "Ann O&#39;Neil &amp; Søn" in html
    assert "\n\n\n\n" not in text


@pytest.mark.parametrize("form", FORMS)
def test_a_page_is_sound_and_needs_nothing_from_elsewhere(form):
    page = Page(parsed(render_sample(form)).get_body(("html",)).get_content())

    tags = [tag for tag, _ in page.tags]
    assert page.open == []
    assert tags.count("h1") == 1
    assert dict(page.tags)["html"] == {"lang": "en"}
    assert not {"img", "link", "script", "style", "iframe"} & set(tags)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("facts", "said", "unsaid"),
    [
        pytest.param({"draw": None}, "Please pay $1,027.35", "drawn", id="owed"),
        pytest.param({"amount_due": Money(-5_00)}, "credit of $5.00", "lease pay", id="credit"),
        pytest.param({"amount_due": Money(0)}, "Nothing is owed", "lease pay", id="nothing owed"),
        pytest.param({"latest_communication": ""}, "Dear", "News", id="no news"),
        pytest.param({"latest_communication": "javascript:x()"}, "Dear", "javascript", id="link"),
    ],
)
def test_a_mail_asks_only_for_what_is_owed(form, facts, said, unsaid):
    message = parsed(render_sample(form, letter=a_letter(form, **facts)))

    for kind in ("plain", "html"):
        body = message.get_body((kind,)).get_content()
        assert said in body
        assert unsaid not in body


def test_a_draw_is_announced_and_what_it_leaves_is_asked_for():
    full = a_letter()
    part = a_letter(draw=AnnouncedDraw(Money(1_000_00), full.due_on, full.draw.method, "1234"))

    covered, left = (TEMPLATES.word(letter).text for letter in (full, part))

    assert "nothing else you need to do" in covered
    assert "Please pay" not in covered
    assert "Your payment of $1,000.00 will be drawn" in left
    assert "Please pay the remaining $27.35 by November 20, 2026." in left


def test_an_office_changes_one_text_and_keeps_the_rest(tmp_path):
    """Rules 16, 99."""
    (tmp_path / "utility-bill.subject").write_text("{{ utility }}: {{ amount_due }} for you")
    (tmp_path / "backflow-test.txt").write_text("Test due, {{ customer_name }}.\n")

    templates = Templates(tmp_path)
    templates.check()

    assert templates.word(a_letter()).subject == "City of Larkspur: $1,027.35 for you"
    assert "<h1" in templates.word(a_letter()).html
    assert templates.word(a_letter("backflow-test")).text == "Test due, Ann O'Neil & Søn.\n"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("{{ no_such_thing }}", id="unknown variable"),
        pytest.param("{% if %}", id="broken"),
        pytest.param("{{ ''.__class__.__mro__ }}", id="reaching into the program"),
        pytest.param("{{ amount_due / 0 }}", id="arithmetic on a text"),
    ],
)
def test_a_template_that_does_not_work_is_found_before_anything_is_sent(tmp_path, source):
    (tmp_path / "final-bill.txt").write_text(source)

    with pytest.raises(Misuse, match="final-bill"):
        Templates(tmp_path).check()


def test_a_mail_without_a_subject_is_found_before_anything_is_sent(tmp_path):
    (tmp_path / "final-bill.subject").write_text("{% if is_credit %}Credit{% endif %}\n")

    with pytest.raises(Misuse, match="final-bill has an empty subject"):
        Templates(tmp_path).check()


@pytest.mark.parametrize("name", variables(a_sample()))
def test_every_variable_has_sample_facts(name):
    """Rule 17."""
    without = ("is_credit", "remaining_due", "bill_link", "changes", "standing", "since_bill")

    assert variables(a_sample())[name] or name in without


@pytest.mark.parametrize("form", FORMS)
def test_a_bill_too_large_for_a_mail_is_linked(form):
    link = "https://portal.larkspur.example/01.1037.1"

    wording = TEMPLATES.word(a_letter(form, bill_link=link, password_hint=""))

    for body in (wording.text, wording.html):
        assert link in body
        assert "attached" not in body
        assert "too large" in body
    assert "\n\n\n\n" not in wording.text


@pytest.mark.parametrize("part", ["txt", "html"])
def test_a_template_that_does_not_link_a_bill_is_refused_where_bills_are_linked(tmp_path, part):
    (tmp_path / f"final-bill.{part}").write_text("Dear {{ customer_name }}, here it is.")

    Templates(tmp_path).check()
    with pytest.raises(Misuse, match=rf"final-bill \({part}\).*bill_link"):
        Templates(tmp_path).check(has_links=True)


# -- bytes ----------------------------------------------------------------------------------------


@settings(max_examples=so_many(40, release=200), deadline=None)
@given(name=anything, utility=anything, account=anything, form=anything, link=anything)
def test_nobody_slips_a_header_in(name, utility, account, form, link):
    letter = a_letter(
        form, customer=name, utility=utility, account=account, latest_communication=link
    )
    sender = Sender("billing@larkspur.example", "bounces@larkspur.example")
    key = delivery_key("bill", "2026-10", form, account, "ann@customer.example")

    source = compose_mail(
        TEMPLATES, letter, sender, "ann@customer.example",
        Stamp(key, message_id(key, "larkspur.example"), HEADING.sent_on),
        Attachment(f"{account}.pdf", b"x"),
    )  # fmt: skip

    message = parsed(source)
    assert set(message.keys()) == HEADERS
    assert len(HEADERS) == len(message.keys())
    assert message["To"] == "ann@customer.example"
    assert sum(not part.is_multipart() for part in message.walk()) == 3
    assert b"\0" not in source
    assert re.fullmatch(r"[A-Za-z0-9.\-]+", file_stem(key))


@settings(max_examples=so_many(40, release=200), deadline=None)
@given(text=st.text(max_size=400), html=st.text(max_size=400), pdf=st.binary(max_size=300))
def test_what_is_put_into_a_message_comes_out_of_it(text, html, pdf):
    source = build(HEADING, text, html, "=_boundary", Attachment("a.pdf", pdf))

    message = parsed(source)

    def lines(written: str) -> str:
        return written.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")

    parts = [part for part in message.walk() if not part.is_multipart()]
    found = [part.get_payload(decode=True).decode().replace("\r\n", "\n") for part in parts[:2]]
    assert [lines(text), lines(html)] == found
    assert pdf == parts[2].get_payload(decode=True)
    assert all(len(line) <= 998 for line in source.split(b"\r\n"))


def test_a_message_is_the_one_the_standard_library_would_make():
    theirs = EmailMessage(policy=SMTP)
    theirs.set_content("Grüße\n", cte="quoted-printable")
    theirs.add_alternative("<p>Grüße</p>\n", subtype="html", cte="quoted-printable")
    theirs.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="ä.pdf")
    ours = parsed(build(HEADING, "Grüße\n", "<p>Grüße</p>\n", "=_b", Attachment("ä.pdf", b"%PDF")))

    def shape(message) -> list[object]:
        return [
            (part.get_content_type(), part.get_filename(), part.get_payload(decode=True))
            for part in message.walk()
        ]

    expected = [
        (kind, name, content and content.replace(b"\r\n", b"\n"))
        for kind, name, content in shape(parsed(theirs.as_bytes()))
    ]
    found = [
        (kind, name, content and content.replace(b"\r\n", b"\n"))
        for kind, name, content in shape(ours)
    ]
    assert expected == found


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 114, 60_000])
def test_base64_is_cut_into_lines_of_76(size):
    content = bytes(range(256)) * (size // 256 + 1)

    encoded = to_base64(content[:size])

    assert base64.encodebytes(content[:size]).replace(b"\n", b"\r\n") == encoded


@given(content=st.binary(max_size=200))
def test_a_message_on_the_wire_ends_once_and_never_early(content):
    wire = to_wire(content)

    assert wire.endswith(b"\r\n.\r\n") or wire == b"\r\n.\r\n"
    assert not re.search(rb"(^|\r\n)\.(\r\n)", wire[:-3])
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert b"\r" not in wire.replace(b"\r\n", b"")


# -- addresses and names --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ann.o'neil+bill@x.example", "ann.o'neil+bill@x.example"),
        ("ann@müller.example", "ann@xn--mller-kva.example"),
    ],
)
def test_an_address_is_written_in_ascii(address, expected):
    assert expected == to_envelope_address(address)


def test_no_two_deliveries_share_a_key():
    keys = {
        delivery_key("bill", "r", "f", "a/b", "c@x"),
        delivery_key("bill", "r", "f", "a", "b/c@x"),
        delivery_key("bill", "r", "f/a", "b", "c@x"),
        delivery_key("bill", "r", "f", "a%2Fb", "c@x"),
    }

    assert len(keys) == 4


def test_a_message_id_needs_a_domain():
    with pytest.raises(Misuse):
        message_id("bill/r/f/a/m", "x>\r\nBcc: a@b")


@pytest.mark.parametrize(
    ("period", "words"),
    [
        ("2026-10", "October 2026"),
        ("2026-10-A", "October 2026"),
        ("2026-1", "2026-1"),
        ("2026-13", "2026-13"),
        ("", ""),
    ],
)
def test_a_customer_reads_a_month_by_its_name(period, words):
    assert words == period_words(period)


def test_the_mail_of_a_bill_names_the_month_and_shows_what_is_owed_in_a_mailbox():
    wording = Templates().word(a_sample())

    assert "October 2026" in wording.subject
    assert all("2026-10" not in re.sub("(news|bill)/2026-10", "", part) for part in (
        wording.subject, wording.text, wording.html,
    ))  # fmt: skip
    assert "$1,027.35, due November 20, 2026." in wording.html.partition("<h1")[0]
    assert "color-scheme" not in wording.html
