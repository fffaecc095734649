"""Paying one account: how much, and with what (rules 46, 185)."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from database.queries.portal.standings import NextDraw, standings_of
from domain.arrangements import ArrangementState, PlanStanding
from domain.checkout import NotTaken, PayableAccount, PayLine, PayWallet, Refusal
from domain.money import ZERO, Money
from office.procedures import checkout
from office.procedures.mailing import arranging
from payments.checkout.confirming import PayWish
from payments.checkout.facts import read_payable, read_wallet
from rules.money.checkout import CheckoutPolicy, offered_methods, payable_kinds, payable_now
from web.customers.accounts import my_account
from web.customers.paying.capturing import send_to_capture
from web.customers.paying.payers import payer_of
from web.customers.paying.words import (
    CHOOSE,
    NEW_METHOD,
    NO_WAY,
    consent_in,
    read_amount,
    say_refusal,
    say_stale,
)
from web.layout import missing, show
from web.visits import Visit, redirect

Facts = tuple[PayableAccount, PayWallet]
OF_AMOUNT = (NotTaken.NOTHING_PAYABLE, NotTaken.OVER_PAYABLE, NotTaken.OVER_MOST)


def show_pay(visit: Visit) -> Response:
    """
    Ask how much and with what; the whole balance stands there already (rule 185).

    Of who pays in installments the next one does, with what is owed beside the plan.
    """
    facts = _payable(visit)
    return missing(visit) if facts is None else _ask(visit, facts)


def take_pay(visit: Visit) -> Response:
    """Take the wish to a check page, or into the cart; nothing is asked of anybody yet."""
    facts = _payable(visit)
    if facts is None:
        return missing(visit)
    account, wallet = facts
    problems: dict[str, str] = {}
    amount = read_amount(visit, problems)
    goes_to_cart = visit.text("act") == "cart" or visit.text("method") == NEW_METHOD
    if not goes_to_cart and wallet.method(visit.text("method")) is None:
        problems["method"] = visit.say(CHOOSE)
    if problems or amount is None:
        return _ask(visit, facts, problems)
    line = PayLine(account.account_key, account.account, amount)
    if goes_to_cart:
        return _into_cart(visit, facts, line)
    owner = payer_of(visit).owner
    wish = PayWish(owner, (line,), visit.text("method"), visit.language)
    key, refusal = checkout.draft(visit.office, wish, partial(consent_in, visit))
    if refusal is None:
        return redirect(f"/payments/{key}")
    return _ask(visit, facts, _problem(visit, facts, refusal))


def _into_cart(visit: Visit, facts: Facts, line: PayLine) -> Response:
    """Put it into the cart; with a method that is not saved yet it is paid from there."""
    account, _ = facts
    policy = visit.office.checkout_terms
    if line.amount > payable_now(account) and not _may_pay_ahead(account, policy):
        return _ask(
            visit, facts, _problem(visit, facts, Refusal(NotTaken.OVER_PAYABLE, account.account))
        )
    if not checkout.put(visit.office, payer_of(visit).owner, line):
        return _ask(visit, facts, {"": visit.say("Your cart is full.")})
    if visit.text("method") == NEW_METHOD and visit.text("act") != "cart":
        kinds = payable_kinds([account])
        if not kinds:
            return _ask(visit, facts, {"method": visit.say(NO_WAY)})
        return send_to_capture(visit, "/cart", kinds)
    return redirect("/cart")


def _payable(visit: Visit) -> Facts | None:
    mine = my_account(visit)
    if mine is None:
        return None
    owner = payer_of(visit).owner
    with visit.office.database.reading() as books:
        account = read_payable(books, owner, [mine.account_key]).get(mine.account_key)
        return None if account is None else (account, read_wallet(books, owner, [account]))


def _ask(visit: Visit, facts: Facts, problems: dict[str, str] | None = None) -> Response:
    account, wallet = facts
    policy = visit.office.checkout_terms
    payable, stale = payable_now(account), say_stale(visit, [account])
    is_known = not stale or visit.office.settings.feed.when_stale == "warn"
    plan = _plan(visit, account.account_key)
    values = dict(visit.form)
    if not visit.is_post:
        asked = payable if plan is None else _now_by_plan(plan, payable)
        values = {"amount": str(asked) if asked and is_known else ""}
    return show(
        visit,
        "pay.html",
        422 if problems else 200,
        facts=account,
        payable=payable,
        stale=stale,
        installment=plan.next if plan else None,
        next_draw=_next_draw(visit, account.account_key),
        methods=offered_methods([account], wallet),
        has_blocked=any(account.is_blocked(one.kind) for one in wallet.methods),
        may_pay=bool(payable) or _may_pay_ahead(account, policy),
        is_ahead=policy.pays_ahead,
        has_cart=policy.has_cart,
        message=visit.messages["payment"],
        values=values,
        problems=problems or {},
    )


def _plan(visit: Visit, key: str) -> PlanStanding | None:
    """Return how a plan in force stands of which an installment is still to be paid."""
    found = arranging.plan_with_standing(visit.office, key)
    is_kept = found is not None and found[0].state is ArrangementState.IN_FORCE
    return found[1] if found and is_kept and found[1].next else None


def _now_by_plan(plan: PlanStanding, payable: Money) -> Money:
    """Return the next installment, with what is payable of later bills; never more than that."""
    beside = max(payable - plan.left, ZERO)
    return min(payable, beside + (plan.next.open if plan.next else ZERO))


def _next_draw(visit: Visit, key: str) -> NextDraw | None:
    """Return what autopay draws by itself, so that nobody pays twice without knowing (rule 69)."""
    with visit.office.database.reading() as books:
        return next((one.next_draw for one in standings_of(books, [key])), None)


def _problem(visit: Visit, facts: Facts, refusal: Refusal) -> dict[str, str]:
    is_amount = refusal.reason in OF_AMOUNT
    return {"amount" if is_amount else "method": say_refusal(visit, refusal, [facts[0]])}


def _may_pay_ahead(account: PayableAccount, policy: CheckoutPolicy) -> bool:
    return policy.pays_ahead and account.on_its_way == ZERO
