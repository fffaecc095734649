"""A close's page leads to its run in Prefect where a server is known, and else to none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from database.definitions.desk import desk_work
from domain.desk_work import WorkKind, WorkState
from domain.identity import Role
from office.settings.close import PrefectSettings
from tests.builders import NOW

RUN = "0c9ab1de-5f55-4be0-8c2e-2b8d6f0e7d11"
LINK = "The run in Prefect"


@pytest.fixture
def began(office):
    with office.database.writing() as books:
        books.execute(
            desk_work.insert().values(
                key="1", kind=WorkKind.CLOSE, period="2026-10", bundle="", who="clerk 1",
                state=WorkState.DONE, began_at=NOW - timedelta(minutes=5), ended_at=NOW,
                flow_run=RUN,
            )
        )  # fmt: skip
    return office


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("http://127.0.0.1:4200/api", f"http://127.0.0.1:4200/runs/flow-run/{RUN}"),
        ("https://prefect.example/api/", f"https://prefect.example/runs/flow-run/{RUN}"),
        ("", None),
    ],
    ids=["a server", "behind a proxy", "none known"],
)
def test_the_run_of_a_close_is_shown_where_a_server_is_known(
    began, signed_in, monkeypatch, address, link
):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    began.__dict__["settings"] = began.settings.model_copy(
        update={"prefect": PrefectSettings(api_url=address)}
    )

    page = signed_in(Role.CLERK).get("/office/close/2026-10").text

    assert (link is not None) == (LINK in page)
    assert link is None or f'<a href="{link}"' in page
