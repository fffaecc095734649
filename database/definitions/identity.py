"""The tables of who signs in: portal users and staff, their credentials, sessions and links."""

from __future__ import annotations

import sqlalchemy as sa

from database.definitions.append_only import keep_for_good
from database.definitions.making import trigram_index
from database.tables import metadata
from database.types import Moment, Number, one_of
from domain.identity import CredentialKind, LinkKind, LinkProof, Role, UserState
from domain.payments import MethodKind


def _user(*, nullable: bool = False) -> sa.Column[int]:
    return sa.Column("user_number", Number, sa.ForeignKey("web_user.number"), nullable=nullable)


web_user = sa.Table(
    "web_user",
    metadata,
    sa.Column("number", Number, primary_key=True),
    sa.Column("mailbox", sa.String(320), nullable=False, unique=True),
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("username", sa.String(100), unique=True),  # NULL: signs in by the address
    sa.Column("phone", sa.String(20), nullable=False, server_default=""),
    sa.Column("language", sa.String(5), nullable=False, server_default="en"),
    sa.Column("state", one_of(UserState, "state"), nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("locked_at", Moment),
    sa.Column("locked_by", sa.String(100), nullable=False, server_default=""),
    sa.Column("lock_reason", sa.Text, nullable=False, server_default=""),
    sa.Column("returns_to", one_of(UserState, "returns_to")),  # once unlocked; NULL: not locked
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),  # ends every session
    sa.Column("default_method", sa.String(200), nullable=False, server_default=""),  # a token
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("seen_at", Moment),
    trigram_index("web_user", "mailbox", "username"),
)

staff = sa.Table(
    "staff",
    metadata,
    sa.Column("number", Number, primary_key=True),
    sa.Column("mailbox", sa.String(320), nullable=False, unique=True),
    sa.Column("address", sa.String(320), nullable=False),
    sa.Column("role", one_of(Role, "role"), nullable=False),
    sa.Column("state", one_of(UserState, "state"), nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("locked_at", Moment),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("made_by", sa.String(100), nullable=False),
    sa.Column("seen_at", Moment),
)


def _staff(*, nullable: bool = True) -> sa.Column[int]:
    return sa.Column("staff_number", Number, sa.ForeignKey("staff.number"), nullable=nullable)


_ONE_OWNER = "(user_number IS NULL) <> (staff_number IS NULL)"

credential = sa.Table(
    "credential",
    metadata,
    sa.Column("number", Number, primary_key=True),
    _user(nullable=True),
    _staff(),
    sa.Column("kind", one_of(CredentialKind, "kind"), nullable=False),
    sa.Column("secret", sa.Text, nullable=False),  # a hash; a TOTP secret is sealed by the home's
    sa.Column("used_step", sa.BigInteger),  # of TOTP: a code is good once
    sa.Column("since", Moment, nullable=False),
    sa.UniqueConstraint("user_number", "kind"),
    sa.UniqueConstraint("staff_number", "kind"),
    sa.CheckConstraint(_ONE_OWNER, name="one_owner"),
)

web_session = sa.Table(
    "web_session",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    _user(nullable=True),
    _staff(),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("csrf", sa.String(43), nullable=False),
    sa.Column("needs_code", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.CheckConstraint(_ONE_OWNER, name="one_owner"),
    sa.Index(None, "user_number"),
)

one_time_link = sa.Table(
    "one_time_link",
    metadata,
    sa.Column("key", sa.String(32), primary_key=True),  # the token is its signature
    sa.Column("token_sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("kind", one_of(LinkKind, "kind"), nullable=False),
    _user(nullable=True),
    _staff(),
    sa.Column("about", sa.String(64), nullable=False, server_default=""),  # an account's key
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
    sa.Column("revoked_at", Moment),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Index(None, "user_number"),
)

account_link = sa.Table(
    "account_link",
    metadata,
    sa.Column("number", Number, primary_key=True),
    _user(),
    sa.Column("account_key", sa.String(64), nullable=False),
    sa.Column("nickname", sa.String(60), nullable=False, server_default=""),
    sa.Column("paperless", sa.Boolean),  # NULL: no choice of their own
    sa.Column("paperless_at", Moment),
    sa.Column("proof", one_of(LinkProof, "proof"), nullable=False),
    sa.Column("linked_at", Moment, nullable=False),
    sa.Column("linked_by", sa.String(100), nullable=False),
    sa.Column("unlinked_at", Moment),
    sa.Column("unlinked_by", sa.String(100), nullable=False, server_default=""),
    sa.UniqueConstraint("user_number", "account_key"),
    sa.Index(None, "account_key"),
)

landlord_link = sa.Table(
    "landlord_link",
    metadata,
    sa.Column("number", Number, primary_key=True),
    _user(),
    sa.Column("cosigner_id", sa.String(64), nullable=False),
    sa.Column("linked_at", Moment, nullable=False),
    sa.Column("linked_by", sa.String(100), nullable=False),
    sa.Column("unlinked_at", Moment),
    sa.Column("unlinked_by", sa.String(100), nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),  # of what was said last
    sa.UniqueConstraint("user_number", "cosigner_id"),
    sa.Index(None, "cosigner_id"),
)

web_attempt = sa.Table(
    "web_attempt",
    metadata,
    sa.Column("number", Number, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),  # sign-in, link, forgot, register, code
    sa.Column("subject", sa.String(80), nullable=False),  # of what is limited: account, user, net
    sa.Column("at", Moment, nullable=False),
    sa.Column("good", sa.Boolean, nullable=False),
    sa.Index(None, "kind", "subject", "at"),
)

wallet_method = sa.Table(
    "wallet_method",
    metadata,
    sa.Column("token", sa.String(200), primary_key=True),
    _user(),
    sa.Column("kind", one_of(MethodKind, "kind"), nullable=False),
    sa.Column("last4", sa.String(4), nullable=False),
    sa.Column("brand", sa.String(30), nullable=False, server_default=""),
    sa.Column("expires_on", sa.Date),
    sa.Column("added_at", Moment, nullable=False),
    sa.Column("removed_at", Moment),
    sa.Index(None, "user_number"),
)

method_capture = sa.Table(
    "method_capture",  # each time somebody is sent to the gateway's page to add a method
    metadata,
    sa.Column("key", sa.String(43), primary_key=True),
    _user(nullable=True),
    sa.Column("guest", sa.String(64), nullable=False, server_default=""),
    sa.Column("goes_on_to", sa.String(200), nullable=False, server_default=""),  # in mid-payment
    sa.Column("receipt_to", sa.String(320), nullable=False, server_default=""),  # a guest's
    sa.Column("link", sa.String(32), nullable=False, server_default=""),  # by which they came
    sa.Column("reference", sa.String(200), nullable=False, server_default=""),  # the gateway's
    sa.Column("payer", sa.String(200), nullable=False, server_default=""),  # whom it made of them
    sa.Column("begun_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("token", sa.String(200), nullable=False, server_default=""),  # empty: none was added
    sa.Column("mandate", sa.String(200), nullable=False, server_default=""),  # a bank account's
    sa.Column("agreed_at", Moment),
    sa.Index(None, "user_number"),
)

paperless_choice = sa.Table(
    "paperless_choice",  # each choice for good, with the very text that was agreed to
    metadata,
    sa.Column("number", Number, primary_key=True),
    _user(),
    sa.Column("account_key", sa.String(64), nullable=False),
    sa.Column("paperless", sa.Boolean, nullable=False),
    sa.Column("chosen_at", Moment, nullable=False),
    sa.Column("consent_version", sa.String(40), nullable=False, server_default=""),
    sa.Column("consent_text", sa.Text, nullable=False, server_default=""),
    sa.Index(None, "account_key"),
)

passkey = sa.Table(
    "passkey",
    metadata,
    sa.Column("number", Number, primary_key=True),
    _user(),
    sa.Column("credential_id", sa.String(1400), nullable=False, unique=True),  # base64url
    sa.Column("public_key", sa.Text, nullable=False),  # base64url, COSE
    sa.Column("label", sa.String(60), nullable=False, server_default=""),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
    sa.Index(None, "user_number"),
)

passkey_challenge = sa.Table(
    "passkey_challenge",  # each is answered once
    metadata,
    sa.Column("challenge_sha256", sa.String(64), primary_key=True),
    _user(nullable=True),  # NULL: to sign in, nobody knows yet who
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
)

spare_code = sa.Table(
    "spare_code",  # lets a customer in whose phone is not at hand
    metadata,
    sa.Column("code_hash", sa.String(64), primary_key=True),
    _user(),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
    sa.Index(None, "user_number"),
)

known_browser = sa.Table(
    "known_browser",  # in which a customer has signed in before
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    _user(),
    sa.Column("since", Moment, nullable=False),
    sa.Index(None, "user_number"),
)

impersonation = sa.Table(
    "impersonation",  # each time that staff look at the portal as a customer sees it
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    _staff(nullable=False),
    _user(),
    sa.Column("session_sha256", sa.String(64), nullable=False),  # of the member of staff
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("begun_at", Moment, nullable=False),
    sa.Column("ends_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Index(None, "user_number"),
)

address_change = sa.Table(
    "address_change",  # each address that somebody wanted to sign in with, and what came of it
    metadata,
    sa.Column("number", Number, primary_key=True),
    _user(),
    sa.Column("from_mailbox", sa.String(320), nullable=False),
    sa.Column("from_address", sa.String(320), nullable=False),
    sa.Column("to_mailbox", sa.String(320), nullable=False),
    sa.Column("to_address", sa.String(320), nullable=False),
    sa.Column("proof", sa.String(32), nullable=False),  # the key of the link to the new address
    sa.Column("stop", sa.String(32), nullable=False),  # the key of the link to the address so far
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("changed_at", Moment),  # NULL: not proved
    sa.Column("stopped_at", Moment),  # by whoever reads the address that was left
    sa.Index(None, "user_number"),
    sa.Index(None, "from_mailbox"),
    sa.Index(None, "to_mailbox"),
)

activity = sa.Table(
    "activity",
    metadata,
    sa.Column("number", Number, primary_key=True),
    _user(),
    sa.Column("at", Moment, nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("account_key", sa.String(64), nullable=False, server_default=""),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("by", sa.String(100), nullable=False, server_default="the customer"),
    sa.Index(None, "user_number", "at"),
)

keep_for_good(activity)  # rules 166, 167; ruling 10
