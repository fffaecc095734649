"""What is logged, raised and told holds no address and no secret."""

from __future__ import annotations

import io
import json
import logging
import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from office.logs import formatter
from office.secrets import redaction
from office.secrets.redaction import install, redact, redact_failure, remember, told_safely

LETTERS = string.ascii_letters + string.digits
PARTS = st.text(LETTERS + "._+-", min_size=1, max_size=12).filter(
    lambda text: text[0] not in ".-+" and text[-1] not in ".-+_"
)
DOMAINS = st.lists(st.text(LETTERS, min_size=2, max_size=8), min_size=2, max_size=3).map(".".join)
ADDRESSES = st.builds("{}@{}".format, PARTS, DOMAINS)
SECRETS = st.text(LETTERS + "!$%&/()=?+*~#;:_-@ äöü'\"\\", min_size=8, max_size=30)
WORDS = st.sampled_from(["to {}", "<{}> refused", "({})", "{}, and others", "RCPT TO:<{}>", "{}"])


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """Forget what was remembered, and who makes log records."""
    monkeypatch.setattr(redaction, "_remembered", set())
    monkeypatch.setattr(redaction, "_patterns", [])
    factory = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(factory)


def written(chosen: str, log) -> str:
    """What a handler of ours, and one of somebody else's, write."""
    ours, theirs = io.StringIO(), io.StringIO()
    logger = logging.Logger("made up")
    handlers = [logging.StreamHandler(ours), logging.StreamHandler(theirs)]
    handlers[0].setFormatter(formatter(chosen))
    for handler in handlers:
        logger.addHandler(handler)
    install()
    log(logger)
    return ours.getvalue() + theirs.getvalue()


@pytest.mark.parametrize("chosen", ["text", "json"])
@given(address=ADDRESSES, words=WORDS)
def test_no_address_is_logged(chosen, address, words):
    def log(logger):
        try:
            raise ValueError(words.format(address)) from KeyError(address)
        except ValueError:
            logger.exception("mail %s failed: %s", 7, words.format(address))

    assert address not in written(chosen, log)


@pytest.mark.parametrize("chosen", ["text", "json"])
@given(secret=SECRETS)
@example(secret="pass:word/with@signs")
@example(secret='quote"d \\ secret')
def test_no_secret_is_logged(chosen, secret):
    assume(len(secret.strip()) >= 8)
    remember([secret])

    def log(logger):
        try:
            raise ConnectionError(f"login with {secret} refused")
        except ConnectionError:
            logger.exception("cannot log in with %s", secret, extra={"tried": [secret]})

    seen = written(chosen, log)
    assert secret not in seen
    assert json.dumps(secret, ensure_ascii=False)[1:-1] not in seen


@given(password=st.text(LETTERS + "!$%=+*~#;_-", min_size=1, max_size=30), user=PARTS)
def test_no_password_of_a_url_is_shown_though_nobody_named_it(password, user):
    text = redact(f"cannot reach postgresql+psycopg://{user}:{password}@db.example/books now")

    assert "cannot reach postgresql+psycopg://[secret]@db.example/books now" == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smtp.password = hunter2", "smtp.password = [secret]"),
        ('{"api_key": "sk_live_0123456789"}', '{"api_key": [secret]}'),
        ("Authorization: Bearer abc.def-123", "Authorization: [secret]"),
        ("sent bearer abcdefgh12", "sent bearer [secret]"),
        ("key rk_live_0123456789 is old", "key [secret] is old"),
        ("account 01.1037.1 owes 27.35", "account 01.1037.1 owes 27.35"),
        ("HOME/bounces.secret is missing", "HOME/bounces.secret is missing"),
        ("ann%40example.com", "[address]"),
    ],
)
def test_what_is_named_a_secret_goes_and_the_rest_stays(text, expected):
    assert expected == redact(text)


@given(address=ADDRESSES, secret=SECRETS)
def test_a_failure_leaves_without_addresses_and_secrets_and_keeps_its_kind(address, secret):
    assume(len(secret.strip()) >= 8)
    remember([secret])

    with pytest.raises(LookupError) as caught, told_safely():
        try:
            raise OSError(5, f"no mailbox {address}")
        except OSError as first:
            raise LookupError(f"login {secret} at {address}") from first

    told = f"{caught.value} {caught.value.args} {caught.value.__cause__}"
    assert address not in told
    assert secret not in told


def test_a_failure_whose_words_are_elsewhere_is_redacted_too():
    class Answered(Exception):
        def __init__(self, answer: str) -> None:
            self.answer = answer

        def __str__(self) -> str:
            return f"550 {self.answer}"

    failure = Answered("no such user ann@example.com")
    redact_failure(failure)

    assert "550 no such user [address]" == str(failure)


def test_a_line_of_a_web_server_can_still_be_formatted():
    record = []

    def log(logger):
        logger.addFilter(lambda one: record.append(one) or True)
        logger.warning('%s - "%s %s"', "127.0.0.1:1", "GET", "/x?token=abcdef")

    written("text", log)

    assert ("127.0.0.1:1", "GET", "/x?token=[secret]") == record[0].args


def test_a_secret_that_is_an_ordinary_word_is_taken_out_once():
    remember(["secret", "topsecret"])

    once = redact("login topsecret or secret")

    assert "login [secret] or [secret]" == once == redact(once)
