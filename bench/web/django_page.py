"""The home page in Django: its ORM, its templates; gunicorn serves it, in a place of its own."""

from __future__ import annotations

import hashlib
import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import models
from django.db.models import Sum
from django.http import HttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["BENCH_BOOKS"],
            "CONN_MAX_AGE": None,
        }
    },
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    (
                        "django.template.loaders.cached.Loader",
                        [("django.template.loaders.locmem.Loader", {})],
                    )
                ]
            },
        }
    ],
)
django.setup()


class Table(models.Model):
    class Meta:
        abstract = True
        managed = False
        app_label = "bench"


class WebUser(Table):
    number = models.IntegerField(primary_key=True)
    language = models.CharField(max_length=5)
    version = models.IntegerField()

    class Meta(Table.Meta):
        db_table = "web_user"


class WebSession(Table):
    token_sha256 = models.CharField(primary_key=True, max_length=64)
    user = models.ForeignKey(WebUser, models.DO_NOTHING, db_column="user_number")
    ended_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "web_session"


class AccountLink(Table):
    number = models.IntegerField(primary_key=True)
    user_number = models.IntegerField()
    account_key = models.CharField(max_length=64)
    unlinked_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "account_link"


class Balance(Table):
    account_key = models.CharField(primary_key=True, max_length=64)
    account = models.CharField(max_length=64)
    period = models.CharField(max_length=40)
    amount_due = models.BigIntegerField()
    added = models.BigIntegerField()
    paid = models.BigIntegerField()
    due_on = models.DateField(null=True)

    class Meta(Table.Meta):
        db_table = "balance_due"


class Account(Table):
    account_key = models.CharField(primary_key=True, max_length=64)
    period = models.CharField(max_length=40)
    service_address = models.TextField()
    name = models.TextField()

    class Meta(Table.Meta):
        db_table = "account"


class Payment(Table):
    key = models.CharField(primary_key=True, max_length=120)
    account_key = models.CharField(max_length=64)
    state = models.CharField(max_length=20)
    amount = models.BigIntegerField()
    pay_on = models.DateField()
    taken_at = models.DateTimeField(null=True)

    class Meta(Table.Meta):
        db_table = "gateway_payment"


class Movement(Table):
    line = models.IntegerField(primary_key=True)
    account_key = models.CharField(max_length=64)
    period = models.CharField(max_length=40)
    posted_on = models.DateField()
    service = models.CharField(max_length=100)
    description = models.TextField()
    amount = models.BigIntegerField()

    class Meta(Table.Meta):
        db_table = "movement"


def home(request):
    token = hashlib.sha256(request.COOKIES["portal"].encode()).hexdigest()
    session = WebSession.objects.select_related("user").get(token_sha256=token, ended_at=None)
    links = AccountLink.objects.filter(user_number=session.user_id, unlinked_at=None)
    balances = list(Balance.objects.filter(account_key__in=links.values("account_key")))
    keys = [one.account_key for one in balances]
    periods = {one.period for one in balances}
    about = {
        one.account_key: one
        for one in Account.objects.filter(account_key__in=keys, period__in=periods)
    }
    payments = Payment.objects.filter(account_key__in=keys)
    planned = list(payments.filter(state="scheduled").order_by("pay_on"))
    way = payments.filter(state="submitted").aggregate(Sum("amount"))["amount__sum"] or 0
    last = payments.filter(state="succeeded").order_by("-taken_at").first()
    latest = list(
        Movement.objects.filter(account_key__in=keys).order_by("-posted_on", "-period", "-line")[:5]
    )
    shown = [
        (one, about[one.account_key], one.amount_due + one.added - one.paid) for one in balances
    ]
    values = {"shown": shown, "planned": planned, "way": way, "last": last, "latest": latest}
    return HttpResponse(PAGE.render(values))


def _page():
    from django.template import Context, engines

    template = engines["django"].from_string(TEXT).template

    class Page:
        def render(self, values):
            return template.render(Context(values))

    return Page()


_HEAD = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Home</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/portal.css"></head><body><header><nav><ul>
{% for name in names %}<li><a href="/{{ name }}">{{ name }}</a></li>{% endfor %}</ul></nav></header>
<main><h1>Your accounts</h1>"""
TEXT = (
    _HEAD
    + """{% for one, about, owed in shown %}<section class="card account">
<div><h2>{{ about.service_address }}</h2><p class="number">Account {{ one.account }}</p>
<p class="soft">Balance due</p><p class="amount">{{ owed }}</p>
{% if owed > 0 and one.due_on %}<p class="due">Due on {{ one.due_on|date:"F j, Y" }}</p>
{% else %}<p class="due">Nothing is due.</p>{% endif %}
{% if way %}<p class="aside">A payment of {{ way }} is on its way.</p>{% endif %}
{% for draw in planned %}<p class="aside">Autopay draws {{ draw.amount }} on
{{ draw.pay_on|date:"F j, Y" }}.</p>{% endfor %}
{% if last %}<p class="soft">Last paid: {{ last.amount }} on {{ last.taken_at|date }}.</p>
{% endif %}
</div><div class="acts"><a class="main" href="/accounts/{{ one.account_key }}/pay">Pay</a>
<a href="/accounts/{{ one.account_key }}/bill">View bill</a>
<a href="/accounts/{{ one.account_key }}/autopay">Autopay</a>
<a href="/accounts/{{ one.account_key }}/paperless">Paperless</a></div></section>{% endfor %}
<h2>Latest transactions</h2><table><tbody>{% for line in latest %}<tr>
<td>{{ line.posted_on|date:"M j" }}</td><td>{{ line.service|default:line.description }}</td>
<td class="num"><a href="/accounts/{{ line.account_key }}/lines/{{ line.period }}-{{ line.line }}">
{{ line.amount }}</a></td></tr>{% endfor %}</tbody></table></main></body></html>"""
)
PAGE = _page()
urlpatterns = [path("", home)]
application = get_wsgi_application()
