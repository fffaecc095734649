"""One way to serve the home page, in a process of its own: `serving KIND PORT HOME COOKIE...`."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn

KINDS = ("billclose", "paying", "fastapi", "floor")


def main() -> None:
    kind, port, home, cookies = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]
    from web.patience import PatientProtocol

    served = {
        "billclose": _desk,
        "paying": _paying,
        "fastapi": _fastapi,
        "floor": lambda one: floor(one, cookies),
    }
    uvicorn.run(
        served[kind](home),
        http=PatientProtocol if kind in ("billclose", "paying") else "httptools",
        host="127.0.0.1",
        port=port,
        access_log=False,
        log_level="warning",
        lifespan="off",
        timeout_keep_alive=60,
    )


def office_of(home: Path) -> Any:
    from command_line.options import wall_clock
    from office.clock import Clock
    from office.equipment.office import Office
    from office.settings.settings import open_settings

    return Office(home, open_settings(home), Clock(wall_clock, None), "bench")


class Yes:
    """A gateway that draws at once and costs nothing."""

    name = "yes"
    key_window = timedelta(hours=24)

    def prepare(self, request: Any) -> str:
        return f"Y-{request.key}"

    def confirm(self, reference: str, request: Any) -> Any:
        from payments.port import DrawAnswer, DrawResult

        return DrawResult(DrawAnswer.APPROVED, reference, request.amount)


def office_that_pays(home: Path) -> Any:
    office = office_of(home)
    office.__dict__["gateway"] = Yes()  # in the place of the sandbox, which keeps books of its own
    return office


def _paying(home: Path) -> Any:
    from web.desk import desk_of

    return desk_of(office_that_pays(home))


def _desk(home: Path) -> Any:
    from web.desk import desk_of

    return desk_of(office_of(home))


def _fastapi(home: Path) -> Any:
    """The same page by the same functions, with FastAPI in Starlette's place."""
    from fastapi import FastAPI, Request
    from fastapi.responses import Response

    from web.customers.home import show_home
    from web.guarding import Guard, largest_of
    from web.visits import signed_in

    answer_page = signed_in(show_home)
    app = FastAPI(openapi_url=None)
    app.add_middleware(Guard, largest=largest_of)  # type: ignore[arg-type]
    app.state.office = office_of(home)

    async def home_page(request: Request) -> Response:
        return await answer_page(request)

    home_page.__annotations__ = {"request": Request}
    app.get("/", response_model=None)(home_page)
    return app


def floor(home: Path, cookies: list[str]) -> Any:
    """
    The same statements by the bare driver, the same template with the same values; nothing else.

    What is said to each customer is written down before: statements, parameters, values.
    """
    said = {cookie: written_down(home, cookie) for cookie in cookies}
    office = office_of(home)
    file = office.database.url.removeprefix("sqlite:///")
    books = sqlite3.connect(file, check_same_thread=False)

    async def answer(scope: Any, _receive: Any, send: Any) -> None:
        cookie = dict(scope["headers"])[b"cookie"].decode().partition("=")[2]
        statements, template, values = said[cookie]
        for statement, given in statements:
            books.execute(statement, given).fetchall()
        page = template.render(values).encode()
        headers = [(b"content-type", b"text/html"), (b"content-length", str(len(page)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": page})

    return answer


def written_down(home: Path, cookie: str) -> tuple[list[tuple[str, Any]], Any, dict[str, Any]]:
    """Ask for the home page once and return its statements, its template and the values in it."""
    import httpx
    import sqlalchemy as sa

    from web.desk import desk_of
    from web.layout import templates

    office = office_of(home)
    template = templates("en").get_template("home.html")
    statements: list[tuple[str, Any]] = []
    kept: list[dict[str, Any]] = []
    render = template.render

    def note(values: dict[str, Any]) -> str:
        kept.append(values)
        return render(values)

    def hear(_books: Any, _cursor: Any, statement: str, given: Any, *_more: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            statements.append((statement, given))

    async def ask(times: int) -> None:
        transport = httpx.ASGITransport(desk_of(office))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            for _ in range(times):
                statements.clear()
                await client.get("/", headers={"cookie": f"portal={cookie}"})

    template.render = note  # type: ignore[method-assign]
    sa.event.listen(office.database.engine, "before_cursor_execute", hear)
    try:
        asyncio.run(ask(2))  # what is looked up once and kept is no part of a page
    finally:
        template.render = render  # type: ignore[method-assign]
    office.database.close()
    return list(statements), template, kept[-1]


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
