"""Which address of the ways to sign in is answered by what, and for whom."""

from __future__ import annotations

from web.customers.factors import mailed_connection, outside, passkeys, phone
from web.visits import Page, redirect

OPEN: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/sign-in/passkey", lambda _visit: redirect("/sign-in")),
    ("POST", "/sign-in/passkey", passkeys.begin_signing_in),
    ("GET", "/sign-in/passkey/answer", lambda _visit: redirect("/sign-in")),
    ("POST", "/sign-in/passkey/answer", passkeys.take_signing_in),
    ("GET", "/oidc/{provider}", lambda _visit: redirect("/sign-in")),
    ("POST", "/oidc/{provider}", outside.begin_sign_in),
    ("GET", "/oidc/{provider}/callback", outside.take_query),
    ("POST", "/oidc/{provider}/callback", outside.take_form),
    ("GET", outside.BY_MAIL, mailed_connection.show_sent),
    ("POST", outside.BY_MAIL, mailed_connection.take_address),
    ("GET", "/oidc/mailed/{token}", mailed_connection.show_button),
    ("POST", "/oidc/mailed/{token}", mailed_connection.press),
)
BEFORE_CODE: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/sign-in/code", phone.show_code),
    ("POST", "/sign-in/code", phone.take_code),
    ("POST", "/sign-in/leave", phone.leave),
)
CONNECTING: tuple[tuple[str, str, Page], ...] = (
    ("GET", outside.CONNECT, outside.show_connecting),
    ("POST", outside.CONNECT, outside.take_connecting),
)
SIGNED_IN: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/account/two-step", phone.show_two_step),
    ("GET", "/account/two-step/{part}", lambda _visit: redirect("/account/two-step")),
    ("POST", "/account/two-step/begin", phone.begin),
    ("POST", "/account/two-step/confirm", phone.confirm),
    ("POST", "/account/two-step/stop", phone.stop),
    ("GET", outside.WAYS, outside.show_ways),
    ("GET", f"{outside.WAYS}/{{part}}", lambda _visit: redirect(outside.WAYS)),
    ("POST", f"{outside.WAYS}/begin", outside.take_beginning),
    ("POST", f"{outside.WAYS}/remove", outside.take_removing),
    ("GET", "/account/passkeys", passkeys.show_passkeys),
    ("GET", "/account/passkeys/{part}", lambda _visit: redirect("/account/passkeys")),
    ("POST", "/account/passkeys/begin", passkeys.take_begin),
    ("POST", "/account/passkeys/added", passkeys.take_added),
    ("POST", "/account/passkeys/remove", passkeys.take_removing),
)
