"""What the office's settings make of its mails: sizes, links, ways out of communications."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.failures import Misuse
from mail.message.mime import Unsubscribe
from mail.message.size_limit import MEGABYTE, SizeLimit
from office.clock import Clock
from office.equipment.office import Office
from office.secrets.files import make_secret, read_secret, secret_for
from office.settings.mail import CommunicationsSettings, EbillSettings
from office.settings.settings import FILE, Settings, open_settings
from tests.builders import NOW

LINK = "https://portal.larkspur.example/{account}/{period}"
OUT = "https://larkspur.example/out?{token}"


def an_office(home, **sections) -> Office:
    return Office(home, Settings(**sections), Clock(lambda: NOW), "anna")


def test_bills_of_twenty_megabytes_go_on_paper_unless_the_office_links_them(tmp_path):
    linked = an_office(tmp_path, ebill=EbillSettings(largest_mb=9, too_large="link", link_url=LINK))

    assert SizeLimit(20 * MEGABYTE) == an_office(tmp_path).bill_renderer.limit
    assert SizeLimit(9 * MEGABYTE, LINK) == linked.bill_renderer.limit
    assert "https://portal.larkspur.example/a%2F1/2026-10" == (
        linked.size_limit.link_to("a/1", "2026-10")
    )


def test_a_link_that_is_set_and_not_wanted_is_not_used(tmp_path):
    office = an_office(tmp_path, ebill=EbillSettings(link_url=LINK))

    assert "" == office.size_limit.link


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[ebill]\ntoo_large = "link"', "ebill.link_url is wrong: it is needed where"),
        ('[ebill]\ntoo_large = "link"\nlink_url = "http://x.example/{account}"', "https://"),
        ('[ebill]\nlink_url = "https://x.example/"', "{account}"),
        ("[ebill]\nlargest_mb = 0", "ebill.largest_mb is wrong"),
        ('[communications]\nunsubscribe_url = "https://x.example/out"', "{token}"),
        ('[communications]\nunsubscribe_url = "http://x.example/{token}"', "https://"),
        ('[communications]\nunsubscribe_url = "https://x.example/é{token}"', "https://"),
        ('[communications]\nunsubscribe_url = "https://x.example/>,{token}"', "https://"),
        ('[communications]\nunsubscribe_mailto = "a@x.example, b@x.example"', "one plain address"),
        ('[communications]\nunsubscribe_mailto = "mailto:a@x.example"', "one plain address"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(tmp_path, text, sentence):
    (tmp_path / FILE).write_text(text)

    with pytest.raises(Misuse) as refused:
        open_settings(tmp_path)

    assert sentence in refused.value.message


def test_communications_have_a_way_out_that_only_this_office_can_make(tmp_path):
    chosen = CommunicationsSettings(unsubscribe_url=OUT, unsubscribe_mailto="out@x.example")
    make_secret(tmp_path)

    ours = an_office(tmp_path, communications=chosen).notice_renderer.unsubscribing
    again = an_office(tmp_path, communications=chosen).notice_renderer.unsubscribing

    token = ours.token("ann@customer.example")
    assert again.token("ANN@customer.example") == token
    assert Unsubscribe(
        f"https://larkspur.example/out?{token}",
        f"mailto:out@x.example?subject=unsubscribe%20{token}",
    ) == ours.ways_out("ann@customer.example")


def test_without_communications_no_secret_is_needed(tmp_path):
    unsubscribing = an_office(tmp_path).notice_renderer.unsubscribing

    assert None is unsubscribing.ways_out("ann@customer.example")


def test_a_rehearsal_needs_no_secret(tmp_path):
    office = an_office(tmp_path, communications=CommunicationsSettings(unsubscribe_url=OUT))

    assert replace(office, rehearses=True).notice_renderer.unsubscribing.ways_out("a@x.example")


def test_what_is_signed_for_one_purpose_proves_nothing_for_another(tmp_path):
    make_secret(tmp_path)

    secrets = {read_secret(tmp_path), *(secret_for(tmp_path, name) for name in ("a", "b"))}

    assert 3 == len(secrets)
    assert secret_for(tmp_path, "a") in secrets
