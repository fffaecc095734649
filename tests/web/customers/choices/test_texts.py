"""Texts instead of mails: the phone is proved first, and a STOP is honored at once (rule 103)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from database.definitions.texts import text_consent, text_message
from database.queries.customers.activity import kinds_of
from domain.languages import SPANISH
from domain.texts import ConsentWay
from identity.users import keep_language
from mail.texts.readers import is_stopped, reader_of
from office.procedures.texting.answering import take_answer
from office.procedures.texting.sending import send_texts
from office.settings.close import WebSettings
from office.settings.mail import SmtpSettings
from office.settings.texts import TextsSettings
from tests.office.health_builders import an_office_at
from tests.web.conftest import asking
from tests.web.customers.choices.conftest import TENANT, signed_in, words

PHONE = "+14355550142"


def folder(office):
    return office.home / "texts"


def code_on_phone(office) -> str:
    """Send what waits, and read the newest text as the phone shows it."""
    send_texts(office)
    newest = max(folder(office).glob("access-*.txt"), key=lambda file: file.stat().st_mtime_ns)
    return re.search(r"\b\d{6}\b", newest.read_text("utf-8").partition("\n\n")[2])[0]


def choose(office, person, phone="(435) 555-0142"):
    person.post("/account/texts", phone=phone, agree="yes")
    return person.post("/account/texts/code", code=code_on_phone(office))


def reader(office, person):
    with office.database.reading() as books:
        return reader_of(books, person.number)


def test_a_phone_is_proved_by_the_code_that_it_gets_before_texts_are_chosen(office, tenant):
    begun = tenant.post("/account/texts", phone="435-555-0142", agree="yes")
    before = reader(office, tenant)
    code = code_on_phone(office)
    page = words(tenant.get("/account/texts/code"))

    done = tenant.post("/account/texts/code", code=f" {code[:3]} {code[3:]} ")

    assert ("/account/texts/code", None) == (begun.headers["location"], before)
    assert "ends in 0142" in page and code not in page
    assert "/account/texts?done=texts" == done.headers["location"]
    assert PHONE == reader(office, tenant).phone
    assert "By text message to (435) 555-0142." in words(tenant.get("/account/texts"))


def test_the_very_sentence_that_was_agreed_to_is_kept(office, tenant):
    choose(office, tenant)
    sentence = words(tenant.get("/account/texts"))

    with office.database.reading() as books:
        kept = books.execute(sa.select(text_consent)).one()

    assert (ConsentWay.CODE, PHONE, True) == (kept.way, kept.phone, kept.given)
    assert kept.sentence in sentence and "answering STOP" in kept.sentence


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"phone": "", "agree": "yes"}, "Enter the phone number with its area code, ten digits."),
        ({"phone": "555-0142", "agree": "yes"}, "Enter the phone number with its area code"),
        ({"phone": "x" * 40, "agree": "yes"}, "Enter the phone number with its area code"),
        ({"phone": "1" * 16, "agree": "yes"}, "Enter the phone number with its area code"),
        ({"phone": "٤٣٥٥٥٥٠١٤٢", "agree": "yes"}, "Enter the phone number with its area code"),
        ({"phone": "4355550142"}, "Tick the box to agree."),
    ],
)
def test_what_is_missing_is_named_and_no_text_is_recorded(office, tenant, fields, said):
    answer = tenant.post("/account/texts", **fields)

    with office.database.reading() as books:
        recorded = books.scalar(sa.select(sa.func.count()).select_from(text_message))
    assert (422, True, 0) == (answer.status_code, said in words(answer), recorded)


def test_a_wrong_code_chooses_nothing_and_the_fifth_ends_the_right_one(office, tenant):
    tenant.post("/account/texts", phone="4355550142", agree="yes")
    code = code_on_phone(office)
    wrong = f"{(int(code) + 1) % 10**6:06d}"

    answers = [tenant.post("/account/texts/code", code=wrong) for _ in range(5)]
    late = tenant.post("/account/texts/code", code=code)

    assert {422} == {answer.status_code for answer in (*answers, late)}
    assert "That is not the code of our text" in words(late)
    assert None is reader(office, tenant)


def test_a_code_is_another_customers_own_business(office, sign_in, tenant):
    neighbor = sign_in("ned@example.com")
    tenant.post("/account/texts", phone="4355550142", agree="yes")

    answer = neighbor.post("/account/texts/code", code=code_on_phone(office))

    assert (422, None) == (answer.status_code, reader(office, neighbor))


def test_no_more_than_five_codes_a_day_go_to_a_phone(office, tenant):
    answers = [tenant.post("/account/texts", phone="4355550142", agree="yes") for _ in range(6)]

    assert [303] * 5 + [429] == [answer.status_code for answer in answers]
    assert "Too many codes were sent." in words(answers[5])


def test_only_the_newest_code_is_good(office, tenant):
    tenant.post("/account/texts", phone="4355550142", agree="yes")
    old = code_on_phone(office)
    tenant.post("/account/texts", phone="4355550143", agree="yes")

    answer = tenant.post("/account/texts/code", code=old)

    assert 422 == answer.status_code


def test_back_to_mails_holds_at_once_and_stands_in_the_activity(office, tenant):
    choose(office, tenant)

    answer = tenant.post("/account/texts/stop")

    assert (None, "/account/texts?done=mails") == (
        reader(office, tenant),
        answer.headers["location"],
    )
    with office.database.reading() as books:
        kinds = set(kinds_of(books, tenant.number))
    assert {"text code sent", "texts chosen", "mails chosen"} <= kinds


def test_a_phone_that_answered_stop_gets_no_code_either(office, tenant):
    take_answer(office, PHONE, "Stop.")

    answer = tenant.post("/account/texts", phone="4355550142", agree="yes")

    assert (422, True) == (
        answer.status_code,
        "That phone has answered STOP" in words(answer),
    )


def test_an_answer_in_the_folders_inbox_is_acted_on_and_answered(office, tenant):
    choose(office, tenant)
    inbox = folder(office) / "inbox"
    inbox.mkdir()
    (inbox / "one.txt").write_text(f"{PHONE}\n stop \n", "utf-8")

    send_texts(office)

    answered = (folder(office) / "answer-one.txt").read_text("utf-8")
    assert (None, []) == (reader(office, tenant), list(inbox.iterdir()))
    assert "you get no more texts" in answered
    assert "The phone on your account has answered STOP" in words(tenant.get("/account/texts"))


@pytest.mark.parametrize(
    ("said", "stops", "answer"),
    [
        ("STOP", True, "you get no more texts"),
        (" stop all!", True, "you get no more texts"),
        ("Alto", True, "you get no more texts"),
        ("Unsubscribe", True, "you get no more texts"),
        ("please stop by tomorrow", False, ""),
        ("help", False, "texts about your bills and payments"),
        ("", False, ""),
        ("\x00🤷" * 400, False, ""),
    ],
)
def test_what_an_answer_means(office, tenant, said, stops, answer):
    told = take_answer(office, "435 555 0142", said)

    with office.database.reading() as books:
        assert (stops, True) == (is_stopped(books, PHONE), answer in told)


def test_an_answer_of_a_spanish_reader_is_answered_in_spanish(office, tenant):
    choose(office, tenant)
    with office.database.writing() as books:
        keep_language(books, tenant.number, SPANISH)

    assert "ya no recibe mensajes" in take_answer(office, PHONE, "BAJA")


@pytest.mark.parametrize(
    ("at", "left"), [("06:59", 0), ("08:59", 0), ("09:00", 1), ("19:59", 1), ("20:00", 0)]
)
def test_a_text_about_a_bill_waits_for_the_hours_of_day_and_a_code_does_not(
    tmp_path, books, town, at, left
):
    from office.secrets.files import make_secret

    make_secret(tmp_path)
    office = an_office_at(tmp_path, books, "2026-11-17T12:00")
    person = signed_in(office, town, asking(office), TENANT)
    choose(office, person)
    from tests.mail.reminder_builders import DUE_MAIL, queue

    queue(books, DUE_MAIL, "2026-11-17T06:30")
    at_night = an_office_at(tmp_path, books, f"2026-11-17T{at}")

    assert left == send_texts(at_night).sent


def test_a_reminder_says_the_amount_unless_the_office_keeps_it_off_and_never_the_whole_number(
    tmp_path, books, town
):
    from office.secrets.files import make_secret
    from tests.mail.reminder_builders import DUE_MAIL, queue

    make_secret(tmp_path)
    said = {}
    for amounts in (True, False):
        office = an_office_at(
            tmp_path, books, "2026-11-17T12:00", texts=TextsSettings(amounts=amounts)
        )
        if amounts:
            person = signed_in(office, town, asking(office), TENANT)
            choose(office, person)
            queue(books, DUE_MAIL, "2026-11-17T06:30")
            send_texts(office)
        else:
            with books.writing() as open_books:
                open_books.execute(text_message.delete().where(text_message.c.form != "code"))
            queue(books, DUE_MAIL, "2026-11-17T06:30")
            send_texts(office)
        (file,) = folder(office).glob("payment-due-*.txt")
        said[amounts] = file.read_text("utf-8")

    assert "$" in said[True] and "$" not in said[False]
    assert all(
        "is due November 20, 2026" in one and "01.1037.1" not in one for one in said.values()
    )


def test_texts_are_not_offered_where_mails_reach_customers_and_texts_would_not(
    tmp_path, books, town
):
    from office.secrets.files import make_secret

    make_secret(tmp_path)
    office = an_office_at(
        tmp_path, books, "2026-11-03T09:00", smtp=SmtpSettings(url="smtp://127.0.0.1:9")
    )
    person = signed_in(office, town, asking(office), TENANT)

    assert (404, 404) == (
        person.get("/account/texts").status_code,
        person.post("/account/texts", phone="4355550142", agree="yes").status_code,
    )
    assert "/account/texts" not in person.get("/account").text


TOKEN, PORTAL = "made-up-token", "https://pay.larkspur.example"


@pytest.fixture
def twilio_office(tmp_path, books, town):
    from office.secrets.files import make_secret

    make_secret(tmp_path)
    return an_office_at(
        tmp_path,
        books,
        "2026-11-03T09:00",
        texts=TextsSettings(
            system="twilio", account_sid="AC1", sender="+14355550100", auth_token=TOKEN
        ),
        web=WebSettings(url=PORTAL),
    )


def sign(fields, url=f"{PORTAL}/webhooks/twilio", token=TOKEN):
    signed = url + "".join(name + value for name, value in sorted(fields.items()))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), hashlib.sha1)).decode()


def tell(office, fields, signature=None):
    header = {"x-twilio-signature": sign(fields) if signature is None else signature}
    return asking(office)("POST", "/webhooks/twilio", data=fields, headers=header)


def test_a_stop_that_twilio_has_signed_is_honored_before_it_is_answered(twilio_office):
    answer = tell(twilio_office, {"From": PHONE, "Body": "STOP", "OptOutType": "STOP"})

    with twilio_office.database.reading() as books:
        assert is_stopped(books, PHONE)
    assert (200, "<Response></Response>") == (answer.status_code, answer.text[-21:])


def test_help_is_answered_in_our_words(twilio_office):
    answer = tell(twilio_office, {"From": PHONE, "Body": "help"})

    assert "<Message>" in answer.text and "Reply STOP to end texts." in answer.text


def test_what_twilio_has_not_signed_changes_nothing(twilio_office):
    fields = {"From": PHONE, "Body": "STOP"}
    signatures = [
        "",
        b"\xe9",
        sign(fields, token="other"),
        sign(fields, url="https://evil.example"),
    ]

    answers = [tell(twilio_office, fields, signature) for signature in signatures]

    with twilio_office.database.reading() as books:
        assert not is_stopped(books, PHONE)
    assert {403} == {answer.status_code for answer in answers}


def test_where_no_twilio_is_set_there_is_no_webhook(office, tenant):
    assert 404 == tell(office, {"From": PHONE, "Body": "STOP"}).status_code


def test_a_text_that_twilio_could_not_deliver_has_failed(twilio_office, town):
    from domain.deliveries import MessageKind
    from mail.texts.readers import TextReader
    from mail.texts.recording import PlannedText, queue_texts

    person = signed_in(twilio_office, town, asking(twilio_office), TENANT)
    now = datetime.fromisoformat("2026-11-03T09:00+00:00")
    with town.writing() as books:
        to = TextReader(person.number, TENANT, PHONE, "en")
        queue_texts(books, [PlannedText(MessageKind.ACCESS, "k", to, TENANT, form="code")], now)
        books.execute(text_message.update().values(status="sent", reference="SM9"))

    tell(twilio_office, {"MessageSid": "SM9", "MessageStatus": "undelivered", "ErrorCode": "30006"})

    with town.reading() as books:
        row = books.execute(sa.select(text_message.c.status, text_message.c.error)).one()
    assert ("failed", "the carrier did not deliver it (code 30006)") == tuple(row)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"system": "twilio"}, "twilio needs texts.account_sid and texts.sender and texts.auth_"),
        ({"begin": "9"}, "write a time of day such as 09:00"),
        ({"begin": "20:00", "end": "09:00"}, "the hours of texts must end after they begin"),
        ({"sender": "555-0100"}, "write a number such as"),
    ],
)
def test_settings_that_would_send_nothing_are_refused_in_a_sentence(chosen, said):
    with pytest.raises(ValidationError, match=said):
        TextsSettings(**chosen)
