"""Which address of autopay is answered by what."""

from __future__ import annotations

from web.customers.autopay import charge, page
from web.visits import Page

ROUTES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/accounts/{account}/autopay", page.show_autopay),
    ("POST", "/accounts/{account}/autopay", page.take_wish),
    ("GET", "/accounts/{account}/autopay/offer", page.show_autopay),
    ("POST", "/accounts/{account}/autopay/offer", page.take_yes),
    ("GET", "/accounts/{account}/autopay/cancel", page.show_autopay),
    ("POST", "/accounts/{account}/autopay/cancel", page.take_ending),
    ("GET", "/accounts/{account}/charges/{period}/{number}", charge.show_charge),
)
