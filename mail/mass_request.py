"""A mass mail as a person asks for it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from mail.communications_pdf import PdfFile
from mail.mass_audience import Audience
from mail.mass_wording import to_paragraphs, uses


@dataclass(frozen=True, slots=True)
class Request:
    """One mass mail as the office wrote it (rule 110)."""

    subject: str
    body: str = field(repr=False)
    audience: Audience = field(repr=False)
    attachment: PdfFile | None = None
    communication: int | None = None

    @property
    def content(self) -> str:
        """Name all that was asked for: the same again is the same mail."""
        file = self.attachment.sha256 if self.attachment else ""
        told = [self.subject, self.body, self.audience.folded, file, self.communication]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    @property
    def names_account(self) -> bool:
        return uses(to_paragraphs(self.body), "account_number")
