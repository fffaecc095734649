"""Which address of what customers choose is answered by what."""

from __future__ import annotations

from web.customers.choices import sandbox_page, wallet
from web.visits import Page

ROUTES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/wallet", wallet.show_wallet),
    ("GET", "/wallet/add", wallet.show_adding),
    ("POST", "/wallet/add", wallet.take_adding),
    ("GET", "/wallet/added/{key}", wallet.take_added),
    ("GET", "/wallet/{method}/remove", wallet.show_removing),
    ("POST", "/wallet/{method}/remove", wallet.take_removing),
    ("POST", "/wallet/{method}/default", wallet.take_default),
    ("GET", "/sandbox/methods/{key}", sandbox_page.show_test_methods),
    ("POST", "/sandbox/methods/{key}", sandbox_page.take_test_method),
)
