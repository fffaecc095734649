"""Which address of what customers look back at is answered by what."""

from __future__ import annotations

from web.customers.history import bills, records, usage
from web.visits import Page

ROUTES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/bills", bills.show_bills),
    ("GET", "/bills/usage", records.show_records),
    ("POST", "/bills/usage", records.take_export),
    ("GET", "/accounts/{account}/bill", bills.show_newest_bill),
    ("GET", "/accounts/{account}/bill/html", bills.read_newest_bill),
    ("GET", "/accounts/{account}/bill/{period}", bills.show_bill),
    ("GET", "/accounts/{account}/bill/{period}/page", bills.read_bill),
    ("GET", "/accounts/{account}/bill/{period}/html", bills.read_bill),
    ("GET", "/accounts/{account}/lines/{line}", bills.show_line),
    ("GET", "/usage", usage.show_usage),
    ("GET", "/accounts/{account}/usage", usage.show_graph),
    ("GET", "/accounts/{account}/usage/picture.png", usage.send_picture),
)
