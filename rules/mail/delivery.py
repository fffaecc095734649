"""Who receives a bill, and how."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable
from datetime import date

from domain.accounts import AccountStatus
from domain.deliveries import DeliveryPlan, PaperReason, PasswordField, Recipient, RecipientSource


def choose_recipients(
    record: Iterable[str], portal_users: Iterable[str], landlords: Iterable[str]
) -> tuple[Recipient, ...]:
    """
    Return one recipient a mailbox, in the order customer record, portal users, landlords.

    The valid addresses of the customer record and those of all linked portal users all receive it
    (rules 21-28), the landlord's portal users too where the office wants so (rule 29, ruling 6).
    The same mailbox in two sources is sent to once and keeps its first source (ruling 8).
    """
    found = [Recipient(address, RecipientSource.CUSTOMER_RECORD) for address in record]
    found += [Recipient(address, RecipientSource.PORTAL_USER) for address in portal_users]
    found += [Recipient(address, RecipientSource.LANDLORD) for address in landlords]
    once: dict[str, Recipient] = {}
    for recipient in found:
        once.setdefault(recipient.mailbox, recipient)
    return tuple(once.values())


def is_paperless(ebill: bool, portal_choices: Iterable[bool]) -> bool:
    """A customer is paperless by the office's field or by any linked portal user (rules 20-25)."""
    return ebill or any(portal_choices)


def choose_paper(
    status: AccountStatus,
    *,
    send_paper: bool,
    paperless: bool,
    has_address: bool,
    has_password: bool,
    has_bounced: bool,
    is_too_large: bool,
) -> PaperReason | None:
    """
    Return why a bill goes on paper, or None where it does not.

    The two flags are separate and both may be set or unset (ruling 1): paper is for whoever asked
    for it, for whoever is not paperless, and for a paperless customer whom no mail can reach.
    A closed account gets neither. A missing password, and a bill too large for a mail, come before
    the wish for paper: they are why the other copy is not mailed. `has_bounced`: it has addresses,
    and mails to all of them come back.
    """
    if status is AccountStatus.CLOSED:
        return None
    if paperless and has_address and not has_password:
        return PaperReason.PASSWORD_MISSING
    if paperless and has_address and is_too_large:
        return PaperReason.EBILL_TOO_LARGE
    if send_paper:
        return PaperReason.SEND_PAPER
    if not paperless:
        return PaperReason.NO_EBILL
    if has_address:
        return None
    return PaperReason.EBILL_BOUNCED if has_bounced else PaperReason.NO_VALID_EMAIL


def plan_delivery(
    account: str,
    status: AccountStatus,
    *,
    ebill: bool,
    send_paper: bool,
    record: Iterable[str],
    portal_links: Iterable[tuple[str | None, bool]],
    landlords: Iterable[str],
    has_password: bool = True,
    suppressed: Container[str] = frozenset(),
    is_too_large: bool = False,
) -> DeliveryPlan:
    """
    Decide how one account's bill goes out.

    `record` are the valid addresses of the customer record, `portal_links` the linked portal
    users' addresses, each with its paperless choice, which counts where no mail can be addressed to
    the user (None); `landlords` are the cosigner's portal users where the office sends to
    landlords. Without `has_password` there is nothing to lock the e-mailed bill
    with, and no unprotected one is mailed in its place: it goes on paper, as does one that
    `is_too_large` for a mail. `suppressed` mailboxes count as not valid: mails to them came back.
    """
    links = list(portal_links)
    users = (address for address, _ in links if address is not None)
    everybody = choose_recipients(record, users, landlords)
    reachable = tuple(found for found in everybody if found.mailbox not in suppressed)
    paperless = is_paperless(ebill, (choice for _, choice in links))
    paperless = paperless and status is not AccountStatus.CLOSED
    paper = choose_paper(
        status,
        send_paper=send_paper,
        paperless=paperless,
        has_address=bool(reachable),
        has_password=has_password,
        has_bounced=len(reachable) < len(everybody),
        is_too_large=is_too_large,
    )
    recipients = reachable if paperless and has_password and not is_too_large else ()
    return DeliveryPlan(account, paperless, recipients, paper)


def may_see_method(recipient: Recipient, wallet_owner: str) -> bool:
    """
    Tell whether a recipient may read which card or bank account pays (rules 117, 118, 135).

    The wallet belongs to the registered portal user, not to the account: landlord and tenant both
    get the bill, and neither sees the other's payment details. A method without an owner was
    given to the office by the customer.
    """
    if wallet_owner:
        return recipient.mailbox == wallet_owner.casefold()
    return recipient.source is RecipientSource.CUSTOMER_RECORD


_ZIP_PLUS_FOUR = re.compile(r"([0-9]{5})[0-9]{4}")
_PHONE = re.compile(r"1?[0-9]{3}([0-9]{7})|([0-9]{7})")


def bill_password(field: PasswordField, zip_code: str, phone: str) -> str:
    """
    Return what opens an account's e-mailed bill, in ASCII; empty where there is no such thing.

    There is one way to type it, whatever way the export writes it:

    - `zip`: the first five digits of a ZIP code. A postal code of another country: its letters, as
      capitals, and its digits, without blanks and dashes.
    - `phone`: the last seven digits of a number of seven or ten, or of eleven that begin with 1. Of
      anything else (two numbers, an extension) the customer could not know which digits count.
    """
    match field:
        case PasswordField.ZIP:
            return _of_zip(zip_code)
        case PasswordField.PHONE:
            return _of_phone(phone)
        case _:
            return ""


def _of_zip(zip_code: str) -> str:
    plain = unicodedata.normalize("NFKC", zip_code).upper()
    code = "".join(char for char in plain if char.isascii() and char.isalnum())
    full = _ZIP_PLUS_FOUR.fullmatch(code)
    return full[1] if full else code


def _of_phone(phone: str) -> str:
    if any(char.isalpha() for char in phone):
        return ""
    digits = "".join(char for char in phone if char.isascii() and char.isdigit())
    number = _PHONE.fullmatch(digits)
    return (number[1] or number[2]) if number else ""


def is_part_due(last_written_on: date | None, today: date) -> bool:
    """
    Tell whether a period's next part is written without being asked for: one a day.

    The close's own part does not count. Most mails come back within hours; what comes later waits
    for the next day, so that the print office has one job and not one for each mail.
    """
    return last_written_on is None or last_written_on < today
