"""The runbook's pages: each one, what is red now, and the way to them from what is red."""

from __future__ import annotations

import html
import re

import pytest

from domain.identity import Role
from office.health.health import look_at_books
from web.office.administration.runbook import FOLDER, read_pages
from web.office.pages import RUNBOOK

KINDS = sorted(page.stem for page in FOLDER.glob("*.md") if page.stem != "README")


def words_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())


def test_every_page_of_the_folder_is_a_page_of_the_office(signed_in):
    shown = signed_in(Role.CSR).get(RUNBOOK).text

    assert KINDS == sorted(page.kind for page in read_pages())
    assert [] == [kind for kind in KINDS if f'href="{RUNBOOK}/{kind}"' not in shown]


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_has_all_that_its_file_says_and_no_link_that_leads_nowhere(signed_in, kind):
    text = (FOLDER / f"{kind}.md").read_text()
    browser = signed_in(Role.CSR)

    page = browser.get(f"{RUNBOOK}/{kind}").text

    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    said = [re.sub(r"[`*#]|^\d+\.|\|", "", line).strip() for line in plain.splitlines()]
    shown = re.sub(r" \(docs/[a-z.-]+\)|\*", "", words_of(page))
    assert [] == [line for line in said if " ".join(line.split()) not in shown]
    links = re.findall(r"<article>.*</article>", page, re.DOTALL)[0]
    for target in re.findall(r'href="([^"]*)"', links):
        assert 200 == browser.get(target).status_code, target


def test_every_red_line_leads_to_its_page_and_that_says_what_was_found(office, signed_in):
    browser = signed_in(Role.AUDITOR)
    red = look_at_books(office).troubles
    assert red

    start, health = browser.get("/office").text, browser.get("/office/settings/health").text

    for one in red:
        link = f'<a href="{RUNBOOK}/{one.kind}">{one.title}</a>'
        assert link in start and link in health
        assert words_of(one.detail.replace("`", "")) in words_of(
            browser.get(f"{RUNBOOK}/{one.kind}").text
        )


@pytest.mark.parametrize("kind", ["README", "..%2Fsecurity", "nothing", "%00"])
def test_what_is_no_page_of_the_runbook_is_not_there(signed_in, kind):
    assert 404 == signed_in(Role.ADMIN).get(f"{RUNBOOK}/{kind}").status_code
