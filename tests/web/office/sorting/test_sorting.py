"""Pages that belong to nobody: looked at as pictures, given to an account, set aside."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from reportlab.pdfgen.canvas import Canvas

from database.tables import audit, bulk_file, page, page_ruling, period_close
from domain.identity import Role
from office.secrets.files import make_secret
from tests.builders import RUN, a_household, stage_run
from tests.office.health_builders import an_office_at
from tests.web.office.conftest import TRIAL

PAGES = f"/office/close/{RUN}/pages"
PICTURE = f"{PAGES}/picture.png?file=bills.pdf&page="


@pytest.fixture
def office(tmp_path, books):
    """October is imported and split: page 1 is Abbott's, pages 2 and 3 are nobody's."""
    make_secret(tmp_path)
    stage_run(
        books,
        a_household("01.1001.1", name="ABBOTT, ANN", last_name="ABBOTT"),
        a_household("01.1002.2", name="BOLE, BEN", last_name="BOLE"),
    )
    made = an_office_at(tmp_path, books, "2026-11-03T09:00", web=TRIAL)
    draw_file(made.exports_folder / "bills.pdf")
    with books.writing() as rows:
        rows.execute(
            bulk_file.insert().values(
                period=RUN, bulk=0, form="utility-bill", file="bills.pdf", path="bills.pdf",
                account_pattern=r"Account (\S+)",
            )
        )  # fmt: skip
        for number, found in enumerate(("bill", "unassigned", "unassigned")):
            rows.execute(
                page.insert().values(
                    period=RUN, bulk=0, page=number, disposition=found, account_key="0110011",
                    seems_key="0110022" if number == 1 else "", reason="It names no account.",
                )
            )  # fmt: skip
    return made


def draw_file(path) -> None:
    canvas = Canvas(str(path))
    for line in ("Account 01.1001.1", "Dear BEN BOLE", "Account 01.1002.2"):
        canvas.drawString(72, 700, line)
        canvas.showPage()
    canvas.save()


def rulings(office) -> list[tuple[int, str, str]]:
    columns = page_ruling.c.page, page_ruling.c.account, page_ruling.c.ruled_by
    with office.database.reading() as books:
        return [tuple(row) for row in books.execute(sa.select(*columns))]


def rule(browser, how: str, number: int, account: str = "", reason: str = "it is his"):
    opened = browser.get(PAGES)
    assert 200 == opened.status_code, opened.text
    return browser.post(
        PAGES, how=how, file="bills.pdf", page=str(number), account=account, reason=reason
    )


def test_a_page_is_shown_beside_the_account_that_it_seems_to_be(signed_in):
    clerk = signed_in(Role.CLERK)

    told = clerk.get(PAGES).text
    picture = clerk.get(f"{PICTURE}2")

    assert "2 in all; 1 to 2 are shown" in told
    assert "BOLE, BEN" in told and 'value="01.1002.2"' in told
    assert b"\x89PNG" == picture.content[:4]
    assert ("image/png", "no-store") == (
        picture.headers["content-type"],
        picture.headers["cache-control"],
    )


@pytest.mark.parametrize("number", ["1", "9", "0", "-1", "x", ""])
def test_of_a_page_that_is_somebodys_or_is_not_there_no_picture_is_drawn(signed_in, number):
    assert 404 == signed_in(Role.CLERK).get(f"{PICTURE}{number}").status_code


@pytest.mark.parametrize("file", ["../billclose.toml", "/etc/passwd", "other.pdf", ""])
def test_nothing_is_drawn_but_the_files_of_the_export(signed_in, file):
    answer = signed_in(Role.CLERK).get(f"{PAGES}/picture.png", params={"file": file, "page": "2"})

    assert 404 == answer.status_code


def test_a_click_gives_the_page_and_it_is_audited(signed_in, office):
    answer = rule(signed_in(Role.CLERK), "give", 2, "01.1002.2")

    assert 303 == answer.status_code, answer.text
    assert [(1, "01.1002.2", "clerk 1")] == rulings(office)
    with office.database.reading() as books:
        kept = books.execute(sa.select(audit).where(audit.c.action == "rule-page")).one()
    assert ("clerk 1", "page 2 of bills.pdf is given to 01.1002.2: it is his") == (
        kept.who,
        kept.detail,
    )


def test_what_was_said_is_shown_and_taken_back(signed_in, office):
    clerk = signed_in(Role.CLERK)
    rule(clerk, "drop", 2, reason="a cover sheet")
    told = clerk.get(PAGES).text

    rule(clerk, "forget", 2, reason="it was a bill after all")

    assert "set aside by clerk 1: a cover sheet" in told.replace("&#39;", "'")
    assert [] == rulings(office)


@pytest.mark.parametrize(
    ("number", "account", "reason", "sentence"),
    [
        (3, "01.1001.1", "looks so", "a page that names an account is not given"),
        (2, "99.9999.9", "looks so", "There is no account 99.9999.9"),
        (2, "", "looks so", "Write the account"),
        (2, "01.1002.2", " ", "Say why"),
        (1, "01.1002.2", "looks so", "has no page 1 that belongs to nobody"),
    ],
)
def test_what_may_not_be_given_is_refused(signed_in, office, number, account, reason, sentence):
    answer = rule(signed_in(Role.CLERK), "give", number, account, reason)

    assert (422, True) == (answer.status_code, sentence in answer.text), answer.text
    assert [] == rulings(office)


def test_of_a_closed_period_no_page_goes_elsewhere(signed_in, office):
    clerk = signed_in(Role.CLERK)
    clerk.get(PAGES)
    with office.database.writing() as books:
        books.execute(
            period_close.insert().values(period=RUN, closed_by="ana", closed_at=office.moment())
        )

    answer = clerk.post(
        PAGES, how="give", file="bills.pdf", page="2", account="01.1002.2", reason="late"
    )

    assert (422, True) == (answer.status_code, "is closed" in answer.text)


def test_whoever_may_only_look_sees_the_pages_and_gives_none(signed_in, office):
    auditor = signed_in(Role.AUDITOR)

    told = auditor.get(PAGES).text

    assert "Give to the account" not in told
    assert 403 == auditor.post(PAGES, how="give", file="bills.pdf", page="2").status_code


def test_the_close_leads_to_the_pages(signed_in):
    page = signed_in(Role.CLERK).get(f"/office/close/{RUN}").text

    assert f'<a href="{PAGES}">2 pages of the export belong to nobody: look at them</a>' in page
