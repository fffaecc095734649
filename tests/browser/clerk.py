"""What a clerk does in the Prefect UI, and what stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import TimeoutError as NotThere

from tests.browser.camera import Camera

FORMS = re.compile("Run Deployment|Resume Flow Run")
NUMBER = re.compile("^[0-9a-f]{8}$")
AWAY = "about:blank"  # where nothing is drawn while a flow is at work
TIMES = 3  # that a busy server is asked again
# A form takes down what is filled in by timers of its own, one after the other, as deep as its
# groups go. These come after them, however slow the browser is.
TAKEN_DOWN = """async () => {
    for (let turn = 0; turn < 6; turn++) await new Promise(done => setTimeout(done, 40));
}"""


@dataclass(frozen=True)
class Clerk:
    """Somebody before the browser; `page` is Playwright's."""

    page: Any
    url: str
    camera: Camera

    @property
    def form(self) -> Any:
        """The form that is open; a list of choices that is open is a dialog too."""
        return self.page.get_by_role("dialog", name=FORMS)

    def sign_in(self, words: str) -> None:
        self.page.goto(self.url)
        self.page.get_by_placeholder("admin:pass").fill(words)
        self.page.get_by_role("button", name="Login").click()
        self.see(self.page.get_by_role("link", name="Deployments"))

    def open_deployment(self, name: str) -> None:
        """Deployments, the upper one of the two names."""
        self.page.get_by_role("link", name="Deployments").first.click()
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def open_form_of(self, deployment: str) -> None:
        """The deployment, Run: what needs a form shows it before a quick run."""
        self.page.goto(self.url)
        self.open_deployment(deployment)
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Quick run").click()
        self.see(self.form)

    def write(self, field: str, text: str) -> None:
        self.form.get_by_label(field).fill(text)

    def choose(self, field: str, choice: str) -> None:
        self.form.get_by_label(field).click()
        self.page.get_by_role("option", name=choice, exact=True).click()

    def choices(self, field: str) -> list[str]:
        """What a field offers; then the first one is chosen."""
        self.form.get_by_label(field).click()
        options = self.page.get_by_role("option")
        self.see(options)
        offered: list[str] = options.all_inner_texts()
        options.first.click()
        return offered

    def press(self, button: str) -> None:
        self.page.evaluate(TAKEN_DOWN)
        self.form.get_by_role("button", name=button, exact=True).click()

    def start(self) -> None:
        """Press Run in a form that is filled in."""
        self._hand_in("Run", "/create_flow_run")

    def answer(self) -> None:
        """Press Resume in a form that is filled in."""
        self._hand_in("Resume", "/resume")

    def _hand_in(self, button: str, path: str) -> None:
        """
        Press a button, see that the form is taken, and leave.

        A server on SQLite that is busy writing may answer 503: the form stays open, and whoever
        has filled it in presses once more.
        """
        for _ in range(TIMES):
            with self.page.expect_response(lambda found: found.url.endswith(path)) as answered:
                self.press(button)
            if answered.value.status != httpx.codes.SERVICE_UNAVAILABLE:
                break
        try:
            self.form.wait_for(state="detached")
        except NotThere as missing:
            raise AssertionError(f"{missing}\n{self.text()}") from None
        self.page.goto(AWAY)

    def open_run(self, name: str, message: str) -> str:
        """
        Deployments, the upper name, the run in its list; return its details with their message.

        Do not wait on its page: without a graphics card its graph takes half a processor.
        """
        self.page.goto(self.url)
        self.open_deployment("close-period")
        self.page.get_by_role("link", name=name, exact=True).first.click()
        self.look_at("Details")
        self.is_told(message)
        return self.text()

    def look_at(self, tab: str) -> None:
        self.page.get_by_role("tab", name=tab, exact=True).click()

    def open_menu(self) -> None:
        """The menu of the run that is open: it alone has Resume."""
        self.page.get_by_role("button", name="Open menu").first.click()
        self.see(self.page.get_by_role("menuitem", name="Resume"))

    def resume(self) -> str:
        """Open the form in which the waiting run is answered; return what it asks."""
        self.page.get_by_role("menuitem", name="Resume").click()
        self.is_told("what would happen")
        self.see(self.form.get_by_label("Decision"))
        question: str = self.form.inner_text()
        return question

    def read_artifact(self, key: str, line: str) -> str:
        """From the run's tab of artifacts: the card, then the newest; return it with its line."""
        self.page.get_by_text(key, exact=True).first.click()
        self.page.get_by_role("link", name=NUMBER).first.click()
        self.is_told(line)
        return self.text()

    def back_to_the_run(self) -> None:
        """Twice back: from the artifact to its versions, and to the run."""
        self.page.go_back()
        self.see(self.page.get_by_role("link", name=NUMBER))
        self.page.go_back()
        self.see(self.page.get_by_role("tab", name="Artifacts"))

    def text(self) -> str:
        """Everything that the page shows."""
        shown: str = self.page.locator("body").inner_text()
        return shown

    def is_told(self, text: str) -> None:
        """Wait until the page says something."""
        self.see(self.page.get_by_text(text))

    def see(self, wanted: Any) -> None:
        """Wait until something is there; where it does not come, tell what is there instead."""
        try:
            wanted.first.wait_for()
        except NotThere as missing:
            raise AssertionError(f"{missing}\nThe page shows:\n{self.text()}") from None
