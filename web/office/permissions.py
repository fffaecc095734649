"""What each role of staff may do: one table, which a test holds against every page."""

from __future__ import annotations

from enum import StrEnum

from domain.identity import Role


class Permission(StrEnum):
    """What a page needs of whoever opens it."""

    LOOK = "look"  # where the month stands, and every list but those below
    EXPORT = "export"  # take what a list shows away in a file
    CUSTOMERS = "customers"  # look up accounts with their names and addresses
    CLOSE = "close"  # upload, rehearse, close
    APPROVE = "approve"  # say yes or no to a close, and to taking one back
    OUTSORT = "outsort"  # hold one bill back, release it, let a finding be known
    CORRECT = "correct"  # replace one closed bill by a corrected one
    RETRY = "retry"  # post what was taken and is not in cash receipting
    DECIDE = "decide"  # about mails, bounces, payments in doubt, differences, what is posted
    REFUND = "refund"  # give a payment back
    WORDING = "wording"  # write the words of mails and pages (rules 16, 205, 206)
    SETTINGS = "settings"  # see the settings; of secrets only whether they are set
    UTILITY_SETTINGS = "utility-settings"  # change those of mails, autopay, checks (rule 206)
    PORTAL_SETTINGS = "portal-settings"  # and those of the portal, its look, reminders' times
    STAFF = "staff"  # see who may sign in
    AUDIT = "audit"  # read who did what
    CUSTOMER_SERVICE = "customer-service"  # the console: find, see, lock, unlock, send, look
    DELETE_USERS = "delete-users"  # take a portal account away, payments to come included
    INVITE_MANY = "invite-many"  # write to all customers of a filter
    LINK_ACCOUNTS = "link-accounts"  # to oneself for a test, and take a link off anybody


_LOOKS_UP = frozenset({Permission.LOOK, Permission.CUSTOMERS})
_OFFICE = _LOOKS_UP | {Permission.EXPORT, Permission.SETTINGS}
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.CSR: _LOOKS_UP | {Permission.CUSTOMER_SERVICE},
    Role.CLERK: _OFFICE
    | {Permission.CLOSE, Permission.OUTSORT, Permission.CORRECT}
    | {Permission.RETRY, Permission.DECIDE},
    Role.SUPERVISOR: frozenset(Permission) - {Permission.STAFF, Permission.PORTAL_SETTINGS},
    Role.ADMIN: frozenset(Permission),
    Role.AUDITOR: _OFFICE | {Permission.STAFF, Permission.AUDIT},  # may only look
}


def may(role: Role | None, permission: Permission) -> bool:
    """Tell whether a role has a permission; nobody without a role has any."""
    return role is not None and permission in PERMISSIONS[role]
