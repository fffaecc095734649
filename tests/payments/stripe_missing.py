"""What localstripe lacks of Stripe, answered from what it has: in the shapes of Stripe's API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.payments.stripe_pages import PATH, SetupPages

Asked = list[tuple[str, str]]
Json = dict[str, Any]
NOT_UNDERSTOOD = ("allowed_payment_method_types", "cancellation_reason")
DAY = 86_400


class Missing:
    """Answers each request, asking localstripe for as much as it can."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._headers: dict[str, str] = {}
        self._bank: set[str] = set()  # intents paid from a bank account
        self._unsettled: set[str] = set()  # of those, the ones that the bank has not answered
        self._reasons: dict[str, str] = {}
        self._returns: dict[str, str] = {}  # intents, and where the bank's page leads back to
        self.pages = SetupPages(client)
        self.events: list[Json] = []
        self.payouts: list[Json] = []
        self.lines: dict[str, list[Json]] = {}
        self.refuse_bank: dict[str, str] = {}  # intents, and the word of the bank's no

    def answer(
        self, method: str, path: str, asked: Asked, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        self._headers = headers
        if path.startswith(PATH):
            return self.pages.answer(method, path, dict(asked), headers)
        if method == "GET" and path in LISTS:
            return 200, _list(path, LISTS[path](self, dict(asked)))
        return self._forward(method, path, asked)

    def everything_happens(self, disputed_methods: set[str]) -> None:
        """Let time pass: banks answer, card holders dispute, and what was drawn is paid out."""
        for intent in self._all("payment_intents"):
            self._unsettled.discard(intent["id"])
            if intent["id"] in self.refuse_bank:
                self._tell("payment_intent.payment_failed", self._as_stripe(intent))
            elif intent["status"] == "succeeded":
                self._tell("payment_intent.succeeded", self._as_stripe(intent))
                if intent["payment_method"] in disputed_methods:
                    self._tell("charge.dispute.created", _dispute(intent))
                    self._tell("charge.dispute.funds_withdrawn", _dispute(intent))
        self._pay_out()

    def _forward(self, method: str, path: str, asked: Asked) -> tuple[int, bytes]:
        known = [pair for pair in asked if pair[0].split("[")[0] not in NOT_UNDERSTOOD]
        if path.endswith("/confirm"):
            known = [pair for pair in known if pair[0] not in ("off_session", "return_url")]
        sent = {"params": known} if method == "GET" else {"data": dict(known)}
        reply = self._client.request(method, path, headers=self._headers, **sent)
        answer = reply.json()
        said = dict(asked)
        if reply.is_success and answer.get("object") == "payment_intent":
            if said.get("allowed_payment_method_types[0]") == "us_bank_account":
                self._bank.add(answer["id"])
                self._unsettled.add(answer["id"])
            if "return_url" in said:
                self._returns[answer["id"]] = said["return_url"]
            if "cancellation_reason" in said:
                self._reasons[answer["id"]] = said["cancellation_reason"]
            answer = self._as_stripe(answer)
        return reply.status_code, json.dumps(answer).encode()

    def _as_stripe(self, intent: Json) -> Json:
        """Add to localstripe's intent what Stripe says of one."""
        is_bank, number = intent["id"] in self._bank, intent["id"]
        own = {
            "payment_method_types": ["us_bank_account" if is_bank else "card"],
            "cancellation_reason": self._reasons.get(number),
        }
        if number in self._returns and intent["next_action"]:
            page = {
                "url": f"https://hooks.stripe.example/3d_secure/{number}",
                "return_url": self._returns[number],
            }
            own["next_action"] = {"type": "redirect_to_url", "redirect_to_url": page}
        if number in self.refuse_bank and number not in self._unsettled:
            own["status"] = "requires_payment_method"
            own["last_payment_error"] = {"code": self.refuse_bank[number]}
        elif number in self._unsettled and intent["status"] == "succeeded":
            own["status"] = "processing"
        return {**intent, **own}

    def _list_intents(self, asked: dict[str, str]) -> list[Json]:
        found = reversed(self._all("payment_intents"))  # newest first
        return [self._as_stripe(each) for each in found if each["customer"] == asked["customer"]]

    def _list_refunds(self, asked: dict[str, str]) -> list[Json]:
        intent = asked["payment_intent"]
        return [each for each in self._all("refunds") if each["payment_intent"] == intent]

    def _list_events(self, asked: dict[str, str]) -> list[Json]:
        kinds = {value for name, value in asked.items() if name.startswith("types")}
        return [
            event
            for event in reversed(self.events)
            if event["type"] in kinds and event["created"] >= int(asked["created[gte]"])
        ]

    def _list_payouts(self, asked: dict[str, str]) -> list[Json]:
        since = int(asked["arrival_date[gte]"])
        return [each for each in reversed(self.payouts) if each["arrival_date"] >= since]

    def _list_lines(self, asked: dict[str, str]) -> list[Json]:
        return self.lines[asked["payout"]]

    def _all(self, kind: str) -> list[Json]:
        reply = self._client.get(f"/v1/{kind}", params={"limit": 1000}, headers=self._headers)
        entries: list[Json] = reply.json()["data"]
        return entries

    def _tell(self, kind: str, subject: Json) -> None:
        number = f"evt_{len(self.events) + 1:04d}"
        self.events.append(
            {
                "id": number,
                "object": "event",
                "type": kind,
                "created": int(time.time()),
                "data": {"object": subject},
            }
        )

    def _pay_out(self) -> None:
        """Pay out everything that was not paid out, less fees, as Stripe does it by itself."""
        paid = {line["id"] for lines in self.lines.values() for line in lines}
        lines = [
            self._with_source(line)
            for line in self._all("balance_transactions")
            if line["id"] not in paid
        ]
        net = sum(line["net"] for line in lines)
        number = f"po_{len(self.payouts) + 1:04d}"
        today = int(time.time()) // DAY * DAY
        own = {"id": f"txn_{number}", "object": "balance_transaction", "type": "payout"}
        self.lines[number] = [{**own, "amount": -net, "fee": 0, "source": None}, *lines]
        self.payouts.append(
            {
                "id": number,
                "object": "payout",
                "amount": net,
                "arrival_date": today + len(self.payouts) * DAY,
                "automatic": True,
                "status": "paid",
            }
        )

    def _with_source(self, line: Json) -> Json:
        """Expand a line's source; Stripe copies an intent's metadata to its charge."""
        is_charge = line["source"].startswith("ch_")
        kind = "charges" if is_charge else "refunds"
        source = self._client.get(f"/v1/{kind}/{line['source']}", headers=self._headers).json()
        fee = (line["amount"] * 29 + 500) // 1000 + 30 if is_charge else 0
        if is_charge:
            path = f"/v1/payment_intents/{source['payment_intent']}"
            source["metadata"] = self._client.get(path, headers=self._headers).json()["metadata"]
        return {**line, "fee": fee, "net": line["amount"] - fee, "source": source}


def _list(path: str, entries: list[Json]) -> bytes:
    answer = {"object": "list", "url": path, "has_more": False, "data": entries}
    return json.dumps(answer).encode()


def _dispute(intent: Json) -> Json:
    return {
        "id": f"dp_{intent['id']}",
        "object": "dispute",
        "amount": intent["amount"],
        "charge": intent["latest_charge"]["id"],
        "payment_intent": intent["id"],
        "reason": "fraudulent",
        "status": "needs_response",
    }


LISTS: dict[str, Callable[[Missing, dict[str, str]], list[Json]]] = {
    "/v1/payment_intents": Missing._list_intents,
    "/v1/refunds": Missing._list_refunds,
    "/v1/events": Missing._list_events,
    "/v1/payouts": Missing._list_payouts,
    "/v1/balance_transactions": Missing._list_lines,
}
