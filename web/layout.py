"""The look of every page: one layout, one style sheet, words escaped."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, nodes, pass_context
from jinja2.compiler import CodeGenerator
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from domain import languages
from domain.money import ZERO, Money
from domain.payment_methods import label_method
from domain.payments import MethodKind
from mail.letters.since_bill import say_since_bill
from reporting.codes import in_words
from reporting.wording import with_commands
from web.guarding import largest_of, say_limit
from web.office.permissions import Permission, may
from web.theme import theme_of
from web.visits import Visit, staff_begin
from web.words import LANGUAGES, Say, speaker

HERE = Path(__file__).parent
STATIC = HERE / "static"
IN_LANGUAGE: dict[str, Callable[[Any, str], str]] = {
    "day": languages.say_day,
    "short_day": languages.say_short_day,
    "month": languages.say_month,
    "short_month": languages.say_short_month,
    "time": languages.say_time,
    "since_bill": say_since_bill,
}
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class _Saying(NodeTransformer):
    """Says the sentences of a template where they stand, if they take no values."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        self.generic_visit(node)
        match node:
            case nodes.Call(
                node=nodes.Name(name="_"), args=[nodes.Const(value=str(text))], kwargs=[]
            ):
                return nodes.Const(self._say(text), lineno=node.lineno)
        return node


class _InLanguage(CodeGenerator):
    def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:
        saying = _Saying(self.environment.say)  # type: ignore[attr-defined]
        super().visit_Template(saying.visit(node), frame)


class PagesInLanguage(Environment):
    """
    Templates of one language: most sentences are said when a template is made, not for each page.

    To look them up anew takes a fifth of the time in which a page is written.
    """

    code_generator_class = _InLanguage

    def __init__(self, language: str, **options: Any) -> None:
        super().__init__(**options)
        self.say = speaker(language)


@cache
def templates(language: str) -> Environment:
    """
    Return the pages' templates in a language of theirs.

    What is not given is an error, what is given is escaped.
    """
    folders = [HERE / name / "templates" for name in (".", "customers", "office", "csr")]
    found = PagesInLanguage(
        language,
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # else each page asks the disk for each of its parts
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(money=say_money, ledger=say_ledger, number=say_number)
    found.filters.update(with_commands=with_commands, in_words=in_words, method=say_method)
    found.filters.update({name: _in_language(say) for name, say in IN_LANGUAGE.items()})
    found.globals.update(static=static_path, largest_of=largest_of, say_limit=say_limit)
    return found


def show(visit: Visit, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page; every template knows the visit's session, form and problems."""
    settings = visit.office.settings
    common = {
        "messages": visit.messages,  # the office's own words (rules 71, 200)
        "pays_other": bool(settings.other_payments.offered),
        "has_cart_page": settings.checkout.cart,
        "lets_guests_pay": settings.checkout.guests,
        "utility": newest_utility_name(visit),
        "session": visit.session,
        "looking": visit.looking,
        "theme": theme_of(visit.office),
        "zone": visit.zone,
        "_": visit.say,
        "language": visit.language,
        "languages": LANGUAGES,
        "values": visit.form,
        "problems": {},
        "path": visit.request.url.path,
        "at": visit.now.astimezone(visit.zone),
    }
    page = templates(visit.language).get_template(template).render(common | values)
    return HTMLResponse(page, status)


def newest_utility_name(visit: Visit) -> str:
    return visit.newest[0]


def missing(visit: Visit) -> HTMLResponse:
    """
    Say the same of what is not there and of what is somebody else's.

    Staff stay among their own pages: a customer's way out would not sign them out.
    """
    if visit.session is not None and visit.session.is_staff:
        return show(visit, "missing-for-staff.html", 404, begin=staff_begin(visit.request))
    return show(visit, "missing.html", 404)


def refuse_earlier_form(visit: Visit) -> HTMLResponse:
    """Say that a form was not of this sign-in, and that nothing was done."""
    if visit.session is not None and visit.session.is_staff:
        return show(visit, "earlier-form-for-staff.html", 403, begin=staff_begin(visit.request))
    begin = "/guest" if visit.session is None else "/"
    return show(visit, "earlier-form.html", 403, begin=begin)


def refuse_role(visit: Visit) -> HTMLResponse:
    """Say to somebody of the staff that their role does not have a page, with a way on."""
    is_csr = visit.request.url.path.startswith("/csr") and may(
        visit.user.role, Permission.CUSTOMER_SERVICE
    )
    return show(visit, "not-for-role.html", 403, begin="/csr" if is_csr else "/office")


def refuse_looking(visit: Visit) -> HTMLResponse:
    """Say that nothing is done while staff look at a portal as its customer (ruling 26)."""
    return show(visit, "only-looking.html", 403)


def say_money(amount: Money | str) -> str:
    """Write an amount; what is kept among figures is text, as programs read it."""
    return (Money.parse(amount) if isinstance(amount, str) else amount).dollars()


def say_ledger(amount: Money) -> str:
    """Write an amount as a ledger does: payments and credits in parentheses (rule 44)."""
    return amount.dollars() if amount >= ZERO else f"({(-amount).dollars()})"


def say_number(number: float) -> str:
    return f"{number:,g}"


@pass_context
def say_method(context: Context, kind: MethodKind | None, last4: str, brand: str) -> str:
    """Name a payment method in the language of the page."""
    return label_method(kind, last4, brand, context["language"])


def _in_language(say: Callable[[Any, str], str]) -> Callable[[Context, Any], str]:
    """Make a filter that writes a date or a sentence in the language of the page."""

    @pass_context
    def write(context: Context, moment: Any) -> str:
        return say(moment, context["language"])

    return write


@cache
def static_path(name: str) -> str:
    """Return the address of a file that never changes under its name: its hash is part of it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    stem, _, ending = name.rpartition(".")
    return f"/static/{stem}.{digest}.{ending}"


def send_static(request: Request) -> Response:
    """Send a static file by its hashed name; nothing else below the folder is reached."""
    asked = f"/static/{request.path_params['name']}"
    for file in STATIC.iterdir():
        if file.suffix in _TYPES and static_path(file.name) == asked:
            kept = {"Cache-Control": "public, max-age=31536000, immutable"}
            return Response(_served(file), media_type=_TYPES[file.suffix], headers=kept)
    return Response("Not found.\n", 404, media_type="text/plain")


@cache
def _served(file: Path) -> bytes:
    """Return what a browser gets of a file: of a style sheet what it reads, not what people do."""
    content = file.read_text("utf-8")
    if file.suffix == ".css":
        content = re.sub(r"/\*.*?\*/", "", content, flags=re.DOTALL)
        content = re.sub(r"\s*([{};])\s*", r"\1", re.sub(r"\s+", " ", content))
        content = re.sub(r"([\w-]): ", r"\1:", content).replace(";}", "}").strip()
    return content.encode()
