"""Forms as people use them: a page's own form is filled in, and its button pressed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from tests.web.customers.conftest import Browser


@dataclass
class Form:
    """A form as it stands on a page: what it would send if nobody changed anything."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)  # of all that can be filled in or chosen
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # words, name, value


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select = self._area = ""
        self._button: tuple[str, str] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag == "input":
            self._take_input(name, value, given)
        elif tag == "select":
            self._select = name
            self._form.names.add(name)
        elif tag == "option" and self._select:
            if "selected" in given or self._select not in self._form.fields:
                self._form.fields[self._select] = value
        elif tag == "textarea":
            self._area, self._text = name, ""
            self._form.names.add(name)
        elif tag == "button":
            self._button, self._text = (name, value), ""

    def _take_input(self, name: str, value: str, given: dict[str, str]) -> None:
        if self._form is None or not name:
            return
        self._form.names.add(name)
        is_choice = given.get("type") in ("radio", "checkbox")
        if not is_choice or "checked" in given:
            self._form.fields[name] = value

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._form is not None:
            self._form.fields[self._area] = self._text
        elif tag == "button" and self._form is not None and self._button is not None:
            words = " ".join(self._text.split())
            self._form.buttons.append((words, *self._button))


def press(browser: Browser, page: Any, button: str, **filled: str) -> Any:
    """
    Fill in the form of a page that has a button, press it, and go where the answer leads.

    A field that the form does not have cannot be filled in: what nobody could do is no walk.
    """
    parser = _Forms()
    parser.feed(page.text)
    found = [form for form in parser.forms if any(button == words for words, *_ in form.buttons)]
    assert found, (button, [form.buttons for form in parser.forms])
    form = found[0]
    assert not set(filled) - form.names, (set(filled) - form.names, form.names)
    sent = form.fields | filled
    sent |= {name: value for words, name, value in form.buttons if words == button and name}
    place = form.action or page.url.path
    if form.method.casefold() == "get":
        return browser.get(place, params=sent)
    answer = browser.send(place, **sent)
    while answer.status_code == 303:
        answer = browser.get(re.sub(r"^https://[^/]+", "", answer.headers["location"]))
    return answer
