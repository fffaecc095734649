"""One page for every decision about a row of a list: the row, the ways, the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from starlette.responses import Response

from domain.failures import AwaitingApproval, Misuse, OutcomeUnknown, Refused, TemporaryFailure
from office.procedures.lists import select_list
from reporting.lists.asking import column_names
from reporting.lists.reading import known_part
from web.layout import missing
from web.office.layout import show_office
from web.office.lists import ListPage, shown_cell
from web.visits import LONGEST_REASON, Visit, redirect

Row = Mapping[str, Any]
Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DecidedRow:
    """
    What somebody wants of the row named `key`, and why.

    `detail` is what the way asks for, `more` what it asks for beside, where somebody wants to.
    """

    key: str
    reason: str
    detail: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """
    One thing that can be decided, and the procedure that carries it out.

    `act` raises Misuse and Refused for what cannot be; their sentences stand on the page. `done`
    is what the list says afterwards. `asks` is the label of one more field, where one is needed;
    `may_say` that of a field beside it which may stay empty.
    """

    code: str
    label: str
    done: str
    act: Callable[[Visit, DecidedRow], object]
    asks: str = ""
    is_detail_needed: bool = True
    may_say: str = ""


def no_facts(_visit: Visit, _key: str) -> Facts:
    return ()


@dataclass(frozen=True, slots=True)
class RowDecision:
    """
    What can be decided about the rows of one list; `page` is the list's, `path` that of deciding.

    `facts` are asked for when the page is opened, beside what the list has. Where it does not
    ask why, who said it and when is all that is audited.
    """

    page: ListPage
    path: str
    title: str
    about: str
    ways: tuple[Way, ...]
    facts: Callable[[Visit, str], Facts] = no_facts
    asks_why: bool = True

    @property
    def key(self) -> str:
        assert self.page.row_link is not None
        return self.page.row_link.key

    def done(self, code: str) -> str:
        """Return what the list says after a way was gone, empty for none."""
        return next((way.done for way in self.ways if way.code == code), "")


def show_decision(
    visit: Visit, decision: RowDecision, problems: dict[str, str] | None = None
) -> Response:
    """Show the row that somebody decides about; one that is not there is nobody's page."""
    key = visit.text("key") if visit.is_post else visit.request.query_params.get("key", "")
    row = _row(visit, decision, key)
    if row is None:
        return missing(visit)
    return show_office(
        visit,
        "decision.html",
        422 if problems else 200,
        decision=decision,
        key=key,
        row=row,
        facts=decision.facts(visit, key),
        problems=problems or {},
        values=visit.form,
        back=decision.page,
    )


def take_decision(visit: Visit, decision: RowDecision) -> Response:
    """Carry out what was decided, once it is said which way and why; it is audited."""
    way = _chosen(visit, decision)
    reason, detail = visit.text("reason")[:LONGEST_REASON], visit.text("detail")
    problems = {}
    if way is None:
        problems["way"] = "Choose one."
    elif way.asks and way.is_detail_needed and not detail:
        problems["detail"] = f"{way.asks} is needed for that."
    if not reason and decision.asks_why:
        problems["reason"] = "Say why: it is audited."
    if way is None or problems:
        return show_decision(visit, decision, problems)
    try:
        way.act(visit, DecidedRow(visit.text("key"), reason, detail, visit.text("more")))
    except (Misuse, Refused, AwaitingApproval) as refused:
        return show_decision(visit, decision, {"way": str(refused)})
    except (TemporaryFailure, OutcomeUnknown) as unanswered:
        return show_decision(visit, decision, {"way": f"{unanswered} Try again later."})
    return redirect(f"{decision.page.path}?{urlencode({'done': way.code})}")


def _chosen(visit: Visit, decision: RowDecision) -> Way | None:
    if len(decision.ways) == 1:
        return decision.ways[0]
    return next((way for way in decision.ways if way.code == visit.text("way")), None)


def _row(visit: Visit, decision: RowDecision, key: str) -> Facts | None:
    shown = select_list(visit.office, decision.page.what).subquery()
    query = sa.select(shown).where(sa.cast(shown.c[decision.key], sa.String) == key).limit(1)
    with visit.office.database.reading() as books:
        found = books.execute(query).mappings().first()
    if found is None:
        return None
    names = [name for name in column_names(shown) if name not in decision.page.leaves_out]
    return tuple(
        (
            name.replace("_", " ").capitalize(),
            shown_cell(name, known_part(found, name), visit.zone).text,
        )
        for name in names
        if found[name] not in (None, "")
    )
