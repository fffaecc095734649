"""Secrets of a home: one that is there stays, and is its owner's alone."""

from __future__ import annotations

import stat

from office.secrets.files import keep


def test_a_secret_is_kept_for_its_owner_alone(tmp_path):
    keep(tmp_path / "bounces.secret", "first")

    assert "first\n" == (tmp_path / "bounces.secret").read_text()
    assert 0o600 == stat.S_IMODE((tmp_path / "bounces.secret").stat().st_mode)
    assert [tmp_path / "bounces.secret"] == list(tmp_path.iterdir())


def test_a_secret_that_is_there_stays_and_becomes_private(tmp_path):
    place = tmp_path / "bounces.secret"
    place.write_text("first\n")
    place.chmod(0o644)

    keep(place, "second")

    assert ("first\n", 0o600) == (place.read_text(), stat.S_IMODE(place.stat().st_mode))


def test_whoever_is_faster_has_made_the_secret(tmp_path, monkeypatch):
    place = tmp_path / "bounces.secret"
    place.write_text("first\n")
    monkeypatch.setattr(type(place), "exists", lambda _place: False)

    keep(place, "second")

    assert "first\n" == place.read_text()
