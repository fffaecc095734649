"""On what terms this office enrolls somebody in autopay, by whichever door they come."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain.languages import ENGLISH
from office.equipment.office import Office
from payments.enrollment.wording import read_consent

CONSENT_FILE = "autopay-consent.txt"  # of the home: the office's own words, where it has some


def enrollment_terms(office: Office, today: date, language: str = ENGLISH) -> dict[str, Any]:
    """
    Return what offering and enrolling ask of an office, by name; `today` is a local day.

    `language` is that of whoever reads what is agreed to; an office's own text has one alone.
    """
    return {
        "today": today,
        "closed": office.bank_days,
        "policy": office.autopay_policy,
        "consent": read_consent(office.home / CONSENT_FILE, language),
    }
