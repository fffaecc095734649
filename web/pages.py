"""The few pages that the desk shows."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

from web.layout import static_path

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{style}">
</head>
<body>
<main class="narrow">
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
_BUTTON = """<form method="post" action="">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button class="main" type="submit">{text}</button>
</form>"""


def page(title: str, *paragraphs: str, button: str = "", status: int = 200) -> HTMLResponse:
    """Return a page of plain text; `button` posts back to the address that it was read at."""
    body = "\n".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    if button:
        body += "\n" + _BUTTON.format(text=escape(button))
    return HTMLResponse(
        _PAGE.format(title=escape(title), body=body, style=static_path("portal.css")),
        status_code=status,
    )


def not_there() -> HTMLResponse:
    """Say the same of everything that is wrong, gone or was never there."""
    return page(
        "There is nothing here",
        "The link is wrong, or its time is over. Ask the billing office for a new one.",
        status=404,
    )
