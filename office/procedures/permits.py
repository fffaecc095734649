"""The numbers of permits that can be paid for, as another system puts them into a file."""

from __future__ import annotations

import csv

from domain.causes import say_cause
from domain.failures import PermanentFailure
from office.equipment.office import Office

COLUMN = "number"


def is_permit(office: Office, number: str) -> bool:
    """
    Tell whether a permit can be paid for; without a file any number can (rule 192).

    Raises PermanentFailure where the file cannot be read: nothing is taken for what nobody knows.
    """
    name = office.settings.other_payments.permits
    if not name:
        return True
    try:
        with (office.home / name).open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if COLUMN not in (rows.fieldnames or ()):
                raise PermanentFailure(f"{name} has no column `{COLUMN}`")
            return any(_key(row[COLUMN] or "") == _key(number) for row in rows)
    except (OSError, UnicodeDecodeError, csv.Error) as failure:
        raise PermanentFailure(f"{name} cannot be read: {say_cause(failure)}") from failure


def _key(number: str) -> str:
    return "".join(number.split()).upper()
