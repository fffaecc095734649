"""Settings changed by staff: tried, written into the settings file, written down, taken back."""

from __future__ import annotations

import html
import re
import stat
import tomllib

import pytest
import sqlalchemy as sa

from database.tables import audit
from domain.identity import Role
from office.procedures.administering.changing import setting_changes
from office.secrets.sources import secret_keys
from office.settings.administration import TITLES, ChangedBy, keys_of, who_changes
from office.settings.settings import Settings, open_settings

ALL, CHANGE = "/office/settings", "/office/settings/change"


def fields_of(page) -> dict[str, str]:
    """Return what the form would send unchanged."""
    form = page.text.split('action="/office/settings/change"')[1].split("</form>")[0]
    found = {}
    for tag in re.findall(r"<input [^>]*>", form):
        kept = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        found[kept["name"]] = html.unescape(kept.get("value", ""))
    for name, text in re.findall(
        r'<textarea [^>]*name="([\w.]+)"[^>]*>\n(.*?)</textarea>', form, re.S
    ):
        found[name] = html.unescape(text)
    for name, options in re.findall(
        r'<select [^>]*name="([\w.]+)"[^>]*>(.*?)</select>', form, re.S
    ):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(
            r'value="([^"]*)"', options
        )
        found[name] = html.unescape(chosen[1])
    return found


def change(browser, section: str, **values: str):
    """Open a section, write into it and press Save."""
    opened = browser.get(f"{CHANGE}?section={section}")
    assert 200 == opened.status_code, opened.text
    return browser.send(CHANGE, **(fields_of(opened) | values))


def shown(page: str, key: str) -> str:
    return re.search(rf"<dt>{key}<.*?<dd>([^<]*)<", page)[1]


def written(office) -> dict:
    return tomllib.loads((office.home / "billclose.toml").read_text(encoding="utf-8"))


def undo(browser, number: int):
    browser.get(ALL)
    return browser.post(f"{ALL}/undo", number=str(number))


def test_every_section_is_named_by_what_it_is_about(signed_in):
    admin = signed_in(Role.ADMIN)
    page, form = admin.get(ALL).text, admin.get(f"{CHANGE}?section=utility").text

    assert {*Settings.model_fields} == {*TITLES}
    assert len(TITLES) == len({*TITLES.values()})
    assert "Reminders before and after the due date" in page
    assert "<code>Monday to Friday, 8 to 5</code>" in form


def test_a_change_is_in_the_file_with_its_comments_and_in_force_at_once(signed_in, desk, office):
    file = office.home / "billclose.toml"
    before, mode = file.read_text(), stat.S_IMODE(file.stat().st_mode)

    answer = change(signed_in(Role.ADMIN), "reminders", days_before_due="5")

    assert 303 == answer.status_code, answer.text
    assert before.replace("days_before_due = 3", "days_before_due = 5") == file.read_text()
    assert mode == stat.S_IMODE(file.stat().st_mode)
    assert 5 == desk.state.office.settings.reminders.days_before_due
    assert [] == list(office.home.glob(".*.half"))


def test_who_changed_it_stands_on_the_page_and_in_the_audit_list(signed_in, office):
    browser = signed_in(Role.ADMIN)
    change(browser, "reminders", days_before_due="5")

    page = browser.get(ALL).text
    one = setting_changes(office)[0]
    with office.database.reading() as books:
        kept = books.execute(sa.select(audit).where(audit.c.action == "change setting")).one()

    assert ("reminders.days_before_due", 3, 5, "admin 1") == (
        one.name,
        one.before,
        one.after,
        one.changed_by,
    )
    assert ("admin 1", "reminders.days_before_due", "3 -> 5") == (
        kept.who,
        kept.subject,
        kept.detail,
    )
    assert "Undo change 1 of reminders.days_before_due" in page


def test_a_wrong_value_is_said_beside_its_field_and_nothing_is_written(signed_in, office):
    before = (office.home / "billclose.toml").read_text()

    answer = change(signed_in(Role.ADMIN), "reminders", days_before_due="soon", time="09:15")

    assert 422 == answer.status_code
    field = answer.text.split('for="days_before_due"')[1].split("</div>")[0]
    assert 'class="error"' in field and "number" in field and 'value="soon"' in field
    assert 'value="09:15"' in answer.text
    assert before == (office.home / "billclose.toml").read_text()
    assert [] == setting_changes(office)


def test_settings_that_do_not_go_together_are_refused_by_the_models_own_sentence(signed_in, office):
    answer = change(signed_in(Role.ADMIN), "texts", begin="20:00", end="08:00")

    assert 422 == answer.status_code
    assert "texts" not in written(office)


def test_whoever_was_second_is_told_and_overwrites_nothing(signed_in, desk, office):
    first, second = signed_in(Role.ADMIN), signed_in(Role.SUPERVISOR)
    form = fields_of(second.get(f"{CHANGE}?section=reminders"))
    change(first, "reminders", days_before_due="5")

    answer = second.send(CHANGE, **(form | {"spare_autopay": "true"}))

    assert 422 == answer.status_code
    assert "Somebody else has changed these settings" in answer.text
    assert {"days_before_due": 5} == written(office)["reminders"]


def test_a_change_is_taken_back_and_that_is_written_down_too(signed_in, desk, office):
    browser = signed_in(Role.ADMIN)
    before = (office.home / "billclose.toml").read_text()
    change(browser, "reminders", days_before_due="5")

    answer = undo(browser, 1)

    assert 303 == answer.status_code
    assert before == (office.home / "billclose.toml").read_text()
    assert 3 == desk.state.office.settings.reminders.days_before_due
    assert [(5, 3), (3, 5)] == [(one.before, one.after) for one in setting_changes(office)]


def test_what_was_changed_again_since_is_not_taken_back(signed_in, office):
    browser = signed_in(Role.ADMIN)
    change(browser, "reminders", days_before_due="5")
    change(browser, "reminders", days_before_due="6")

    answer = undo(browser, 1)

    assert 422 == answer.status_code
    assert "was changed again since" in answer.text
    assert 6 == written(office)["reminders"]["days_before_due"]


def test_a_supervisor_changes_the_utilitys_settings_and_of_the_portals_none(signed_in, office):
    browser = signed_in(Role.SUPERVISOR)
    form = fields_of(browser.get(f"{CHANGE}?section=reminders"))

    refused = browser.send(CHANGE, **(form | {"days_before_due": "9"}))
    portal = browser.get(f"{CHANGE}?section=checkout")
    change(browser, "checks", large_bill="3100.00")

    assert "days_before_due" not in form and "spare_autopay" in form
    assert 404 == portal.status_code
    assert f"{ALL}?done=same" == refused.headers["location"]
    assert 3 == written(office)["reminders"]["days_before_due"]
    assert "3100.00" == written(office)["checks"]["large_bill"]


def test_a_supervisor_takes_back_nothing_that_an_admin_alone_may_change(signed_in, office):
    change(signed_in(Role.ADMIN), "reminders", days_before_due="5")

    answer = undo(signed_in(Role.SUPERVISOR), 1)

    assert 404 == answer.status_code
    assert 5 == written(office)["reminders"]["days_before_due"]


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("database", "url", "sqlite:////etc/passwd"),
        ("smtp", "url", "smtp://elsewhere.example"),
        ("theme", "logo", "/etc/passwd"),
        ("approval", "people", "2"),
        ("payments", "gateway", "stripe"),  # rule 202: providers are set by whoever installs
        ("cash_receipting", "system", "file"),
    ],
)
def test_what_belongs_to_the_machine_is_not_changed_by_a_form_made_by_hand(
    signed_in, office, section, key, value
):
    browser = signed_in(Role.ADMIN)
    before = (office.home / "billclose.toml").read_text()
    form = fields_of(browser.get(f"{CHANGE}?section=theme"))

    browser.send(CHANGE, **(form | {"section": section, key: value}))

    assert before == (office.home / "billclose.toml").read_text()


def test_what_the_environment_says_wins_and_is_not_asked_for(signed_in, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_REMINDERS__DAYS_BEFORE_DUE", "4")

    page = signed_in(Role.ADMIN).get(f"{CHANGE}?section=reminders").text

    assert "environment: BILLCLOSE_REMINDERS__DAYS_BEFORE_DUE" in page
    assert 'name="days_before_due"' not in page


def test_rows_of_a_table_are_written_changed_and_emptied(signed_in, desk, office):
    browser = signed_in(Role.ADMIN)
    change(
        browser,
        "other_payments",
        **{
            "allow": "true",
            "distributions.0.code": "dump",
            "distributions.0.name": "Dump fee",
            "distributions.0.category": "Streets",
            "distributions.0.allow_online": "true",
        },
    )
    offered = desk.state.office.settings.other_payments.distributions
    emptied = change(
        browser,
        "other_payments",
        **{f"distributions.0.{key}": "" for key in ("code", "name", "category")},
    )

    assert [("dump", True, False)] == [
        (one.code, one.allow_online, one.allow_portal) for one in offered
    ]
    assert 303 == emptied.status_code, emptied.text
    assert () == desk.state.office.settings.other_payments.distributions


@pytest.mark.parametrize("section", sorted(Settings.model_fields))
def test_each_section_opens_where_it_may_and_saved_unchanged_it_changes_nothing(
    signed_in, office, section
):
    browser = signed_in(Role.ADMIN)
    before = (office.home / "billclose.toml").read_text()
    by = {who_changes(section, key) for key in keys_of(section)} - {ChangedBy.INSTALLER}

    opened = browser.get(f"{CHANGE}?section={section}")

    if not by or section.startswith("messages"):
        assert 404 == opened.status_code
        return
    saved = browser.send(CHANGE, **fields_of(opened))
    assert (303, f"{ALL}?done=same") == (saved.status_code, saved.headers["location"])
    assert before == (office.home / "billclose.toml").read_text()


def test_no_secret_path_or_address_of_a_server_is_staffs_to_change():
    theirs = {
        f"{section}.{key}"
        for section in Settings.model_fields
        for key in keys_of(section)
        if who_changes(section, key) is not ChangedBy.INSTALLER
    }
    named = ("url", "path", "folder", "file", "command", "host", "source", "store", "token", "key")

    assert set() == theirs & {f"{section}.{key}" for section, key in secret_keys(Settings)}
    assert [] == [one for one in sorted(theirs) if set(named) & set(one.split(".")[1].split("_"))]


def test_a_secret_is_shown_as_set_and_never_as_what_it_is(signed_in, office, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_WEB__HEALTH_TOKEN", "s3cret-of-the-monitor")
    monkeypatch.setenv("BILLCLOSE_SMTP__URL", "smtp://post:hush-hush@mail.example:587")
    browser = signed_in(Role.ADMIN)
    change(browser, "reminders", days_before_due="5")  # the settings are read again

    page = browser.get(ALL).text

    assert ["set", "not set"] == [shown(page, key) for key in ("health_token", "auth_token")]
    assert "s3cret" not in page and "hush" not in page


def test_the_auditor_sees_all_of_it_and_changes_nothing(signed_in):
    browser = signed_in(Role.AUDITOR)

    page = browser.get(ALL)

    assert 200 == page.status_code
    assert CHANGE not in page.text
    assert 403 == browser.get(f"{CHANGE}?section=reminders").status_code


def test_a_file_changed_by_hand_meanwhile_keeps_what_the_hand_wrote(signed_in, office):
    browser = signed_in(Role.ADMIN)
    form = fields_of(browser.get(f"{CHANGE}?section=reminders"))
    file = office.home / "billclose.toml"
    file.write_text(file.read_text() + '\n[utility]\nphone = "555-0100"\n')

    saved = browser.send(CHANGE, **(form | {"days_before_due": "6"}))

    assert 303 == saved.status_code, saved.text
    assert "555-0100" == open_settings(office.home).utility.phone
    assert 6 == open_settings(office.home).reminders.days_before_due
