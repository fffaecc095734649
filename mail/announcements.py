"""The mails that tell news: a communication to many customers, an alert to the office."""

from __future__ import annotations

from dataclasses import dataclass

from domain.deliveries import MessageKind
from mail.mass_wording import fill_in
from mail.notices import Notice
from mail.phrases import Values, greeted, web_address


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunicationLetter(Notice):
    """
    One text to many (rules 109, 110); who has no account is greeted without a name.

    The paragraphs are as the office wrote them, with their variables.
    """

    kind = MessageKind.COMMUNICATION
    title: str
    paragraphs: tuple[str, ...]
    link: str = ""  # to the posted newsletter
    unsubscribe_link: str = ""

    def _own_values(self) -> Values:
        return {
            "title": self.title,
            "paragraphs": fill_in(self.paragraphs, self._facts()),
            "link": web_address(self.link),
            "unsubscribe_link": web_address(self.unsubscribe_link),
        }

    def _facts(self) -> dict[str, str]:
        return {
            "customer_name": greeted(self.customer) or "customer",
            "account_number": self.account,
            "utility": self.utility,
            "LatestCommunicationLink": web_address(self.latest_communication),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLetter(Notice):
    """Something needs a person of the office; `findings` are whole sentences."""

    kind = MessageKind.ALERT
    title: str
    findings: tuple[str, ...]
    remedy: str

    def _own_values(self) -> Values:
        return {"title": self.title, "findings": self.findings, "what_to_do": self.remedy}
