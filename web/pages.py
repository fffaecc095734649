"""The few pages that the desk shows."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse

from web.layout import static_path
from web.words import language_asked, speaker

_PAGE = """<!DOCTYPE html>
<html lang="{language}">
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


def page(
    request: Request, title: str, *paragraphs: str, button: str = "", status: int = 200
) -> HTMLResponse:
    """
    Return a page of plain text in the language of whoever asks.

    `button` posts back to the address that it was read at.
    """
    language = language_asked(request)
    say = speaker(language)
    body = "\n".join(f"<p>{escape(say(text))}</p>" for text in paragraphs)
    if button:
        body += "\n" + _BUTTON.format(text=escape(say(button)))
    style = static_path("portal.css")
    said = _PAGE.format(language=language, title=escape(say(title)), body=body, style=style)
    return HTMLResponse(said, status_code=status)


def not_there(request: Request) -> HTMLResponse:
    """Say the same of everything that is wrong, gone or was never there."""
    return page(
        request,
        "There is nothing here",
        "The link is wrong, or its time is over. Ask the billing office for a new one.",
        status=404,
    )
