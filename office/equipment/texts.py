"""What an office sends texts with; loaded by the first command that needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mail.rendering.texts import TextWords
from mail.texts.embedded import TextFolder, TextRehearsal
from mail.texts.port import TextSender
from mail.texts.twilio import TWILIO, TwilioAccount, TwilioSender, is_signed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from identity.tokens import LinkTokens
    from mail.rendering.notices import NoticeRenderer
    from office.settings.settings import Settings
    from office.settings.texts import TextsSettings


class TextNeeds(Protocol):
    """What texts' equipment is made from: an office, as far as it is about texts."""

    @property
    def settings(self) -> Settings: ...
    @property
    def rehearses(self) -> bool: ...
    def folder(self, name: str) -> Path: ...
    @property
    def notice_renderer(self) -> NoticeRenderer: ...
    @property
    def link_tokens(self) -> LinkTokens: ...


def to_text_sender(office: TextNeeds) -> TextSender:
    """Return what carries texts by the settings; a rehearsal reaches nobody."""
    if office.rehearses:
        return TextRehearsal()
    chosen = office.settings.texts
    if chosen.system == "folder":
        return to_text_folder(office)
    return TwilioSender(to_twilio_account(chosen))


def to_text_folder(office: TextNeeds) -> TextFolder:
    return TextFolder(office.folder("texts"))


def to_twilio_account(chosen: TextsSettings) -> TwilioAccount:
    return TwilioAccount(chosen.account_sid, chosen.auth_token, chosen.sender, chosen.url or TWILIO)


def is_twilios(
    chosen: TextsSettings, url: str, fields: Iterable[tuple[str, str]], signature: str
) -> bool:
    """Tell whether Twilio has signed what was sent to a URL; without a token nothing is."""
    has_token = chosen.system == "twilio" and bool(chosen.auth_token.get_secret_value())
    return has_token and is_signed(chosen.auth_token, url, fields, signature)


def to_text_words(office: TextNeeds) -> TextWords:
    return TextWords(office.notice_renderer, office.link_tokens.code, office.settings.texts.amounts)


def are_texts_offered(office: TextNeeds) -> bool:
    """
    Tell whether customers may choose texts.

    A folder is for trials: where mails reach customers, texts that reach nobody are not offered.
    """
    chosen = office.settings
    return chosen.texts.system == "twilio" or not chosen.smtp.url
