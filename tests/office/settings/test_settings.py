"""The settings: from the file, from the environment, and refused with one sentence."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest

from office.settings.settings import FILE, Settings, commented_file, open_settings
from rules.money.autopay import OnClosedDay, OverMaximum
from tests.office.settings_builders import refusal

CHRISTMAS_EVE, NEW_YEARS_EVE = date(2026, 12, 24), date(2026, 12, 31)


def test_without_a_file_everything_stands_at_its_default(tmp_path):
    settings = open_settings(tmp_path)

    assert Settings() == settings
    assert ("US", (), "", "bills") == (
        settings.utility.holidays,
        settings.utility.closed_days,
        settings.database.url,
        settings.bills.store,
    )
    assert (OnClosedDay.PREVIOUS, OverMaximum.SKIP) == (
        settings.autopay.on_closed_day,
        settings.autopay.over_maximum,
    )
    assert (3, 1, "06:00", False, True) == (
        settings.reminders.days_before_due,
        settings.reminders.days_after_due,
        settings.reminders.time,
        settings.reminders.spare_autopay,
        settings.ebill.landlords,
    )


def test_the_file_says_what_the_office_wants(home):
    place = home(
        """
        [utility]
        holidays = "US-CO"
        closed_days = [2026-12-24, "2026-12-31"]
        [autopay]
        on_closed_day = "next"
        over_maximum = "cap"
        [smtp]
        messages_per_minute = 90
        """
    )

    settings = open_settings(place)

    assert ("US-CO", (CHRISTMAS_EVE, NEW_YEARS_EVE)) == (
        settings.utility.holidays,
        settings.utility.closed_days,
    )
    assert (OnClosedDay.NEXT, OverMaximum.CAP, 90) == (
        settings.autopay.on_closed_day,
        settings.autopay.over_maximum,
        settings.smtp.messages_per_minute,
    )


def test_the_environment_wins_over_the_file_key_by_key(home, monkeypatch):
    place = home('[smtp]\nusername = "file"\nsender = "file@larkspur.example"\n')
    monkeypatch.setenv("BILLCLOSE_SMTP__USERNAME", "environment")
    monkeypatch.setenv("BILLCLOSE_SMTP__PASSWORD", "hunter2")
    monkeypatch.setenv("BILLCLOSE_EBILL__LANDLORDS", "false")

    settings = open_settings(place)

    assert ("environment", "file@larkspur.example", "hunter2", False) == (
        settings.smtp.username,
        settings.smtp.sender,
        settings.smtp.password.get_secret_value(),
        settings.ebill.landlords,
    )


@pytest.mark.parametrize(
    "written",
    ['["2026-12-24", "2026-12-31"]', "2026-12-24,2026-12-31", " 2026-12-24 , 2026-12-31, "],
)
def test_closed_days_come_from_the_environment_as_json_or_with_commas(
    tmp_path, monkeypatch, written
):
    monkeypatch.setenv("BILLCLOSE_UTILITY__CLOSED_DAYS", written)

    assert (CHRISTMAS_EVE, NEW_YEARS_EVE) == open_settings(tmp_path).utility.closed_days


@pytest.mark.parametrize("written", ["", "[]"])
def test_no_closed_days_are_none(tmp_path, monkeypatch, written):
    monkeypatch.setenv("BILLCLOSE_UTILITY__CLOSED_DAYS", written)

    assert () == open_settings(tmp_path).utility.closed_days


@pytest.mark.parametrize("code", ["US", "US-UT", "none", ""])
def test_holidays_are_the_name_of_a_calendar(tmp_path, monkeypatch, code):
    monkeypatch.setenv("BILLCLOSE_UTILITY__HOLIDAYS", code)

    assert code == open_settings(tmp_path).utility.holidays


@pytest.mark.parametrize("written", ['["2026-12-24", "2026-12-31"]', "2026-12-24,2026-12-31"])
def test_holidays_may_be_a_list_of_dates(tmp_path, monkeypatch, written):
    monkeypatch.setenv("BILLCLOSE_UTILITY__HOLIDAYS", written)

    assert (CHRISTMAS_EVE, NEW_YEARS_EVE) == open_settings(tmp_path).utility.holidays


def test_holidays_may_be_a_list_of_dates_in_the_file_too(home):
    settings = open_settings(home("[utility]\nholidays = [2026-12-24]\n"))

    assert (CHRISTMAS_EVE,) == settings.utility.holidays


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[smtp]\nulr = "smtp://x"\n',
            "there is no setting smtp.ulr (did you mean url?); see the commented file",
        ),
        (
            "[smpt]\nport = 25\n",
            "there is no setting smpt (did you mean smtp?); see the commented file",
        ),
        ('colour = "red"\n', "there is no setting colour; see"),
        ("[smtp]\nconnections = 0\n", "the setting smtp.connections is wrong: write a whole "),
        ('[autopay]\nover_maximum = "ask"\n', 'autopay.over_maximum is wrong: write "skip" or'),
        (
            '[ebill]\npassword = "account_number"\n',
            'the setting ebill.password is wrong: write "", "zip" or "phone".',
        ),
        ("[splitter]\nread_back_every = 0\n", "the setting splitter.read_back_every is wrong: "),
        ("[splitter]\naudit_every = 0\n", "the setting splitter.audit_every is wrong: "),
        (
            "[checks]\nlarge_bill = 2500.00\n",
            "the setting checks.large_bill is wrong: write it as ",
        ),
        ('[checks]\nlarge_bill = "much"\n', "the setting checks.large_bill is wrong: "),
        ('[reminders]\ntime = "6 am"\n', "the setting reminders.time is wrong: "),
        ('[reminders]\ntime = "24:00"\n', "the setting reminders.time is wrong: "),
        ('[reminders]\ntime = "29:59"\n', "the setting reminders.time is wrong: "),
        (
            '[utility]\nclosed_days = ["soon"]\n',
            "the setting utility.closed_days, entry 1 is wrong: ",
        ),
        ('[utility]\nclosed_days = "[2026"\n', "the setting utility.closed_days is wrong: "),
        ("[utility\n", "is not readable as TOML: "),
        ('[paper]\nsheet_ounces = "some"\n', "paper.sheet_ounces is wrong: write ounces, such as"),
        ("[paper]\nenvelope_ounces = 17\n", "paper.envelope_ounces is wrong: write 0 to 16"),
        ("[paper]\nmark_at = [20]\n", "paper.mark_at is wrong: write left and top in points"),
        ("[paper]\nmark_at = [20, -1]\n", "paper.mark_at is wrong: write left and top in points"),
        ('[paper]\nhousehold = "all"\n', 'paper.household is wrong: write "none", "person" or'),
        ('[paper.stocks]\nbill = "=x"\n', "paper.stocks is wrong: the paper of bill is '=x'; "),
    ],
)
def test_a_mistake_in_the_file_is_told_in_one_sentence(home, text, sentence):
    place = home(text)

    message = refusal(place)

    assert message.startswith(str(place / FILE))
    assert sentence in message
    assert message.endswith(".") and "\n" not in message


def test_a_misspelled_setting_of_the_environment_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_SMTP__PASSWROD", "hunter2")

    message = refusal(tmp_path)

    assert "there is no setting smtp.passwrod" in message
    assert "hunter2" not in message


def test_a_misspelled_section_of_the_environment_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_DATABSE__URL", "postgresql+psycopg://anna:hunter2@db/bills")

    expected = "There is no setting BILLCLOSE_DATABSE__URL; there is no section databse."

    assert expected == refusal(tmp_path)


def test_other_words_of_the_environment_are_none_of_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_HOME", "/somewhere")
    monkeypatch.setenv("OTHER__KEY", "value")

    assert Settings() == open_settings(tmp_path)


def test_a_section_given_as_a_word_is_refused_without_repeating_it(tmp_path, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_SMTP", "hunter2")

    message = refusal(tmp_path)

    assert "smtp" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("written", ["2026-13-45", '["christmas"]'])
def test_a_holiday_that_is_no_date_is_called_no_date(tmp_path, monkeypatch, written):
    monkeypatch.setenv("BILLCLOSE_UTILITY__HOLIDAYS", written)

    expected = "the setting utility.holidays is wrong: write dates, such as 2026-11-26"

    assert expected in refusal(tmp_path)
    assert "valid string" not in refusal(tmp_path)


def test_secrets_are_not_shown_with_the_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("BILLCLOSE_SMTP__PASSWORD", "hunter2")
    monkeypatch.setenv("BILLCLOSE_SMTP__URL", "smtp://anna:hunter2@mail.example")
    monkeypatch.setenv("BILLCLOSE_DATABASE__URL", "postgresql+psycopg://anna:hunter2@db/bills")

    settings = open_settings(tmp_path)

    assert "hunter2" not in repr(settings) + str(settings)
    assert "postgresql+psycopg://anna:hunter2@db/bills" == settings.database.url


def test_settings_are_not_changed_while_the_office_works(tmp_path):
    settings = open_settings(tmp_path)

    with pytest.raises(ValueError, match="frozen"):
        settings.smtp.username = "ben"


def test_one_home_does_not_see_the_settings_of_another(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / FILE).write_text(f'[smtp]\nusername = "{name}"\n')

    assert ["one", "two", ""] == [
        open_settings(tmp_path / name).smtp.username for name in ("one", "two", "three")
    ]


# -- the commented file ---------------------------------------------------------------------------


def uncommented() -> str:
    """Every setting taken out of its comment, as an office would begin to change it."""
    lines = commented_file().splitlines()
    is_setting = [line.startswith("#") and not line.startswith("# ") for line in lines]
    return "\n".join(line[1:] if out else line for line, out in zip(lines, is_setting, strict=True))


def test_the_commented_file_changes_nothing(home):
    place = home(commented_file())

    assert set(Settings.model_fields) == set(tomllib.loads(commented_file()))
    assert Settings() == open_settings(place)


def test_the_commented_file_shows_every_setting_with_its_default(home):
    place = home(uncommented())

    shown = tomllib.loads(uncommented())
    assert {name: set(field.annotation.model_fields) for name, field in fields()} == {
        section: set(keys) for section, keys in shown.items()
    }
    assert Settings() == open_settings(place)


def fields():
    return Settings.model_fields.items()


def test_the_gateways_secrets_are_not_shown(home, monkeypatch):
    place = home('[payments]\ngateway = "stripe"')
    monkeypatch.setenv("BILLCLOSE_PAYMENTS__STRIPE_API_KEY", "sk_live_0123456789")

    settings = open_settings(place)

    assert "sk_live_0123456789" == settings.payments.stripe_api_key.get_secret_value()
    assert "sk_live" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        ("https://stripe.example", True),
        ("http://127.0.0.1:8420", True),
        ("http://stripe.example", False),
        ("stripe.example", False),
    ],
)
def test_stripe_is_reached_in_the_clear_on_this_machine_alone(home, url, is_good):
    place = home(f'[payments]\nstripe_url = "{url}"')

    if is_good:
        assert url == open_settings(place).payments.stripe_url
    else:
        assert "payments.stripe_url is wrong" in refusal(place)


def test_a_gateway_that_does_not_exist_is_refused(home):
    assert "payments.gateway is wrong" in refusal(home('[payments]\ngateway = "paypal"'))
