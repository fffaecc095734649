"""The mailboxes that bounces come to: a Maildir, and a folder of a real IMAP server."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path

import pytest

from domain.failures import Misuse, PermanentFailure, TemporaryFailure
from mail.bounces.imap import ImapFolder, ImapInbox, to_imap_folder
from mail.bounces.inbox import LARGEST
from mail.bounces.maildir import Maildir
from tests.mail.bounce_builders import a_report
from tests.mail.real_servers import a_certificate, free_port, need, wait_for

DOVECOT = "/usr/sbin/dovecot"
SETTINGS = """
base_dir = {place}/run
state_dir = {place}/state
log_path = {place}/log
protocols = imap
listen = 127.0.0.1
mail_location = maildir:{place}/mail/%u
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
ssl_dh =
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
first_valid_uid = 1
disable_plaintext_auth = yes
auth_failure_delay = 0
passdb {{
  driver = static
  args = password=s3cret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={place}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


# -- a Maildir ------------------------------------------------------------------------------------


@pytest.fixture
def box(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    return tmp_path / "box"


def test_new_mails_and_those_not_yet_seen_are_read_and_then_they_are_not(box):
    (box / "new/1").write_bytes(b"one")
    (box / "cur/2:2,").write_bytes(b"two")
    (box / "cur/3:2,RS").write_bytes(b"seen")
    (box / "cur/4:2,F").write_bytes(b"four")
    maildir = Maildir(box)

    contents = []
    for mail in maildir.unread():
        contents.append(mail.content)
        maildir.mark_read(mail)

    assert {b"one", b"two", b"four"} == set(contents)
    assert ["1:2,S", "2:2,S", "3:2,RS", "4:2,FS"] == sorted(p.name for p in (box / "cur").iterdir())
    assert [] == list(maildir.unread()) + list((box / "new").iterdir())


def test_what_is_no_mail_is_passed_over(box, tmp_path):
    (tmp_path / "secret").write_text("not for us")
    (box / "new/link").symlink_to(tmp_path / "secret")
    (box / "new/folder").mkdir()
    (box / "new/.hidden").write_bytes(b"x")
    os.mkfifo(box / "new/pipe")

    assert [] == list(Maildir(box).unread())


def test_of_a_huge_mail_the_beginning_is_read(box):
    (box / "new/1").write_bytes(b"x" * (LARGEST + 1))

    assert [LARGEST] == [len(mail.content) for mail in Maildir(box).unread()]


def test_a_mail_that_somebody_has_moved_is_dealt_with(box):
    (box / "new/1").write_bytes(b"one")
    (mail,) = Maildir(box).unread()
    (box / "new/1").unlink()

    Maildir(box).mark_read(mail)


def test_a_folder_that_is_no_maildir_is_a_wrong_setting(tmp_path):
    with pytest.raises(Misuse, match=r"bounces\.source: .* is no Maildir"):
        list(Maildir(tmp_path).unread())


# -- an IMAP folder -------------------------------------------------------------------------------


def test_a_url_says_where_the_folder_is():
    there = to_imap_folder("imaps://mail.x.example/In%20box", username="b", password="s3cret")

    assert ImapFolder("mail.x.example", 993, "In box", "b", "s3cret") == there
    assert "INBOX" == to_imap_folder("imaps://h:1993/", username="b", password="p").folder
    assert "s3cret" not in repr(there)


@pytest.mark.parametrize(
    ("url", "username"),
    [
        pytest.param("imap://mail.example/INBOX", "b", id="not encrypted"),
        pytest.param("imaps://user:s3cret@mail.example/INBOX", "b", id="a password in it"),
        pytest.param("imaps:///INBOX", "b", id="no host"),
        pytest.param("imaps://mail.example:port/INBOX", "b", id="no port"),
        pytest.param("imaps://mail.example/a%0D%0ALOGOUT", "b", id="a command in the name"),
        pytest.param("imaps://mail.example/INBOX", "", id="nobody's"),
    ],
)
def test_a_url_that_will_not_do_is_refused_and_not_repeated(url, username):
    with pytest.raises(Misuse) as refused:
        to_imap_folder(url, username=username, password="p")

    assert "s3cret" not in refused.value.message


@dataclass(frozen=True)
class Dovecot:
    place: Path
    port: int
    certificate: Path

    @property
    def folder(self) -> ImapFolder:
        return ImapFolder("localhost", self.port, "INBOX", "bounces", "s3cret")

    def deliver(self, *contents: bytes) -> None:
        box = self.place / "mail/bounces"
        for name in ("new", "cur", "tmp"):
            (box / name).mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(contents):
            (box / f"new/{time.time_ns()}.{number}.x").write_bytes(content)
        for path in [box.parent, box, *box.rglob("*")]:
            shutil.chown(path, "dovecot", "dovecot")


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    need(DOVECOT, "Dovecot")
    if os.geteuid() != 0:
        pytest.skip("Dovecot starts for root only")
    with tempfile.TemporaryDirectory(prefix="billclose-imap-") as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "mail").mkdir()
        certificate, key = a_certificate(place)
        port = free_port()
        values = {"place": place, "certificate": certificate, "key": key, "port": port}
        settings = place / "dovecot.conf"
        settings.write_text(SETTINGS.format(**values, user="dovecot", group="dovecot"))
        running = subprocess.Popen(
            [DOVECOT, "-F", "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_for(port)
            yield Dovecot(place, port, certificate)
        finally:
            running.terminate()
            running.wait(10)


@pytest.fixture(scope="module")
def imap_server() -> Iterator[Dovecot]:
    with dovecot() as server:
        yield server


@pytest.fixture
def server(imap_server, monkeypatch) -> Dovecot:
    """A server that this machine trusts, with an empty mailbox."""
    shutil.rmtree(imap_server.place / "mail/bounces", ignore_errors=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(imap_server.certificate))
    return imap_server


def test_unseen_mails_are_read_and_flagged_only_when_they_are_dealt_with(server):
    before = int(time.time())  # the server counts whole seconds
    server.deliver(a_report(), a_report(number=2))
    with closing(ImapInbox(server.folder)) as inbox:
        looked = list(inbox.unread())
        again = list(inbox.unread())
        inbox.mark_read(looked[0])
    with closing(ImapInbox(server.folder)) as inbox:
        left = list(inbox.unread())

    assert [a_report(), a_report(number=2)] == sorted(mail.content for mail in looked)
    assert ([mail.name for mail in looked], [looked[1].name]) == (
        [mail.name for mail in again], [mail.name for mail in left],
    )  # fmt: skip
    assert all(before <= mail.received_at.timestamp() <= time.time() for mail in looked)


def test_of_a_huge_mail_the_beginning_is_fetched(server):
    server.deliver(b"Subject: x\r\n\r\n" + b"y" * 70 + b"\r\n" * LARGEST)

    with closing(ImapInbox(server.folder)) as inbox:
        assert [LARGEST] == [len(mail.content) for mail in inbox.unread()]


def test_a_server_that_nobody_vouches_for_gets_no_password(server, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(PermanentFailure, match="certificate is not valid"):
        list(ImapInbox(server.folder).unread())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"password": "wrong"}, "refuses bounces.username"),
        ({"folder": 'No "such\\ folder'}, "has no folder"),
    ],
)
def test_what_a_person_must_put_right_is_said_without_the_password(server, change, sentence):
    server.deliver(a_report())

    with pytest.raises(PermanentFailure, match=sentence) as refused:
        list(ImapInbox(replace(server.folder, **change)).unread())

    assert "wrong" not in str(refused.value)


def test_a_server_that_is_away_is_asked_again_later():
    nowhere = ImapFolder("localhost", free_port(), "INBOX", "b", "p")

    with pytest.raises(TemporaryFailure, match="no connection"):
        list(ImapInbox(nowhere).unread())


def test_a_server_that_trickles_does_not_hold_us_up(tmp_path, monkeypatch):
    certificate, key = a_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_trickle, args=(listening, context), daemon=True).start()
    slow = ImapFolder("localhost", listening.getsockname()[1], "INBOX", "b", "p")

    with pytest.raises(TemporaryFailure):  # of a trickle that would go on for ever
        list(ImapInbox(slow, command_seconds=1).unread())

    listening.close()


def _trickle(listening: socket.socket, context: ssl.SSLContext) -> None:
    plain, _ = listening.accept()
    with context.wrap_socket(plain, server_side=True) as connection:
        connection.sendall(b"* OK hello\r\n")
        while connection.recv(100).endswith(b"CAPABILITY\r\n") is False:
            pass
        try:
            for letter in chain(b"* CAPABILITY ", repeat(ord("X"))):
                connection.sendall(bytes([letter]))
                time.sleep(0.2)
        except OSError:
            return  # hung up on, as it should be
