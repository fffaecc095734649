"""What keeps strangers out of an e-mailed bill: a password that its customer knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from domain.deliveries import PasswordField
from domain.failures import PermanentFailure
from mail.bill_facts import BillFacts
from rules.passwords import bill_password


@dataclass(frozen=True, slots=True)
class Protection:
    """
    How an office protects the bills that it mails.

    `field` is where the password stands; `lock` takes a PDF and the password and returns the
    encrypted copy. It raises ValueError for a PDF that it cannot encrypt.
    """

    field: PasswordField
    lock: Callable[[bytes, str], bytes]

    def password(self, facts: BillFacts) -> str:
        """
        Return what opens this bill; raises PermanentFailure where the account has no such thing.

        The plan puts such a bill on paper. It gets here where the setting changed after the plan.
        """
        password = bill_password(self.field, facts.zip_code, facts.phone)
        if not password:
            raise PermanentFailure(
                f"the account has no {self.field} to protect the e-mailed bill with; print the bill"
            )
        return password

    def protect(self, content: bytes, password: str) -> bytes:
        """Return the copy that only the password opens; raises PermanentFailure."""
        try:
            return self.lock(content, password)
        except ValueError:  # its text is not repeated: it may hold what the bill says
            raise PermanentFailure("the bill document cannot be encrypted") from None
