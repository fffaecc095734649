"""Where mails come back to, and what their senders are signed with."""

from __future__ import annotations

import pytest

from command_line.commands.init import prepare_home
from domain.failures import Misuse
from mail.bounces.imap import ImapInbox
from mail.bounces.maildir import Maildir
from office.clock import Clock
from office.equipment.office import Office
from office.secrets.files import FILE, make_secret, read_secret
from office.settings.settings import open_settings
from tests.builders import NOW

KEY = "bill/2026-10/utility-bill/01.1037.1/ann@customer.example"


@pytest.fixture
def office(tmp_path, monkeypatch):
    """Make an office with these settings, given in the environment."""
    home = tmp_path / "office"
    prepare_home(home)

    def make(**settings: str) -> Office:
        for name, value in settings.items():
            monkeypatch.setenv(f"BILLCLOSE_{name}", value)
        return Office(home, open_settings(home), Clock(lambda: NOW), "anna")

    return make


def test_the_secret_is_made_once_for_the_office_alone(tmp_path):
    make_secret(tmp_path)
    first = read_secret(tmp_path)
    (tmp_path / FILE).chmod(0o644)
    make_secret(tmp_path)

    assert (32, first) == (len(first), read_secret(tmp_path))
    assert 0o600 == (tmp_path / FILE).stat().st_mode & 0o777
    assert [FILE] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("content", [None, "", "not hex", "ab"])
def test_a_secret_that_is_missing_or_spoiled_is_said(tmp_path, content):
    if content is not None:
        (tmp_path / FILE).write_text(content)

    with pytest.raises(Misuse, match="missing or spoiled") as refused:
        read_secret(tmp_path)

    assert "no-secret" == refused.value.code


def test_mails_leave_with_a_signed_sender_that_this_office_knows_again(office):
    here = office(SMTP__BOUNCES="bounces@larkspur.example")

    sender = here.bill_renderer.sender.return_path(KEY)

    assert sender.startswith("bounces+")
    assert here.verp is not None
    assert 1 == len(list(here.verp.tokens(sender)))


def test_without_an_address_for_bounces_they_go_to_the_sender(office):
    here = office(SMTP__SENDER="billing@larkspur.example")

    assert "billing@larkspur.example" == here.bill_renderer.sender.return_path(KEY)
    assert here.verp is None


def test_bounces_are_read_from_where_the_settings_say(office, tmp_path):
    maildir = office(BOUNCES__SOURCE=f"maildir:{tmp_path}")
    imap = office(
        BOUNCES__SOURCE="imaps://mail.x.example", BOUNCES__USERNAME="b", BOUNCES__PASSWORD="s3cret"
    )

    assert (Maildir, ImapInbox) == (type(maildir.inbox), type(imap.inbox))
    assert "s3cret" not in repr(imap.settings)


def test_an_office_without_a_source_says_which_setting_is_missing(office):
    with pytest.raises(Misuse, match=r"bounces\.source is empty"):
        _ = office().inbox


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("SMTP__BOUNCES", "bounces"),
        ("SMTP__BOUNCES", "@larkspur.example"),
        ("SMTP__BOUNCES", "bounces+more@larkspur.example"),
        ("SMTP__BOUNCES", f"{'b' * 31}@larkspur.example"),
        ("BOUNCES__SOURCE", "mbox:/var/mail/x"),
        ("BOUNCES__SOURCE", "maildir:box"),
        ("BOUNCES__SOURCE", "imap://mail.example/INBOX"),
    ],
)
def test_a_setting_that_will_not_do_is_refused(office, setting, value):
    with pytest.raises(Misuse, match=r"the setting (smtp\.bounces|bounces\.source) is wrong"):
        office(**{setting: value})
