"""Members of the invented city's staff who can sign in to its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from command_line.demo.customers import PASSWORD, DemoCustomer

if TYPE_CHECKING:
    from office.equipment.office import Office

STAFF = (
    ("a clerk", "clerk"),
    ("customer service", "csr"),
    ("a supervisor", "supervisor"),
    ("an admin", "admin"),
    ("an auditor", "auditor"),
)


def register_staff(office: Office) -> tuple[DemoCustomer, ...]:
    """Add members of staff with a password, as `billclose staff add` and their links do."""
    from domain.identity import Role
    from identity.passwords import Passwords
    from identity.staff import add_staff, choose_staff_password

    members = []
    for what, role in STAFF:
        mailbox = f"{role}@alderfalls.example"
        with office.database.writing() as books:
            mail = add_staff(
                books, office.link_tokens, mailbox, Role(role), office.due_now(), office.who
            )
        token = office.link_tokens.token(mail.link)
        choose_staff_password(office.database, Passwords(), token, PASSWORD, office.due_now())
        members.append(DemoCustomer(what, mailbox))
    return tuple(members)
