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
{body}
</main>
</body>
</html>
"""
_ALARM = '<div class="summary" role="alert">\n{said}\n</div>'
_BUTTON = """<form method="post" action="">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button class="main" type="submit">{text}</button>
</form>"""


def page(
    request: Request,
    title: str,
    *paragraphs: str,
    button: str = "",
    status: int = 200,
    is_alarm: bool = False,
) -> HTMLResponse:
    """
    Return a page of plain text in the language of whoever asks; it needs no database.

    `button` posts back to the address that it was read at; an alarm is framed in red.
    """
    language = language_asked(request)
    say = speaker(language)
    lines = [f"<h1>{escape(say(title))}</h1>"]
    lines += [f"<p>{escape(say(text))}</p>" for text in paragraphs]
    body = "\n".join(lines)
    if is_alarm:
        body = _ALARM.format(said=body)
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


def down(request: Request) -> HTMLResponse:
    """Say in red that the portal is down for now, and that nothing is lost by it (rule 189)."""
    return page(
        request,
        "The site is down for maintenance",
        "We are busy just now; please try again in a minute.",
        "If you were sending something, look first whether it is there before you send it again.",
        status=503,
        is_alarm=True,
    )


def failed(request: Request) -> HTMLResponse:
    """Say nothing of what went wrong: the log has it."""
    return page(
        request,
        "Something went wrong",
        "Please try again later. If it happens again, tell the billing office when it happened.",
        "If you were sending something, look first whether it is there before you send it again.",
        status=500,
        is_alarm=True,
    )
