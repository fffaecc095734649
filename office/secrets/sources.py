"""Where secrets come from: the environment, files beside it, a Prefect server; not the TOML."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from pydantic import BaseModel, SecretStr

from domain.causes import say_cause
from domain.failures import Misuse, TemporaryFailure
from office.secrets.prefect_access import authorization, current_address, current_auth
from office.secrets.redaction import remember

PREFIX = "prefect-secret:"
SECONDS = 10


class PrefectSecret(SecretStr):
    """A secret in a Secret block; it shows itself like any other: not at all."""

    def get_secret_value(self) -> str:
        """
        Ask the server for the block, each time: what was changed there holds from the next use.

        Raises Misuse where no server or no such block is known, TemporaryFailure where the
        server does not answer.
        """
        name = super().get_secret_value().removeprefix(PREFIX)
        value = _ask(name)
        remember([value])
        return value


def _ask(name: str) -> str:
    import httpx

    api_url = current_address()
    if not api_url:
        raise Misuse(
            f"The secret {name} is kept by Prefect, and no Prefect server is known; start "
            "`billclose up`, or set prefect.api_url.",
            "no-secret",
        )
    place = f"block_types/slug/secret/block_documents/name/{quote(name, safe='')}"
    try:
        answer = httpx.get(
            f"{api_url}/{place}",
            params={"include_secrets": "true"},
            headers=authorization(current_auth()),
            timeout=SECONDS,
        )
    except httpx.HTTPError as failure:
        raise TemporaryFailure(
            f"The secret {name} is kept by Prefect, whose server does not answer "
            f"({say_cause(failure)})."
        ) from None
    value = answer.json().get("data", {}).get("value") if answer.is_success else None
    if value is None:
        raise Misuse(
            f"The Prefect server has no Secret block {name} for us (status "
            f"{answer.status_code}); make it in its UI under Blocks.",
            "no-secret",
        )
    return str(value)


KEPT_BY_PREFECT = PREFIX

CREDENTIALS = "CREDENTIALS_DIRECTORY"  # systemd.exec(5): LoadCredential=smtp.password:/etc/…
SUFFIX = "_file"
STILL_TAKEN = ("smtp.password",)  # from the TOML, with a warning: older homes have it there
LARGEST = 65_536  # characters of a secret's file
_PASSWORD = re.compile(r"://[^\s/:]*:([^\s/]*)@")
_warned: set[Path] = set()


def secret_keys(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Yield section and key of each setting that is a secret, or a URL that may hold one."""
    for section, field in model.model_fields.items():
        inner: Any = field.annotation
        for key, setting in inner.model_fields.items():
            if setting.annotation is SecretStr or not setting.repr:
                yield section, key


def without_files(model: type[BaseModel], names: Mapping[str, str | None], prefix: str) -> Any:
    """
    Return what the environment says of settings, without the variables that name a secret's file.

    The other variables are left out: each section would be looked for in every one of them.
    """
    files = {f"{prefix}{section}__{key}{SUFFIX}".lower() for section, key in secret_keys(model)}
    return {
        name: value
        for name, value in names.items()
        if name.lower().startswith(prefix.lower()) and name.lower() not in files
    }


def from_files(model: type[BaseModel], prefix: str) -> dict[str, dict[str, str]]:
    """
    Read the secrets that lie in files: BILLCLOSE_SMTP__PASSWORD_FILE, or systemd's credentials.

    Raises Misuse where a file cannot be read, or a secret is given twice.
    """
    environment = {name.lower(): value for name, value in os.environ.items()}
    credentials = os.environ.get(CREDENTIALS)
    found: dict[str, dict[str, str]] = {}
    for section, key in secret_keys(model):
        variable = f"{prefix}{section}__{key}".lower()
        file = environment.get(variable + SUFFIX)
        if file and variable in environment:
            raise Misuse(f"{variable.upper()} and {(variable + SUFFIX).upper()}: give one of them.")
        if file:
            found.setdefault(section, {})[key] = _read(Path(file))
        elif credentials and (place := Path(credentials) / f"{section}.{key}").is_file():
            found.setdefault(section, {})[key] = _read(place)
    return found


def _read(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(LARGEST).strip()
    except (OSError, UnicodeDecodeError) as fault:
        why = getattr(fault, "strerror", None) or "it is no text"
        raise Misuse(f"The secret's file {file} cannot be read: {why}.") from None


def refuse_written_secrets(model: type[BaseModel], file: Path, prefix: str) -> None:
    """Raise Misuse where the settings file holds a secret: it is copied, mailed and backed up."""
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # whoever reads the settings says what is wrong with it
        return
    for section, key in secret_keys(model):
        value = written.get(section, {}) if isinstance(written.get(section, {}), dict) else {}
        text = value.get(key)
        if not isinstance(text, str) or not text or text.startswith(KEPT_BY_PREFECT):
            continue
        name, variable = f"{section}.{key}", f"{prefix}{section}__{key}".upper()
        kind: Any = model.model_fields[section].annotation
        is_url = kind.model_fields[key].annotation is not SecretStr
        if is_url and not _PASSWORD.search(text):
            continue
        advice = f"give it as {variable}, or its file as {variable}_FILE"
        if not is_url and name not in STILL_TAKEN:
            raise Misuse(f"{file}: the secret {name} may not be written there; {advice}.")
        _warn(file, f"{file}: the password in {name} is better not written there; {advice}.")


def without_written_secrets(model: type[BaseModel], text: str) -> str:
    """Return a settings file's text without the secrets that it may hold."""
    written = tomllib.loads(text)
    for section, key in secret_keys(model):
        value = written.get(section, {}).get(key)
        if not isinstance(value, str) or not value or value.startswith(KEPT_BY_PREFECT):
            continue
        kind: Any = model.model_fields[section].annotation
        if kind.model_fields[key].annotation is SecretStr:
            text = re.sub(rf"(?m)^(\s*{key}\s*=\s*).*{re.escape(value)}.*$", r'\1""', text)
        for password in _PASSWORD.findall(value):
            text = text.replace(f":{password}@", "@")
    return text


def _warn(file: Path, sentence: str) -> None:
    if file not in _warned:
        _warned.add(file)
        print(f"billclose: warning: {sentence}", file=sys.stderr)


def remember_secrets(settings: BaseModel) -> None:
    """Have every secret of the settings taken out of what is logged."""
    for section, key in secret_keys(type(settings)):
        value = getattr(getattr(settings, section), key)
        if isinstance(value, PrefectSecret):
            continue  # remembered when it is looked up
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        passwords = _PASSWORD.findall(text)
        remember(passwords or ([text] if isinstance(value, SecretStr) else []))
        remember(unquote(password) for password in passwords)
