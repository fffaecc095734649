"""
The home page in Django: its ORM, its templates; gunicorn serves it, in a place of its own.

It does what ours does: the same session is looked up by the same conditions, the same accounts by
their four ways, balances with what is on its way, payments, movements and news, all in one
transaction; the same words through translation, the same headers. Bench checks that both pages say
the same.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from datetime import UTC, timedelta
from email.utils import localtime
from pathlib import Path
from zoneinfo import ZoneInfo

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, Lower
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone, translation

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    USE_I18N=True,
    LANGUAGES=[("en", "English"), ("es", "Español")],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["BENCH_BOOKS"],
            "CONN_MAX_AGE": None,
            "ATOMIC_REQUESTS": True,
            "OPTIONS": {"init_command": "PRAGMA cache_size=-32000; PRAGMA foreign_keys=ON;"},
        }
    },
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        f"{__name__}.dressed",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    SECURE_REFERRER_POLICY="same-origin",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [Path(__file__).parent / "django_templates"],
            "OPTIONS": {
                "libraries": {"bench": "django_filters"},
            },
        }
    ],
)
LOG = logging.getLogger("bench")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def dressed(get_response):
    """Add the headers that keep an answer private, and log method, status and time."""

    def answer(request):
        started = time.monotonic()
        response = get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        LOG.info("%s %d %.3f s", request.method, response.status_code, time.monotonic() - started)
        return response

    return answer


django.setup()


class Table(models.Model):
    class Meta:
        abstract = True
        managed = False
        app_label = "bench"


KINDS = {
    "text": models.TextField, "whole": models.IntegerField, "cents": models.BigIntegerField,
    "day": models.DateField, "moment": models.DateTimeField, "yes": models.BooleanField,
    "number": models.FloatField,
}  # fmt: skip


def a_table(_table, **columns):
    """Make a model of one of our tables with the columns that the page reads."""
    fields = {}
    for column, kind in columns.items():
        is_key, kind = kind.startswith("key "), kind.removeprefix("key ")
        fields[column] = KINDS[kind](primary_key=is_key, null=not is_key)
    meta = type("Meta", (Table.Meta,), {"db_table": _table})
    columns = {"__module__": __name__, "Meta": meta, **fields}
    return type(_table.title().replace("_", ""), (Table,), columns)


WebUser = a_table(
    "web_user", number="key whole", address="text", language="text", version="whole", state="text"
)


class WebSession(Table):
    token_sha256 = models.CharField(primary_key=True, max_length=64)
    user = models.ForeignKey(WebUser, models.DO_NOTHING, db_column="user_number")
    version = models.IntegerField()
    csrf = models.CharField(max_length=43)
    needs_code = models.BooleanField()
    made_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "web_session"


AccountLink = a_table(
    "account_link",
    number="key whole",
    user_number="whole",
    account_key="text",
    unlinked_at="moment",
)
PortalLink = a_table("portal_link", account_key="key text", period="text", mailbox="text")
Cosigner = a_table("cosigner", cosigner_id="key text", period="text", portal_user="text")
LandlordLink = a_table(
    "landlord_link", number="key whole", user_number="whole", cosigner_id="text",
    unlinked_at="moment",
)  # fmt: skip
BillRun = a_table(
    "bill_run", period="key text", utility="text", timezone="text", imported_at="moment"
)
Balance = a_table(
    "balance_due", account_key="key text", account="text", period="text", amount_due="cents",
    added="cents", paid="cents", due_on="day",
)  # fmt: skip
Account = a_table(
    "account", account_key="key text", period="text", service_address="text", name="text",
    cosigner_id="text", direct_pay="yes", block_ach="yes", block_card="yes",
)  # fmt: skip
Bill = a_table("bill", account_key="key text", period="text")
AccountChange = a_table("account_change", number="key whole", account_key="text")
Payment = a_table(
    "gateway_payment", key="key text", kind="text", account_key="text", state="text",
    amount="cents", pay_on="day", taken_at="moment", method_kind="text", last4="text",
    confirmation="text",
)  # fmt: skip


class Draw(Table):
    key = models.TextField(primary_key=True)
    payment = models.ForeignKey(Payment, models.DO_NOTHING, db_column="payment_key")
    amount = models.BigIntegerField()
    state = models.TextField()

    class Meta(Table.Meta):
        db_table = "draw"


class Checkout(Table):
    key = models.TextField(primary_key=True)
    payment = models.ForeignKey(Payment, models.DO_NOTHING, db_column="payment_key", null=True)

    class Meta(Table.Meta):
        db_table = "checkout"


class CheckoutLine(Table):
    number = models.IntegerField(primary_key=True)
    checkout = models.ForeignKey(Checkout, models.DO_NOTHING, db_column="checkout")
    account_key = models.TextField()
    amount = models.BigIntegerField()

    class Meta(Table.Meta):
        db_table = "checkout_line"


Movement = a_table(
    "movement", line="key whole", account_key="text", account="text", period="text",
    posted_on="day", service="text", description="text", kind="text", amount="cents",
    usage="number", unit="text", reference="text",
)  # fmt: skip
Entry = a_table(
    "balance_entry", key="key text", account_key="text", kind="text", source="text",
    amount="cents", happened_on="day",
)  # fmt: skip
PeriodClose = a_table("period_close", period="key text")
Outsorted = a_table("outsorted_bill", account_key="key text", period="text", released_at="moment")
Communication = a_table(
    "communication", number="key whole", title="text", expires_on="day", added_at="moment",
    removed_at="moment", written_at="moment",
)  # fmt: skip
OPEN = ("created", "asked")


def home(request):
    now = localtime().astimezone(UTC)
    token = hashlib.sha256(request.COOKIES["portal"].encode()).hexdigest()
    session = (
        WebSession.objects.select_related("user")
        .filter(
            token_sha256=token, ended_at=None, expires_at__gt=now,
            seen_at__gt=now - timedelta(minutes=30), version=F("user__version"),
            user__state="active",
        )
        .first()
    )  # fmt: skip
    if session is None:
        return HttpResponseRedirect("/sign-in")
    utility, zone = (
        BillRun.objects.order_by("-imported_at").values_list("utility", "timezone").first()
    )
    at = now.astimezone(ZoneInfo(zone))
    keys = keys_of(session.user)
    values = {
        "session": session, "utility": utility, "at": at, "today": at.date(), "path": "/",
        "pages": PAGES, "language": session.user.language, "languages": settings.LANGUAGES,
        "standings": standings_of(keys), "latest": latest_of(keys), "is_news": has_news(now, at),
        "problems": {}, "messages": {},
    }  # fmt: skip
    with translation.override(session.user.language), timezone.override(at.tzinfo):
        return render(request, "home.html", values)


PAGES = [
    ("/", "Home"), ("/bills", "Bills and payments"), ("/usage", "Usage"), ("/wallet", "Wallet"),
    ("/news", "News"), ("/account", "My account"),
]  # fmt: skip


def keys_of(user):
    """Return the accounts that a user sees: linked here, by the export, and as a landlord."""
    mailbox = user.address.lower()
    of_balance = Balance.objects.filter(
        account_key=OuterRef("account_key"), period=OuterRef("period")
    )
    own = AccountLink.objects.filter(user_number=user.number, unlinked_at=None)
    imported = BillRun.objects.filter(period=OuterRef(OuterRef("period"))).values("imported_at")
    taken_off = AccountLink.objects.filter(
        account_key=OuterRef("account_key"), user_number=user.number,
        unlinked_at__gte=Subquery(imported),
    )  # fmt: skip
    exported = PortalLink.objects.filter(Exists(of_balance), ~Exists(taken_off), mailbox=mailbox)
    cosigners = Cosigner.objects.annotate(who=Lower("portal_user")).filter(who=mailbox)
    let = Account.objects.filter(
        Exists(of_balance), cosigner_id__in=cosigners.values("cosigner_id")
    ).extra(where=["account.cosigner_id <> ''"])
    links = LandlordLink.objects.filter(user_number=user.number, unlinked_at=None)
    let_here = Account.objects.filter(
        Exists(of_balance), cosigner_id__in=links.values("cosigner_id")
    ).extra(where=["account.cosigner_id <> ''"])
    ways = [one.values_list("account_key") for one in (exported, let, let_here)]
    return [row[0] for row in own.values_list("account_key").union(*ways)]


def standings_of(keys):
    """Return how accounts stand, as the templates show it."""
    of_account = {"account_key": OuterRef("account_key"), "period": OuterRef("period")}
    draws = Draw.objects.filter(
        state__in=OPEN, payment__account_key=OuterRef("account_key"), payment__kind="autopay"
    )
    asked = Draw.objects.filter(payment=OuterRef("checkout__payment"), state__in=OPEN)
    paying = CheckoutLine.objects.filter(Exists(asked), account_key=OuterRef("account_key"))
    balances = Balance.objects.filter(account_key__in=keys).annotate(
        owed=F("amount_due") + F("added") - F("paid"),
        drawn=Coalesce(Subquery(_sum(draws)), 0),
        paying=Coalesce(Subquery(_sum(paying)), 0),
        bills=Coalesce(Subquery(_count(Bill.objects.filter(**of_account))), 0),
        is_told=Exists(AccountChange.objects.filter(account_key=OuterRef("account_key"))),
    )
    rows = list(balances.order_by("account"))
    wanted = Q(account_key__in=keys, period__in={one.period for one in rows})
    about = {one.account_key: one for one in Account.objects.filter(wanted)}
    (draws, paid), elsewhere = payments_of(keys), paid_elsewhere(keys)
    for one in rows:
        one.facts, one.on_its_way = about[one.account_key], one.drawn + one.paying
        one.next_draw = draws.get(one.account_key)
        ways = [found[one.account_key] for found in (paid, elsewhere) if one.account_key in found]
        one.last_paid = max(ways, key=lambda way: way[1], default=None)
        one.payable = max(one.owed - one.on_its_way, 0)
    return rows


def payments_of(keys):
    draws, paid = {}, {}
    by_autopay = Payment.objects.filter(
        account_key__in=keys, kind="autopay", state__in=("scheduled", "succeeded")
    )
    for one in by_autopay.order_by("taken_at", "-pay_on"):
        if one.state == "scheduled":
            draws[one.account_key] = one
        else:
            paid[one.account_key] = one.amount, timezone.localdate(one.taken_at)
    by_hand = CheckoutLine.objects.select_related("checkout__payment").filter(
        account_key__in=keys, checkout__payment__state="succeeded"
    )
    for one in by_hand.order_by("checkout__payment__taken_at"):
        paid[one.account_key] = one.amount, timezone.localdate(one.checkout.payment.taken_at)
    return draws, paid


def paid_elsewhere(keys):
    """Return the last payment of each account that the billing system tells of."""
    of_account = {"account_key": OuterRef("account_key")}
    newest = Balance.objects.filter(**of_account, period=OuterRef("period"))
    ours = Payment.objects.filter(**of_account, confirmation=OuterRef("reference"))
    mine = {"account_key__in": keys, "kind": "payment", "amount__lt": 0}
    told = Entry.objects.filter(**mine, source="feed")
    exported = Movement.objects.filter(Exists(newest), ~Exists(ours), **mine)
    ways = [
        *told.values_list("account_key", "amount", "happened_on"),
        *exported.values_list("account_key", "amount", "posted_on"),
    ]
    return {key: (-amount, day) for key, amount, day in sorted(ways, key=lambda way: way[2])}


def latest_of(keys):
    held = Outsorted.objects.filter(
        period=OuterRef("period"), account_key=OuterRef("account_key"), released_at=None
    )
    closed = PeriodClose.objects.values("period")
    found = Movement.objects.filter(~Exists(held), account_key__in=keys, period__in=closed)
    return list(found.order_by("-posted_on", "-period", "-line")[:5])


def has_news(now, at):
    posted = Communication.objects.filter(removed_at=None).exclude(written_at=None)
    live = [
        one for one in posted.order_by("-number")
        if one.expires_on is None or one.expires_on >= at.date()
    ]  # fmt: skip
    return bool(live) and live[0].added_at > now - timedelta(days=30)


def _sum(rows):
    return _whole(rows, Sum("amount"))


def _count(rows):
    return _whole(rows, Count("pk"))


def _whole(rows, of_all):
    """Return a sub-select with one figure of all rows."""
    grouped = rows.order_by().annotate(one=models.Value(1)).values("one")
    return grouped.annotate(all=of_all).values("all")


urlpatterns = [path("", home)]
application = get_wsgi_application()
