"""The mails that tell news: a communication to many customers, an alert to the office."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.deliveries import MessageKind
from domain.failures import Misuse
from mail.letters.notices import Notice
from mail.letters.phrases import Values, greeted, web_address
from mail.message.mime import one_line

VARIABLES = ("customer_name", "account_number", "utility", "LatestCommunicationLink")
LONGEST_SUBJECT = 150  # characters
LONGEST_BODY = 50_000  # octets, of which nobody reads more
_PARAGRAPHS = re.compile(r"\n[ \t]*\n+|\n(?=[ \t]*[-*•][ \t])")  # a list's items stand alone
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_LEFT_OVER = re.compile(r"\{\{|\}\}|\{%|%\}")


def check_subject(subject: str) -> str:
    """
    Return a subject as it is sent; raises Misuse.

    A line end in it would begin a header of somebody else's choice, so it is refused, not mended.
    """
    if not subject.strip():
        raise Misuse("--subject must not be empty.")
    if len(subject) > LONGEST_SUBJECT or not subject.isprintable():
        raise Misuse(f"--subject must be one line of at most {LONGEST_SUBJECT} characters.")
    if _LEFT_OVER.search(subject):
        raise Misuse("--subject takes no variables; write them into the body.")
    return one_line(subject)


def to_paragraphs(body: str) -> tuple[str, ...]:
    """
    Cut a text at its blank lines, and before the items of a list; raises Misuse.

    The line ends within a paragraph are nobody's: each mail program breaks lines as it likes.
    """
    if len(body.encode()) > LONGEST_BODY:
        raise Misuse(f"The body has more than {LONGEST_BODY:,} octets; attach a PDF instead.")
    text = body.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    paragraphs = tuple(filter(None, (one_line(part) for part in _PARAGRAPHS.split(text))))
    if not paragraphs:
        raise Misuse("The body is empty; write a text.")
    for paragraph in paragraphs:
        _check_variables(paragraph)
    return paragraphs


def uses(paragraphs: Iterable[str], variable: str) -> bool:
    return any(variable in _VARIABLE.findall(paragraph) for paragraph in paragraphs)


def fill_in(paragraphs: Iterable[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """
    Put a customer's facts into the paragraphs; one of which nothing is left goes.

    What a fact says is never read as a variable again.
    """

    def to_value(found: re.Match[str]) -> str:
        return values.get(found[1], found[0])

    filled = (_VARIABLE.sub(to_value, paragraph) for paragraph in paragraphs)
    return tuple(paragraph for paragraph in filled if paragraph.strip())


def _check_variables(paragraph: str) -> None:
    known = ", ".join(f"{{{{ {name} }}}}" for name in VARIABLES)
    unknown = [name for name in _VARIABLE.findall(paragraph) if name not in VARIABLES]
    if unknown:
        raise Misuse(f"The body has an unknown variable {unknown[0]}; there are {known}.")
    if _LEFT_OVER.search(_VARIABLE.sub("", paragraph)):
        raise Misuse(f"The body has braces that are no variable; there are {known}.")


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
    """
    Something needs a person of the office; `findings` are whole sentences.

    `ways` are where it is done: an address of a page, or what is typed at a terminal.
    """

    kind = MessageKind.ALERT
    title: str
    findings: tuple[str, ...]
    remedy: str
    ways: tuple[str, ...] = ()

    def _own_values(self) -> Values:
        return {
            "title": self.title,
            "findings": self.findings,
            "what_to_do": self.remedy,
            "ways": self.ways,
        }
