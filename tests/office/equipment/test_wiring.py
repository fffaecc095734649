"""The office: books plus equipment, chosen by the settings."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime

import pytest

from database.schema import metadata
from domain.deliveries import PasswordField
from domain.failures import Misuse
from domain.money import Money
from domain.payments import MethodKind
from mail.embedded import MailFolder
from mail.rendering.bills import Protection
from mail.smtp.mailer import SmtpMailer
from office.clock import Clock
from office.equipment.office import Office, at_work, current_office
from office.home import database_url, require_home
from office.settings.close import DatabaseSettings, UtilitySettings
from office.settings.mail import EbillSettings, SmtpSettings
from office.settings.money import AutopaySettings, PaymentsSettings
from office.settings.settings import Settings
from payments.port import DrawRequest
from payments.sandbox.gateway import SandboxGateway
from rules.money.autopay import AutopayPolicy, OnClosedDay, OverMaximum
from splitter.copying.encrypting import encrypt
from tests.builders import NOW

JULY_4, MONDAY = date(2028, 7, 4), date(2026, 11, 2)


def an_office(home, **sections) -> Office:
    return Office(home, Settings(**sections), Clock(lambda: NOW), "anna")


def test_the_books_are_in_the_home_unless_the_office_says_otherwise(tmp_path):
    elsewhere = "postgresql+psycopg://db/bills"

    assert f"sqlite:///{tmp_path}/billclose.db" == database_url(tmp_path, Settings())
    assert elsewhere == database_url(tmp_path, Settings(database=DatabaseSettings(url=elsewhere)))


def test_mail_goes_into_a_folder_until_a_server_is_set(tmp_path):
    with_server = SmtpSettings(url="smtp://mail.example:25")

    assert isinstance(an_office(tmp_path).mailer, MailFolder)
    assert isinstance(an_office(tmp_path, smtp=with_server).mailer, SmtpMailer)


def test_payments_go_to_the_sandbox_until_a_gateway_is_set(tmp_path):
    with_stripe = PaymentsSettings(gateway="stripe", stripe_api_key="sk_test_0123456789")

    assert isinstance(an_office(tmp_path).gateway, SandboxGateway)
    assert "stripe" == an_office(tmp_path, payments=with_stripe).gateway.name


def test_a_rehearsal_reaches_no_real_gateway(tmp_path):
    with_stripe = PaymentsSettings(gateway="stripe", stripe_api_key="sk_test_0123456789")

    rehearsed = replace(an_office(tmp_path, payments=with_stripe), rehearses=True)

    assert isinstance(rehearsed.gateway, SandboxGateway)


def test_stripe_without_a_key_is_refused_with_what_to_do(tmp_path):
    chosen = PaymentsSettings(gateway="stripe")

    with pytest.raises(Misuse, match=r"payments\.stripe_api_key is empty: give .*STRIPE_API_KEY"):
        an_office(tmp_path, payments=chosen).gateway  # noqa: B018


def test_stripe_without_its_library_is_refused_with_what_to_do(tmp_path, monkeypatch):
    chosen = PaymentsSettings(gateway="stripe", stripe_api_key="sk_test_0123456789")
    for module in [name for name in sys.modules if name.startswith("payments.stripe")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "stripe", None)

    with pytest.raises(Misuse, match="install billclose with the extra `stripe`"):
        an_office(tmp_path, payments=chosen).gateway  # noqa: B018


def test_stripes_library_is_not_loaded_by_an_office_that_does_not_use_it():
    looks = (
        "import office.equipment.office, payments.sandbox.gateway, sys;"
        "sys.exit('stripe' in sys.modules)"
    )

    assert 0 == subprocess.run([sys.executable, "-c", looks], check=False).returncode


def test_the_sandbox_goes_by_the_time_that_is_rehearsed(tmp_path):
    as_of = datetime(2026, 11, 2, 6)
    there = replace(an_office(tmp_path), clock=Clock(lambda: NOW, as_of))
    metadata.create_all(there.database.engine)
    request = DrawRequest("autopay/1", "0110371", "tok_ok", MethodKind.CARD, Money(1_00))

    drawn = there.gateway.confirm(there.gateway.prepare(request), request)

    assert as_of.date() == drawn.answered_at.date()
    assert (tmp_path / "sandbox-gateway.db").is_file()


@pytest.mark.parametrize(
    ("utility", "july_4", "monday"),
    [
        pytest.param({}, True, False, id="the holidays of the country"),
        pytest.param({"closed_days": [MONDAY]}, True, True, id="and the office's own days"),
        pytest.param({"holidays": "none"}, False, False, id="no holidays"),
        pytest.param({"holidays": [MONDAY]}, False, True, id="a list of dates instead"),
        pytest.param(
            {"holidays": [JULY_4], "closed_days": [MONDAY]}, True, True, id="a list and own days"
        ),
    ],
)
def test_the_office_is_closed_on(tmp_path, utility, july_4, monday):
    closed = an_office(tmp_path, utility=UtilitySettings(**utility)).office_days

    assert (july_4, monday) == (JULY_4 in closed, MONDAY in closed)


def test_the_banks_do_not_keep_the_offices_days(tmp_path):
    closed = an_office(tmp_path, utility=UtilitySettings(closed_days=[MONDAY])).bank_days

    assert (True, False) == (JULY_4 in closed, MONDAY in closed)


def test_autopay_follows_the_offices_choices(tmp_path):
    chosen = AutopaySettings(on_closed_day="same", over_maximum="cap")

    assert AutopayPolicy(OnClosedDay.SAME, OverMaximum.CAP) == (
        an_office(tmp_path, autopay=chosen).autopay_policy
    )


def test_mailed_bills_are_protected_where_the_office_wants_it(tmp_path):
    wanted = an_office(tmp_path, ebill=EbillSettings(password="phone")).bill_renderer

    assert an_office(tmp_path).bill_renderer.protection is None
    assert Protection(PasswordField.PHONE, encrypt) == wanted.protection


def test_a_home_that_is_none_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(Misuse, match=r"There is no office in .*run `billclose --home .* init`"):
        require_home(tmp_path / "nowhere")

    require_home(tmp_path)


def test_a_folder_of_the_home_is_private(tmp_path):
    folder = an_office(tmp_path).folder("exports")

    assert 0o700 == folder.stat().st_mode & 0o777


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "mail").write_text("a file")

    with pytest.raises(Misuse, match="mail cannot be made"):
        an_office(tmp_path).folder("mail")


def test_steps_work_for_the_office_that_is_at_work(tmp_path):
    outer, inner = an_office(tmp_path), an_office(tmp_path / "rehearsed")

    with at_work(outer):
        with at_work(inner):
            seen = current_office()
        assert (inner, outer) == (seen, current_office())
    with pytest.raises(LookupError):
        current_office()
