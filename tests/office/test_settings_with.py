"""Settings with sections of a test's own are those that the settings themselves would make."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from office.settings.close import DatabaseSettings, WebSettings
from office.settings.settings import Settings
from tests.office.health_builders import settings_with

WEB = WebSettings(url="https://pay.larkspur.example", staff_totp=False)


def test_they_are_those_of_the_environment_with_the_sections_given(monkeypatch):
    assert Settings(web=WEB) == settings_with(web=WEB)

    monkeypatch.setenv("BILLCLOSE_REMINDERS__DAYS_BEFORE_DUE", "9")
    monkeypatch.setenv("BILLCLOSE_WEB__URL", "https://other.example")
    assert 9 == settings_with(web=WEB).reminders.days_before_due
    assert Settings(web=WEB) == settings_with(web=WEB)
    assert Settings() == settings_with()


def test_what_a_file_holds_is_read_anew(monkeypatch, tmp_path):
    file = tmp_path / "url"
    monkeypatch.setenv("BILLCLOSE_SMTP__URL_FILE", str(file))
    for url in ("smtp://one.example", "smtp://two.example"):
        file.write_text(url)
        assert url == settings_with(web=WEB).smtp.url


@pytest.mark.parametrize("wrong", [{"wob": WEB}, {"web": {"urrl": "x"}}])
def test_what_they_refuse_is_refused(wrong):
    with pytest.raises(ValidationError):
        settings_with(database=DatabaseSettings(), **wrong)
