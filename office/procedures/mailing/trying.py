"""A mail sent once to whoever tries it, and written down: a customer's facts were in it."""

from __future__ import annotations

from collections.abc import Sequence

from database.audit import record_audit
from mail.keys import delivery_key
from mail.previews.previewing import as_test, send_test
from mail.rendering.bills import Sender
from office.equipment.office import Office


def try_mail(
    office: Office,
    sender: Sender,
    to: str,
    content: bytes,
    what: str,
    about: Sequence[str],
    when: str,
) -> None:
    """
    Send a mail once. `about` names the period, the form and the account; `when` sets tries apart.

    Raises TemporaryFailure, PermanentFailure or OutcomeUnknown for what came of it.
    """
    period, form, account = about
    key = delivery_key("test", period, form, account, when)
    send_test(office.mailer, as_test(sender), to, key, content)
    with office.database.writing() as books:
        record_audit(books, office.moment(), office.who, "send test mail", what)
