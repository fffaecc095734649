"""What every carrier of texts does alike, and what is Twilio's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from domain.failures import PermanentFailure, TemporaryFailure
from mail.port import Result
from mail.texts.embedded import TextFolder
from mail.texts.port import OutgoingText
from mail.texts.twilio import TwilioSender, is_signed
from tests.mail.texts.twilio_fake import FROM, a_carrier

NOW = datetime(2026, 11, 17, 18, tzinfo=UTC)
KEY = "payment-due/2026-11-20/payment-due/01.1037.1/%2B14355550142"
TEXT = OutgoingText(KEY, "+14355550142", "Larkspur: your bill — $45.50 — is due.", NOW)


@pytest.fixture(scope="module")
def twilio():
    with a_carrier(lambda: NOW) as carrier:
        yield carrier


@pytest.fixture(params=["folder", "twilio"])
def sender(request, tmp_path, twilio):
    twilio.kept.clear()
    twilio.answers.clear()
    chosen = TextFolder(tmp_path / "texts") if request.param == "folder" else of(twilio)
    yield chosen
    chosen.close()


@pytest.fixture
def carrier(twilio):
    twilio.kept.clear()
    twilio.answers.clear()
    return twilio


def of(carrier) -> TwilioSender:
    return TwilioSender(carrier.account)


def test_a_text_is_sent_and_has_a_reference(sender):
    outcome = sender.send(TEXT)

    assert (Result.SENT, True) == (outcome.result, bool(outcome.reference))


def test_a_text_that_was_sent_is_found_under_the_same_reference(sender):
    sent = sender.send(TEXT)

    assert sent == sender.look_up(TEXT)


def test_a_text_that_was_not_sent_is_not_found(sender):
    sender.send(replace(TEXT, key=KEY.replace("1037", "1038"), words="another"))

    assert None is sender.look_up(TEXT)


def test_a_text_of_last_month_with_the_same_words_is_another_one(carrier):
    sender = of(carrier)
    sender.send(TEXT)

    assert None is sender.look_up(replace(TEXT, since=NOW + timedelta(days=30)))


def test_it_goes_to_the_phone_in_the_words_and_from_the_number_that_is_set(carrier):
    of(carrier).send(TEXT)

    (kept,) = carrier.kept
    assert (TEXT.phone, FROM, TEXT.words) == (kept["to"], kept["from"], kept["body"])


@pytest.mark.parametrize("answer", ["lost", "cut", "500", "503"])
def test_a_lost_answer_is_a_doubt_and_no_failure(carrier, answer):
    carrier.answers.append(answer)

    assert Result.IN_DOUBT is of(carrier).send(TEXT).result


def test_what_was_taken_without_an_answer_is_found_behind_other_texts_to_the_phone(carrier):
    sender = of(carrier)
    sender.send(replace(TEXT, words="another"))
    carrier.answers.append("lost")
    sender.send(TEXT)

    found = sender.look_up(TEXT)

    assert (Result.SENT, carrier.kept[1]["sid"]) == (found.result, found.reference)


def test_a_refusal_names_the_code_and_no_phone(carrier):
    carrier.answers.append("21211")

    outcome = of(carrier).send(TEXT)

    assert (Result.FAILED, "Twilio refused it (400, code 21211)", False) == (
        outcome.result, outcome.error, outcome.is_unwanted,
    )  # fmt: skip


def test_a_phone_that_has_answered_stop_is_told_apart(carrier):
    carrier.answers.append("21610")

    assert of(carrier).send(TEXT).is_unwanted


@pytest.mark.parametrize("later", ["failed", "undelivered"])
def test_a_text_that_did_not_arrive_after_all_has_failed(carrier, later):
    of(carrier).send(TEXT)
    carrier.kept[0]["status"] = later
    carrier.kept[0]["error_code"] = 30006

    assert Result.FAILED is of(carrier).look_up(TEXT).result


def test_a_wrong_token_stops_all_and_is_said_without_it(carrier):
    account = replace(carrier.account, token=SecretStr("wrong-token"))

    with pytest.raises(PermanentFailure, match="refuses our account") as raised:
        TwilioSender(account).send(TEXT)

    assert "wrong-token" not in str(raised.value) + repr(account)


def test_too_many_requests_put_all_off(carrier):
    carrier.answers.append("429")

    with pytest.raises(TemporaryFailure, match="asks us to wait"):
        of(carrier).send(TEXT)


def test_where_nobody_listens_nothing_was_handed_over(carrier):
    sender = TwilioSender(replace(carrier.account, url="http://127.0.0.1:9"))

    with pytest.raises(TemporaryFailure, match="cannot be reached"):
        sender.send(TEXT)
    with pytest.raises(TemporaryFailure, match="cannot be asked"):
        sender.look_up(TEXT)


def test_a_signature_is_of_the_address_and_every_field():
    token, url = SecretStr("12345"), "https://example.com/myapp.php?foo=1&bar=2"
    fields = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675310", "Digits": "1234",
        "From": "+14158675310", "To": "+18005551212",
    }  # fmt: skip
    signature = "L/OH5YylLD5NRKLltdqwSvS0BnU="  # as Twilio's own documentation has it

    signed = is_signed(token, url, fields.items(), signature)
    others = [
        is_signed(token, url + "3", fields.items(), signature),
        is_signed(token, url, (fields | {"Digits": "1235"}).items(), signature),
        is_signed(SecretStr("12346"), url, fields.items(), signature),
        is_signed(token, url, fields.items(), ""),
    ]

    assert (True, [False] * 4) == (signed, others)


def test_a_file_is_private_and_its_name_has_no_phone(tmp_path):
    TextFolder(tmp_path / "texts").send(TEXT)

    (file,) = (tmp_path / "texts").iterdir()
    assert (0o600, False) == (file.stat().st_mode & 0o777, "5550142" in file.name)
    assert f"{TEXT.phone}\n\n{TEXT.words}\n" == file.read_text("utf-8")
