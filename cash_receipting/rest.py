"""Cash receipting behind a web service: entries by POST, looked up by key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from cash_receipting.port import PostingRequest, Receipt, ServiceDown
from domain.causes import say_cause
from domain.failures import OutcomeUnknown, PermanentFailure, TemporaryFailure
from domain.money import Money

MAY_BE_BOOKED = {408, 425, 429}
LENGTH = 200


def read_receipt(answer: httpx.Response, body: Any = None) -> Receipt:
    """
    Read a receipt from an answer; raises OutcomeUnknown where it cannot be read.

    It was booked or not: only a look shows. Whether it is what we sent is for posting to compare.
    """
    try:
        found = answer.json() if body is None else body
        texts = [found[name] for name in ("receipt", "key", "account", "amount")]
        if not all(isinstance(text, str) and text for text in texts):
            raise TypeError
        number, key, account, amount = texts
        return Receipt(number, key, account, Money.parse(amount))
    except (ValueError, KeyError, TypeError):
        raise OutcomeUnknown("cash receipting gave an answer that cannot be read") from None


def refusal_of(answer: httpx.Response) -> TemporaryFailure | PermanentFailure | OutcomeUnknown:
    """
    Return the failure that a status stands for.

    A server's error may have come after the booking: only a 503 that says when to come back
    surely came before. A refused token is no fault of the posting.
    """
    status = answer.status_code
    if status == httpx.codes.SERVICE_UNAVAILABLE and "Retry-After" in answer.headers:
        return ServiceDown("cash receipting is closed for now (503)")
    if status in MAY_BE_BOOKED or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return OutcomeUnknown(f"cash receipting answered {status}")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return ServiceDown(f"cash receipting refuses our token ({status})")
    if status < httpx.codes.BAD_REQUEST:
        return ServiceDown(f"cash receipting sends us elsewhere ({status}); check its address")
    return PermanentFailure(f"cash receipting refused it ({status}): {_reason(answer)}")


def _reason(answer: httpx.Response) -> str:
    """Return the service's own words, cut short and on one line."""
    try:
        said = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return "no reason given"
    words = " ".join(str(said).split())
    return "".join(sign for sign in words if sign.isprintable())[:LENGTH]


SECONDS = 30.0  # for each part of a call
NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
)


class RestReceipting:
    """
    A generic service: POST /receipts, GET /receipts?key=…, GET /health.

    The key goes in the header `Idempotency-Key` and in a searchable field. Certificates are
    verified. Threads share the connections.
    """

    name = "cash receipting"

    def __init__(
        self,
        url: str,
        token: SecretStr,
        *,
        keeps_keys: bool = True,
        longest_in_flight: timedelta = timedelta(minutes=5),
        seconds: float = SECONDS,
    ) -> None:
        self.keeps_keys = keeps_keys
        self.longest_in_flight = longest_in_flight
        secret = token.get_secret_value()
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {secret}"} if secret else {},
            timeout=httpx.Timeout(seconds, connect=min(seconds, 10.0)),
        )

    def post(self, request: PostingRequest) -> Receipt:
        answer = self._call(
            "POST", "/receipts", json=_to_body(request), headers={"Idempotency-Key": request.key}
        )
        if answer.is_success:
            return read_receipt(answer)
        if answer.status_code == httpx.codes.CONFLICT:
            return self._known(request)
        raise refusal_of(answer)

    def find(self, request: PostingRequest) -> Receipt | None:
        answer = self._call("GET", "/receipts", params={"key": request.key})
        if not answer.is_success:
            raise _only_temporary(refusal_of(answer))
        try:
            found = answer.json()["receipts"]
            mine = [one for one in found if one["key"] == request.key]
        except (ValueError, KeyError, TypeError):
            raise OutcomeUnknown("cash receipting gave an answer that cannot be read") from None
        return read_receipt(answer, mine[0]) if mine else None

    def hand_over(self) -> None:
        """Do nothing: each posting is entered at once."""

    def check_health(self) -> None:
        try:
            answer = self._call("GET", "/health")
        except OutcomeUnknown as failure:
            raise ServiceDown(str(failure)) from None
        if not answer.is_success:
            raise ServiceDown(f"cash receipting says {answer.status_code} of its health")

    def close(self) -> None:
        self._client.close()

    def _known(self, request: PostingRequest) -> Receipt:
        """Fetch the receipt of what the service says it has already."""
        found = self.find(request)
        if found is None:
            raise OutcomeUnknown("cash receipting has this key already, and cannot find it")
        return found

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call the service; raises ServiceDown where nothing was sent, else OutcomeUnknown."""
        try:
            return self._client.request(method, path, **options)
        except NEVER_SENT as failure:
            raise ServiceDown(f"cash receipting cannot be reached ({say_cause(failure)})") from None
        except httpx.HTTPError as failure:
            raise OutcomeUnknown(f"cash receipting gave no answer ({say_cause(failure)})") from None


def _to_body(request: PostingRequest) -> Mapping[str, str | None]:
    """Say what else than an account was paid only where something was."""
    other = {"distribution": request.distribution}
    other |= {"payor": request.payor, "comment": request.comment}
    return {
        "key": request.key,
        "kind": request.kind.value,
        "account": request.account,
        "amount": str(request.amount),
        "method": request.method_kind.value,
        "confirmation": request.confirmation,
        "taken_on": request.taken_on.isoformat(),
        "reverses": request.reverses,
        **(other if request.distribution else {}),
    }


def _only_temporary(failure: Exception) -> Exception:
    """A question that is refused says nothing of the posting: the service is set up wrongly."""
    if isinstance(failure, TemporaryFailure | OutcomeUnknown):
        return failure
    return ServiceDown(f"cash receipting does not let us look receipts up: {failure}")
