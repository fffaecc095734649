"""Usage as graphs, as records one by one, and as a file that a mail leads to."""

from __future__ import annotations

import io
import re
from datetime import date

import pytest
import sqlalchemy as sa
from PIL import Image

from database.definitions.identity import activity
from database.queries.portal.usage import Billed, Consumption
from database.tables import delivery, usage_export
from domain.money import Money
from tests.web.customers.conftest import ANN
from tests.web.customers.history.conftest import MINE
from web.customers.history.graphs import billed_graph, usage_graphs


def exports(office) -> int:
    with office.database.reading() as books:
        return books.scalar(sa.select(sa.func.count()).select_from(usage_export))


def test_rule_178_this_year_stands_beside_last_for_each_meter_and_for_the_total(ann):
    page = ann.get("/usage").text

    assert 2 == page.count("<svg")
    assert "Water (CCF)" in page and "Billed in total" in page
    assert "October 2025: 5" in page and "October 2026: 7.5" in page
    assert "October 2025: $20.00" in page and "October 2026: $45.50" in page
    assert 'data-of="This year">7.5</td><td class="num" data-of="Last year">5</td>' in page


def test_a_graph_has_twelve_months_and_no_bar_where_nothing_is_known():
    (graph,) = usage_graphs(
        [
            Consumption("1", "Water", date(2025, 12, 31), 4.0, Money(1)),
            Consumption("1", "Water", date(2026, 11, 30), 8.0, Money(1)),
        ],
        "en",
    )

    assert 12 == len(graph.months)
    assert [(False, 4.0), (False, 8.0)] == [
        (bar.is_last_year, round(bar.height / graph.bars[1].height * 8, 1)) for bar in graph.bars
    ]
    assert not graph.has_last_year
    assert ["4", "8"] == [month.now for month in graph.months if month.now]


@pytest.mark.parametrize(
    ("water_meter", "shown"), [(True, ["Water"]), (False, ["Sewer", "Water", "Garbage"])]
)
def test_rule_178_what_has_a_meter_has_a_graph_and_what_only_counts_comes_last(water_meter, shown):
    day = date(2026, 10, 31)

    graphs = usage_graphs(
        [
            Consumption("1", "Garbage", day, 1.0, Money(1)),
            Consumption("1", "Sewer", day, 11.0, Money(1)),
            Consumption("1", "Water", day, 11.0, Money(1), is_metered=water_meter),
        ],
        "en",
    )

    assert shown == [graph.service for graph in graphs]


def test_a_month_of_two_periods_is_one_bar_and_credits_hang_below_no_axis():
    graph = billed_graph(
        [
            Billed("1", date(2026, 10, 1), Money(10_00)),
            Billed("1", date(2026, 10, 31), Money(5_00)),
            Billed("1", date(2026, 11, 30), Money(-3_00)),
        ],
        "en",
    )

    assert ["$15.00", "-$3.00"] == [month.now for month in graph.months if month.now]
    assert 0 == graph.bars[-1].height


def test_a_graph_is_printed_alone_and_kept_as_a_picture(ann):
    alone = ann.get(f"/accounts/{MINE}/usage?of=Water")
    picture = ann.get(f"/accounts/{MINE}/usage/picture.png?of=Water")

    assert 1 == alone.text.count("<svg") and "data-print hidden" in alone.text
    assert "image/png" == picture.headers["content-type"]
    with Image.open(io.BytesIO(picture.content)) as found:
        assert ("PNG", (1440, 668)) == (found.format, found.size)
        assert 3 < len(found.getcolors(1_000_000))


@pytest.mark.parametrize("of", ["Gas", "%00", "../x"])
def test_a_graph_that_is_not_there_has_no_picture(ann, of):
    assert 404 == ann.get(f"/accounts/{MINE}/usage/picture.png?of={of}").status_code


@pytest.mark.parametrize("path", ["usage", "usage/picture.png", "lines/2026-10-0", "bill/html"])
def test_somebody_else_sees_no_usage_of_the_account(bob, path):
    assert 404 == bob.get(f"/accounts/{MINE}/{path}").status_code


def test_rule_182_usage_is_filtered_and_columns_are_chosen(ann):
    everything = ann.get("/bills/usage").text
    narrowed = ann.get("/bills/usage?since=2026-01-01&service=Water&column=date&column=id").text

    assert "2 records" in everything and "Invoiced" in everything
    assert "1 record" in narrowed and "2026-10-0" in narrowed
    assert ["ID", "Date"] == re.findall(r'<th scope="col">([^<]*)', narrowed)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("since=31.10.2026", "Enter a day in the form 2026-10-31, or leave it empty."),
        ("until=2026-02-30", "Enter a day in the form 2026-10-31, or leave it empty."),
        ("since=2026-10-02&until=2026-10-01", "The last day is before the first one."),
    ],
)
def test_a_day_that_is_none_is_said_and_nothing_is_hidden(ann, query, sentence):
    page = ann.get(f"/bills/usage?{query}").text

    assert sentence in page and "2 records" in page


def test_a_page_that_is_not_there_is_the_last_one(ann):
    for page in ("0", "99999999", "-1", "x"):
        assert "2 records" in ann.get(f"/bills/usage?page={page}").text


def test_rule_183_the_newest_records_are_sent_to_whoever_is_signed_in(year, ann):
    ann.get("/bills/usage?since=2026-01-01")
    answer = ann.post("/bills/usage", account=MINE, since="2026-01-01")

    with year.database.reading() as books:
        (records,) = books.scalars(sa.select(usage_export.c.records))
        (mail,) = books.execute(
            sa.select(delivery.c.address, delivery.c.kind).where(delivery.c.kind == "usage-export")
        )
        kinds = books.scalars(sa.select(activity.c.kind)).all()
    assert ("/bills/usage?done=sent", 1) == (answer.headers["location"], records)
    assert (ANN, "usage-export") == tuple(mail)
    assert "usage-exported" in kinds
    assert ANN in ann.get("/bills/usage?done=sent").text


def test_nobody_has_somebody_elses_usage_sent(year, bob):
    bob.get("/bills/usage")
    bob.post("/bills/usage", account=MINE)

    assert 0 == exports(year)


def test_where_nothing_is_found_nothing_is_sent(year, ann):
    ann.get("/bills/usage")
    answer = ann.post("/bills/usage", account=MINE, since="2030-01-01")

    assert 422 == answer.status_code and "There is no usage record to send" in answer.text
    assert 0 == exports(year)


def test_files_are_not_made_all_day_long(year, ann):
    ann.get("/bills/usage")
    token = ann.token
    for _ in range(10):
        ann.send("/bills/usage", csrf=token, account=MINE)
    answer = ann.send("/bills/usage", csrf=token, account=MINE)

    assert 422 == answer.status_code and "in 24 hours" in answer.text
    assert 10 == exports(year)


def test_rule_45_an_amount_leads_to_its_breakdown_by_service(ann):
    bills = ann.get("/bills").text
    line = ann.get(f"/accounts/{MINE}/lines/2026-10-0").text

    assert f'<a href="/accounts/{MINE}/lines/2026-10-0">$30.50</a>' in bills
    assert "Sewer" in line and "$45.50" in line and "($20.00)" not in line
    assert "W-778" in line and "1,207.5 (estimated)" in line


def test_rule_180_credits_stand_apart_from_payments(ann):
    page = ann.get("/bills").text
    credits = page[page.index('id="credits"') : page.index('id="lines"')]

    assert "ADJ-1" in credits and "($4.25)" in credits and "20.00" not in credits


@pytest.mark.parametrize("line", ["2026-10-99", "2026-10", "x", "2026-10--1", "2026-10-٣"])
def test_a_line_that_is_none_is_not_there(ann, line):
    assert 404 == ann.get(f"/accounts/{MINE}/lines/{line}").status_code


def test_rule_181_the_newest_bill_is_a_page_by_service_with_ways_on(ann):
    page = ann.get(f"/accounts/{MINE}/bill/html").text

    assert "What was billed, by service" in page and "$45.50" in page
    for way in ("pay", "autopay", "paperless", "bill/2026-10", "lines/2026-10-1"):
        assert f'href="/accounts/{MINE}/{way}"' in page
