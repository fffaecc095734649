"""Texts through Twilio's web service, and the signature of what it tells us."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from pydantic import SecretStr

from domain.causes import say_cause
from domain.failures import PermanentFailure, TemporaryFailure
from mail.port import Result
from mail.texts.port import OutgoingText, TextOutcome, was_not_delivered

TWILIO = "https://api.twilio.com"
_SECONDS = httpx.Timeout(20.0, connect=10.0)
_UNWANTED = 21610  # the phone has answered STOP
_CLOCKS_APART = timedelta(minutes=2)
_PAGES = 20  # of texts to one phone since a day: nobody gets so many


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """Whose account pays, and from which number or messaging service (`MG…`) texts come."""

    sid: str
    token: SecretStr = field(repr=False)
    sender: str
    url: str = TWILIO

    @property
    def messages(self) -> str:
        return f"{self.url.rstrip('/')}/2010-04-01/Accounts/{self.sid}/Messages.json"


class TwilioSender:
    """
    Sends texts with one POST each; Twilio knows no key by which a second one is the same.

    So a POST whose answer is lost is in doubt, and is looked up by phone, words and time before
    anything is sent again.
    """

    def __init__(self, account: TwilioAccount) -> None:
        self._account = account
        self._client = httpx.Client(
            auth=(account.sid, account.token.get_secret_value()), timeout=_SECONDS
        )

    def send(self, text: OutgoingText) -> TextOutcome:
        sender = self._account.sender
        by = "MessagingServiceSid" if sender.startswith("MG") else "From"
        form = {"To": text.phone, by: sender, "Body": text.words}
        try:
            answer = self._client.post(self._account.messages, data=form)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as failure:
            raise TemporaryFailure(f"Twilio cannot be reached: {say_cause(failure)}") from None
        except httpx.TransportError as failure:
            return TextOutcome(Result.IN_DOUBT, error=f"no answer came: {say_cause(failure)}")
        return _read(answer)

    def look_up(self, text: OutgoingText) -> TextOutcome | None:
        for told in self._texts_to(text.phone, text.since - _CLOCKS_APART):
            if told.get("body") == text.words and _made_at(told) >= text.since - _CLOCKS_APART:
                return _fate(told)
        return None

    def close(self) -> None:
        self._client.close()

    def _texts_to(self, phone: str, since: datetime) -> Iterator[Mapping[str, Any]]:
        url = self._account.messages
        asked: dict[str, str] | None = {
            "To": phone,
            "DateSent>": f"{since.astimezone(UTC):%Y-%m-%d}",
            "PageSize": "200",
        }
        for _ in range(_PAGES):
            page = self._get(url, asked)
            yield from page.get("messages") or ()
            more = page.get("next_page_uri")
            if not more:
                return
            url, asked = self._account.url.rstrip("/") + str(more), None

    def _get(self, url: str, asked: dict[str, str] | None) -> Mapping[str, Any]:
        try:
            answer = self._client.get(url, params=asked)
        except httpx.TransportError as failure:
            raise TemporaryFailure(f"Twilio cannot be asked: {say_cause(failure)}") from None
        if answer.status_code != httpx.codes.OK:
            raise _failure_of_all(answer) or TemporaryFailure(
                f"Twilio answered {answer.status_code} to a question"
            )
        found = _json(answer)
        if not found:
            raise TemporaryFailure("Twilio gave an answer that cannot be read")
        return found


def _read(answer: httpx.Response) -> TextOutcome:
    """Read the answer to a POST; raises what concerns every text."""
    told, status = _json(answer), answer.status_code
    if status in (httpx.codes.OK, httpx.codes.CREATED):
        if not told.get("sid"):
            return TextOutcome(Result.IN_DOUBT, error="Twilio's answer cannot be read")
        return _fate(told)
    if failure := _failure_of_all(answer):
        raise failure
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return TextOutcome(Result.IN_DOUBT, error=f"Twilio answered {status}")
    code = told.get("code")
    return TextOutcome(
        Result.FAILED,
        error=f"Twilio refused it ({status}, code {code})",
        is_unwanted=code == _UNWANTED,
    )


def _failure_of_all(answer: httpx.Response) -> TemporaryFailure | PermanentFailure | None:
    status = answer.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return TemporaryFailure("Twilio asks us to wait (429)")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return PermanentFailure(
            f"Twilio refuses our account ({status}): look at texts.account_sid and the token"
        )
    if status == httpx.codes.NOT_FOUND:
        return PermanentFailure("Twilio knows no such account (404): look at texts.account_sid")
    if httpx.codes.MULTIPLE_CHOICES <= status < httpx.codes.BAD_REQUEST:
        return PermanentFailure(f"Twilio sends us elsewhere ({status}): look at texts.url")
    return None


def _fate(told: Mapping[str, Any]) -> TextOutcome:
    reference = str(told.get("sid") or "")[:64]
    if not was_not_delivered(str(told.get("status"))):
        return TextOutcome(Result.SENT, reference)
    code = told.get("error_code")
    error = f"the carrier did not deliver it (code {code})"
    return TextOutcome(Result.FAILED, reference, error, is_unwanted=code == _UNWANTED)


def _made_at(told: Mapping[str, Any]) -> datetime:
    """Read Twilio's RFC 2822 date; without one it is too old to count."""
    try:
        moment = parsedate_to_datetime(str(told.get("date_created")))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def is_signed(
    token: SecretStr, url: str, fields: Iterable[tuple[str, str]], signature: str
) -> bool:
    """Tell whether Twilio signed a form that was sent to a URL (X-Twilio-Signature)."""
    signed = url + "".join(name + value for name, value in sorted(fields))
    digest = hmac.digest(
        token.get_secret_value().encode(), signed.encode("utf-8", "replace"), hashlib.sha1
    )
    wanted = base64.b64encode(digest)
    return hmac.compare_digest(wanted, signature.encode("utf-8", "replace"))
