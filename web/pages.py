"""The few pages that the desk shows."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 0; padding: 3rem 1.5rem; color: #1a222b; background: #fff;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }}
main {{ max-width: 34rem; margin: 0 auto; }}
h1 {{ font-size: 1.5rem; line-height: 1.25; }}
button {{ font: inherit; font-weight: 600; color: #fff; background: #1d4f7c; border: 0;
  border-radius: 4px; padding: .6rem 1.1rem; cursor: pointer; }}
button:focus-visible {{ outline: 3px solid #1a222b; outline-offset: 2px; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
_BUTTON = """<form method="post" action="">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button type="submit">{text}</button>
</form>"""


def page(title: str, *paragraphs: str, button: str = "", status: int = 200) -> HTMLResponse:
    """Return a page of plain text; `button` posts back to the address that it was read at."""
    body = "\n".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    if button:
        body += "\n" + _BUTTON.format(text=escape(button))
    return HTMLResponse(_PAGE.format(title=escape(title), body=body), status_code=status)


def not_there() -> HTMLResponse:
    """Say the same of everything that is wrong, gone or was never there."""
    return page(
        "There is nothing here",
        "The link is wrong, or its time is over. Ask the billing office for a new one.",
        status=404,
    )
