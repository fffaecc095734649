"""The mails that tell news: a communication to many customers, an alert to the office."""

from __future__ import annotations

from dataclasses import dataclass

from domain.deliveries import MessageKind
from mail.notices import Notice
from mail.phrases import Values, web_address


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunicationLetter(Notice):
    """One text to many (rules 109, 110); who has no account is greeted without a name."""

    kind = MessageKind.COMMUNICATION
    title: str
    paragraphs: tuple[str, ...]
    link: str = ""  # to the posted newsletter
    unsubscribe_link: str = ""

    def _own_values(self) -> Values:
        return {
            "title": self.title,
            "paragraphs": self.paragraphs,
            "link": web_address(self.link),
            "unsubscribe_link": web_address(self.unsubscribe_link),
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
