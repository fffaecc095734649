"""The web desk: what it answers, to whom, and what it keeps to itself."""

from __future__ import annotations

import logging
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from database.books import DatabasePool
from database.tables import (
    communication,
    mass_mailing,
    mass_recipient,
    unsubscribed_address,
    usage_export,
)
from domain.failures import Refused, TemporaryFailure
from mail.communications.posted import Details, PdfFile, add_communication
from mail.letters.links import token_hash
from mail.letters.samples import sample_pdf
from office.procedures import gateway_webhooks as webhooks
from office.settings.checkout import MessagesSettings
from office.settings.close import WebSettings
from tests.builders import NOW
from tests.office.health_builders import an_office_at
from tests.web.conftest import asking

PDF = PdfFile("leaves.pdf", sample_pdf(), 1)
ANN = "ann@example.org"
PRIVATE = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def unsubscribed(books) -> list[str]:
    with books.reading() as connection:
        return list(connection.scalars(sa.select(unsubscribed_address.c.mailbox)))


@pytest.fixture
def way_out(office, books) -> str:
    """The token that a mail to Ann bore."""
    token = office.unsubscribing.token(ANN)
    with books.writing() as connection:
        connection.execute(
            mass_mailing.insert().values(
                number=1, content="0" * 64, day=date(2026, 11, 1), subject="Leaves", body="x",
                audience="{}", recorded_at=NOW, recorded_by="anna",
            )
        )  # fmt: skip
        connection.execute(
            mass_recipient.insert().values(
                mailing=1, mailbox=ANN, address=ANN, account_key="1", account="1", token=token
            )
        )
    return token


@pytest.fixture
def export(office, books) -> str:
    """The token of an export that is good for a day."""
    identity = "0" * 32
    token = office.export_links.token(identity)
    (office.folder("usage-exports") / f"{identity}.xlsx").write_bytes(b"PK excel")
    with books.writing() as connection:
        connection.execute(
            usage_export.insert().values(
                id=identity, token_sha256=token_hash(token), account_key="1", account="1",
                records=1, made_at=office.due_now(),
                expires_at=office.due_now() + timedelta(days=1),
            )
        )  # fmt: skip
    return token


def expire(books) -> None:
    with books.writing() as connection:
        connection.execute(usage_export.update().values(expires_at=NOW))


# -- unsubscribing --------------------------------------------------------------------------------


def test_a_get_shows_a_button_and_does_nothing(ask, books, way_out):
    answer = ask("GET", f"/unsubscribe/{way_out}")

    assert 200 == answer.status_code
    assert '<form method="post" action="">' in answer.text
    assert [] == unsubscribed(books)


def test_one_click_stops_the_news_and_another_changes_nothing(ask, books, way_out):
    answers = [
        ask("POST", f"/unsubscribe/{way_out}", data={"List-Unsubscribe": "One-Click"})
        for _ in range(2)
    ]

    assert [200, 200] == [answer.status_code for answer in answers]
    assert [ANN] == unsubscribed(books)


def test_a_token_of_nobody_is_answered_like_a_good_one(ask, books, way_out):
    good = ask("POST", f"/unsubscribe/{way_out}")
    bad = ask("POST", "/unsubscribe/" + "a" * 24)

    assert (good.status_code, good.text) == (bad.status_code, bad.text)
    assert [ANN] == unsubscribed(books)


# -- exports --------------------------------------------------------------------------------------


def test_an_export_is_handed_out_while_its_link_is_good(ask, export):
    answer = ask("GET", f"/exports/{export}")

    assert (200, b"PK excel") == (answer.status_code, answer.content)
    assert 'attachment; filename="usage.xlsx"' == answer.headers["content-disposition"]
    assert "no-store" == answer.headers["cache-control"]


def test_wrong_and_expired_links_are_answered_alike(ask, books, export):
    wrong = ask("GET", "/exports/" + "A" * 43)
    expire(books)
    expired = ask("GET", f"/exports/{export}")

    assert 404 == wrong.status_code
    assert (wrong.status_code, wrong.content, _told(wrong)) == (
        expired.status_code,
        expired.content,
        _told(expired),
    )


def _told(answer) -> set:
    return {(name, value) for name, value in answer.headers.items() if name != "date"}


@pytest.mark.parametrize(
    "path",
    ["/exports", "/exports/", "/exports/..%2f..%2fbillclose.db", "/exports/../billclose.db",
     "/billclose.toml", "/usage-exports/", "/docs", "/openapi.json", "/communications/x",
     "/communications/99999999999999999999"],
)  # fmt: skip
def test_nothing_else_is_there(ask, export, path):
    answer = ask("GET", path)

    assert 404 == answer.status_code
    assert "There is nothing here" in answer.text


# -- communications -------------------------------------------------------------------------------


def test_a_live_communication_is_read_and_one_that_is_over_is_not(ask, office, books):
    for pdf, expires_on in (
        (PDF, None),
        (PdfFile("b.pdf", PDF.content + b"\n", 1), date(2026, 11, 2)),
    ):
        details = Details("Leaves", expires_on=expires_on)
        add_communication(books, office.store, pdf, details, now=NOW, who="anna")

    live, over, none = (ask("GET", f"/communications/{number}") for number in (1, 2, 3))

    assert (200, PDF.content, "application/pdf") == (
        live.status_code,
        live.content,
        live.headers["content-type"],
    )
    assert [404, 404] == [over.status_code, none.status_code]


def test_a_communication_that_was_removed_is_gone(ask, office, books):
    add_communication(books, office.store, PDF, Details("Leaves"), now=NOW, who="anna")
    with books.writing() as connection:
        connection.execute(communication.update().values(removed_at=NOW))

    assert 404 == ask("GET", "/communications/1").status_code


# -- webhooks -------------------------------------------------------------------------------------


def test_an_office_without_webhooks_has_no_such_address(ask):
    assert 404 == ask("POST", "/webhooks/stripe", content=b"{}").status_code


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (None, 200),
        (Refused("webhook-signature", "not signed"), 400),
        (TemporaryFailure("down"), 503),
    ],
)
def test_what_stripe_sends_is_kept_or_asked_for_again(ask, monkeypatch, failure, status):
    received = []

    def receive(_here, body, signature):
        received.append((body, signature))
        if failure:
            raise failure
        return True

    monkeypatch.setattr("web.gateways.receive_webhook", receive)

    answer = ask(
        "POST", "/webhooks/stripe", content=b'{"id": 1}', headers={"Stripe-Signature": "t=1,v1=2"}
    )

    assert (status, [(b'{"id": 1}', "t=1,v1=2")]) == (answer.status_code, received)
    assert webhooks.receive_webhook is not receive


# -- health ---------------------------------------------------------------------------------------


def test_this_machine_may_ask_how_the_office_is(ask):
    answer = ask("GET", "/health")

    assert 200 == answer.status_code
    assert {"status", "conditions"} == set(answer.json())
    assert {"name", "state", "since"} == set(answer.json()["conditions"][0])


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        ("203.0.113.9", {}),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}),
        ("203.0.113.9", {"Authorization": "Bearer "}),
    ],
)
def test_nobody_else_may_ask_without_a_token(ask, client, headers):
    answer = ask("GET", "/health", client=client, headers=headers)

    assert (403, "Not for you.\n") == (answer.status_code, answer.text)


@pytest.mark.parametrize(
    ("given", "status"), [("Bearer s3cret", 200), ("Bearer wrong", 403), ("s3cret", 403), ("", 403)]
)
def test_with_a_token_everybody_needs_it(tmp_path, books, given, status):
    office = an_office_at(
        tmp_path, books, "2026-11-03T09:00", web=WebSettings(health_token="s3cret")
    )

    answer = asking(office)("GET", "/health", headers={"Authorization": given})

    assert status == answer.status_code


# -- what every answer has ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/health"), ("GET", "/exports/x"), ("GET", "/unsubscribe/x"), ("GET", "/nothing")],
)
def test_every_answer_is_private(ask, method, path):
    headers = ask(method, path).headers

    assert PRIVATE.items() <= dict(headers).items()
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers and "strict-transport-security" not in headers


@pytest.mark.parametrize(
    ("path", "octets", "status"),
    [
        ("/unsubscribe/" + "a" * 24, 16_385, 413),
        ("/unsubscribe/" + "a" * 24, 16_384, 200),
        ("/webhooks/stripe", 524_289, 413),
        ("/webhooks/stripe", 524_288, 404),
    ],
)
def test_a_body_has_its_limit(ask, path, octets, status):
    assert status == ask("POST", path, content=b"x" * octets).status_code


def test_a_body_that_does_not_say_how_long_it_is_has_its_limit_too(ask):
    async def endless():
        for _ in range(1_000):
            yield b"x" * 1_000

    assert 413 == ask("POST", "/webhooks/stripe", content=endless()).status_code


@pytest.mark.parametrize(("method", "path"), [("POST", "/exports/x"), ("DELETE", "/unsubscribe/x")])
def test_another_method_is_not_allowed(ask, method, path):
    assert 405 == ask(method, path).status_code


def test_the_log_names_no_token_and_nobody(ask, export, caplog):
    with caplog.at_level(logging.INFO, logger="billclose.web"):
        ask("GET", f"/exports/{export}", client="203.0.113.9")
        ask("GET", "/customers/ann@example.org")

    first, second = (record.getMessage() for record in caplog.records if "web" in record.name)
    assert first.startswith("GET /exports 200 ")
    assert second.startswith("GET (other) 404 ")


def test_a_failure_tells_nothing_of_itself(ask, office, monkeypatch):
    def fail(*_):
        raise RuntimeError("ann@example.org")

    monkeypatch.setattr("web.mailed_links.find_export", fail)

    answer = ask("GET", "/exports/x")

    assert 500 == answer.status_code
    assert "<h1>Something went wrong</h1>" in answer.text
    assert "ann@" not in answer.text
    assert PRIVATE.items() <= answer.headers.items()


def test_where_the_books_give_no_answer_a_page_asks_for_patience(ask, books, caplog):
    with books.writing() as connection:
        connection.execute(sa.text("DROP TABLE communication"))

    answer = ask("GET", "/communications/1")

    assert (503, "30", "no-store") == (
        answer.status_code,
        answer.headers["retry-after"],
        answer.headers["cache-control"],
    )
    assert "communication" not in answer.text + caplog.text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "<h1>The site is down for maintenance</h1>"),
        ("es", "<h1>El sitio está fuera de servicio por mantenimiento</h1>"),
    ],
)
def test_rule_189_a_portal_that_is_down_says_so_in_red_on_a_page(ask, books, language, said):
    with books.writing() as connection:
        connection.execute(sa.text("DROP TABLE bill_run"))

    answer = ask("GET", "/sign-in", headers={"Accept-Language": language})

    assert 503 == answer.status_code
    assert f'<div class="summary" role="alert">\n{said}' in answer.text
    assert PRIVATE.items() <= answer.headers.items()


def test_rule_189_work_on_the_portal_is_announced_in_red(tmp_path, books):
    words = MessagesSettings(maintenance="We are away on Sunday from 6 to 8 <am>.")
    announcing = an_office_at(tmp_path, books, "2026-11-03T09:00", messages=words)

    page = asking(announcing)("GET", "/sign-in").text

    assert '<p class="maintenance">We are away on Sunday from 6 to 8 &lt;am&gt;.</p>' in page


def test_a_program_is_asked_for_patience_in_a_line(ask, office, monkeypatch):
    def fail(*_):
        raise sa.exc.OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr("web.desk.take_stripe_event", fail)
    answer = asking(office)("POST", "/webhooks/stripe")

    assert (503, True, "30") == (
        answer.status_code,
        answer.headers["content-type"].startswith("text/plain"),
        answer.headers["retry-after"],
    )


def test_pages_that_wait_too_long_for_a_connection_ask_for_patience(ask, office, monkeypatch):
    few = DatabasePool(size=1, overflow=0, timeout=1)
    monkeypatch.setattr(office.database, "_pool", few)
    office.database.close()
    with office.database.reading():
        answer = ask("GET", "/communications/1")

    assert 503 == answer.status_code
