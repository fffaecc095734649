"""Which address of what customers choose is answered by what."""

from __future__ import annotations

from starlette.routing import Route

from web.customers.choices import (
    adding_by_link,
    my_account,
    new_address,
    paperless,
    sandbox_page,
    texts,
    wallet,
)
from web.customers.paying import sandbox_bank
from web.visits import Page, open_page, redirect

ROUTES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/wallet", wallet.show_wallet),
    ("GET", "/wallet/add", wallet.show_adding),
    ("POST", "/wallet/add", wallet.take_adding),
    ("GET", "/wallet/added/{key}", wallet.take_added),
    ("GET", "/wallet/{method}/remove", wallet.show_removing),
    ("POST", "/wallet/{method}/remove", wallet.take_removing),
    ("GET", "/wallet/{method}/default", wallet.show_wallet),
    ("POST", "/wallet/{method}/default", wallet.take_default),
    ("GET", "/accounts/{account}/paperless", paperless.show_paperless),
    ("POST", "/accounts/{account}/paperless", paperless.take_paperless),
    ("GET", "/account", my_account.show_my_account),
    ("GET", "/account/texts", texts.show_texts),
    ("POST", "/account/texts", texts.take_phone_for_texts),
    ("GET", "/account/texts/code", texts.show_code),
    ("POST", "/account/texts/code", texts.take_code),
    ("GET", "/account/texts/stop", lambda _visit: redirect("/account/texts")),
    ("POST", "/account/texts/stop", texts.take_mails),
    ("GET", "/account/address", new_address.show_asking),
    ("POST", "/account/address", new_address.take_asking),
    ("GET", "/account/address/passkey", lambda _visit: redirect("/account/address")),
    ("POST", "/account/address/passkey", new_address.ask_passkey),
    ("GET", "/account/address/code", new_address.show_code),
    ("POST", "/account/address/code", new_address.take_code),
    ("GET", "/account/address/keep", lambda _visit: redirect("/account/address")),
    ("POST", "/account/address/keep", new_address.take_giving_up),
    ("GET", "/account/{part}", lambda _visit: redirect("/account")),
    ("POST", "/account/password", my_account.take_new_password),
    ("POST", "/account/phone", my_account.take_phone),
    ("POST", "/account/sessions", my_account.end_other_sessions),
)

BY_LINK: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/new-address/{token}", new_address.show_proving),
    ("POST", "/new-address/{token}", new_address.press_proving),
    ("GET", "/stop-address/{token}", new_address.show_stopping),
    ("POST", "/stop-address/{token}", new_address.press_stopping),
    ("GET", "/add-method/{token}", adding_by_link.show_adding_by_link),
    ("POST", "/add-method/{token}", adding_by_link.take_adding_by_link),
    ("GET", "/add-method/added/{key}", adding_by_link.take_added_by_link),
)
SANDBOX = "/sandbox/methods/{key}"
SANDBOX_BANK = "/sandbox/bank/{key}"


def link_routes() -> list[Route]:
    """Return what a mailed or texted link leads to: whoever holds it needs no session."""
    return [Route(path, open_page(page), methods=[method]) for method, path, page in BY_LINK]


def sandbox_routes() -> list[Route]:
    """Return what stands in the place of a gateway's page: it knows no session, its key is it."""
    return [
        Route(SANDBOX, open_page(sandbox_page.show_test_methods), methods=["GET"]),
        Route(SANDBOX, open_page(sandbox_page.take_test_method), methods=["POST"]),
        Route(SANDBOX_BANK, open_page(sandbox_bank.show_bank), methods=["GET"]),
        Route(SANDBOX_BANK, open_page(sandbox_bank.take_answer), methods=["POST"]),
    ]
