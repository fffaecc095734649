"""Who receives a bill, and how."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounts import AccountStatus
from domain.deliveries import DeliveryPlan, PaperReason, Recipient, RecipientSource
from rules.mail.delivery import choose_recipients, may_see_method, plan_delivery
from tests.builders import examples

ANN, BOB, LORD = "ann@customer.example", "bob@customer.example", "lord@holdings.example"
RECORD, PORTAL, LANDLORD = RecipientSource
ACTIVE, FINAL, CLOSED = AccountStatus


def plan(
    status=ACTIVE,
    ebill=True,
    send_paper=False,
    record=(ANN,),
    links=(),
    landlords=(),
    has_password=True,
    **rest,
):
    return plan_delivery(
        "01.1037.1",
        status,
        ebill=ebill,
        send_paper=send_paper,
        record=record,
        portal_links=links,
        landlords=landlords,
        has_password=has_password,
        **rest,
    )


def mailboxes(planned: DeliveryPlan) -> list[tuple[str, RecipientSource]]:
    return [(recipient.address, recipient.source) for recipient in planned.recipients]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({}, [(ANN, RECORD)], id="the customer record, rules 21, 23"),
        pytest.param(
            {"record": (ANN, BOB)}, [(ANN, RECORD), (BOB, RECORD)], id="all its addresses, rule 22"
        ),
        pytest.param(
            {"record": (), "ebill": False, "links": [(BOB, True)]},
            [(BOB, PORTAL)],
            id="a portal user who chose paperless, rule 24",
        ),
        pytest.param(
            {"record": (), "ebill": False, "links": [(ANN, True), (BOB, False)]},
            [(ANN, PORTAL), (BOB, PORTAL)],
            id="both portal users where one chose, rule 25",
        ),
        pytest.param(
            {"ebill": False, "links": [(BOB, True)]},
            [(ANN, RECORD), (BOB, PORTAL)],
            id="the record as well as the portal user, rule 26",
        ),
        pytest.param(
            {"record": (), "links": [(BOB, True)]},
            [(BOB, PORTAL)],
            id="the portal user alone where the field was cleared, rule 27",
        ),
        pytest.param(
            {"links": [(BOB, False)]},
            [(ANN, RECORD), (BOB, PORTAL)],
            id="all linked users by the office's field, rule 28",
        ),
        pytest.param(
            {"landlords": [LORD]}, [(ANN, RECORD), (LORD, LANDLORD)], id="the landlord, ruling 6"
        ),
        pytest.param({"ebill": False}, [], id="nobody where nobody is paperless, rule 23"),
        pytest.param(
            {"ebill": False, "links": [(BOB, False)], "landlords": [LORD]},
            [],
            id="a landlord alone makes nobody paperless",
        ),
        pytest.param({"status": FINAL}, [(ANN, RECORD)], id="a final bill, rule 14"),
        pytest.param(
            {"record": (ANN,), "links": [("ANN@Customer.Example", True), (BOB, True)],
             "landlords": [BOB.upper()]},
            [(ANN, RECORD), (BOB, PORTAL)],
            id="once a mailbox by its first source, letters' case ignored, ruling 8",
        ),
        pytest.param(
            {"record": (), "landlords": [LORD]}, [(LORD, LANDLORD)], id="a landlord is an address"
        ),
        pytest.param(
            {"ebill": False, "links": [(None, True)]},
            [(ANN, RECORD)],
            id="the choice of a portal user whom no mail can be addressed to",
        ),
    ],
)  # fmt: skip
def test_a_bill_is_mailed_to(facts, expected):
    assert expected == mailboxes(plan(**facts))


@pytest.mark.parametrize(
    ("facts", "paper", "mails"),
    [
        pytest.param({"ebill": True, "send_paper": False}, None, 1, id="paperless"),
        pytest.param({"ebill": True, "send_paper": True}, "send-paper", 1, id="both, ruling 1"),
        pytest.param({"ebill": False, "send_paper": True}, "send-paper", 0, id="paper"),
        pytest.param({"ebill": False, "send_paper": False}, "no-ebill", 0, id="neither, ruling 1"),
        pytest.param({"record": ()}, "no-valid-email", 0, id="paperless, and no mail can reach it"),
        pytest.param({"record": (), "links": [(BOB, True)]}, None, 1, id="a portal user suffices"),
        pytest.param({"record": (), "landlords": [LORD]}, None, 1, id="a landlord suffices"),
        pytest.param(
            {"record": (), "send_paper": True}, "send-paper", 0, id="asked for paper anyway"
        ),
        pytest.param({"status": CLOSED, "send_paper": True}, None, 0, id="closed: neither"),
        pytest.param({"status": FINAL, "send_paper": True}, "send-paper", 1, id="final: both"),
        pytest.param({"has_password": False}, "password-missing", 0, id="nothing can lock it"),
        pytest.param(
            {"has_password": False, "send_paper": True},
            "password-missing",
            0,
            id="nothing can lock the copy that is mailed besides",
        ),
        pytest.param(
            {"has_password": False, "landlords": [LORD], "links": [(BOB, True)]},
            "password-missing",
            0,
            id="nothing can lock it, for nobody",
        ),
        pytest.param(
            {"has_password": False, "record": ()}, "no-valid-email", 0, id="no mail to be locked"
        ),
        pytest.param(
            {"has_password": False, "ebill": False}, "no-ebill", 0, id="nothing to be locked"
        ),
        pytest.param(
            {"has_password": False, "status": CLOSED}, None, 0, id="closed, and nothing to lock"
        ),
        pytest.param({"is_too_large": True}, "ebill-too-large", 0, id="too large for a mail"),
        pytest.param(
            {"is_too_large": True, "send_paper": True},
            "ebill-too-large",
            0,
            id="too large for the copy that is mailed besides",
        ),
        pytest.param(
            {"is_too_large": True, "ebill": False}, "no-ebill", 0, id="too large, and not asked for"
        ),
        pytest.param(
            {"is_too_large": True, "record": ()}, "no-valid-email", 0, id="too large for nobody"
        ),
        pytest.param({"suppressed": {ANN}}, "ebill-bounced", 0, id="mails to all come back"),
        pytest.param(
            {"suppressed": {ANN}, "record": (ANN, BOB)}, None, 1, id="mails to one come back"
        ),
    ],
)
def test_a_bill_goes_on_paper_because(facts, paper, mails):
    planned = plan(**facts)

    assert (paper, mails) == (planned.paper, len(planned.recipients))


@pytest.mark.parametrize("facts", [{}, {"links": [(BOB, True)], "landlords": [LORD]}])
def test_a_closed_account_is_not_paperless_and_gets_nothing(facts):
    expected = DeliveryPlan("01.1037.1", False, (), None)

    assert expected == plan(status=CLOSED, **facts)


@pytest.mark.parametrize(
    ("recipient", "wallet_owner", "sees"),
    [
        pytest.param(Recipient(BOB, PORTAL), "Bob@Customer.Example", True, id="their own wallet"),
        pytest.param(Recipient(LORD, LANDLORD), BOB, False, id="a landlord, the tenant's"),
        pytest.param(Recipient(ANN, RECORD), LORD, False, id="a tenant, the landlord's"),
        pytest.param(Recipient(LORD, LANDLORD), LORD, True, id="a landlord, his own"),
        pytest.param(Recipient(ANN, RECORD), "", True, id="the customer, given to the office"),
        pytest.param(Recipient(LORD, LANDLORD), "", False, id="a landlord, given to the office"),
    ],
)
def test_payment_details_are_seen_by_their_owner_alone_rule_118(recipient, wallet_owner, sees):
    assert sees is may_see_method(recipient, wallet_owner)


NAMES = st.sampled_from([ANN, BOB, LORD, "Ann@customer.example", "BOB@CUSTOMER.EXAMPLE", "c@d.ex"])
PLANS = st.builds(
    plan,
    status=st.sampled_from(AccountStatus),
    ebill=st.booleans(),
    send_paper=st.booleans(),
    record=st.lists(NAMES, max_size=4),
    links=st.lists(st.tuples(NAMES, st.booleans()), max_size=4),
    landlords=st.lists(NAMES, max_size=2),
)


@given(PLANS)
@examples
def test_no_mailbox_gets_two_copies(planned):
    boxes = [recipient.mailbox for recipient in planned.recipients]

    assert sorted(set(boxes)) == sorted(boxes)


@given(st.data(), st.sampled_from([ACTIVE, FINAL]))
@examples
def test_every_bill_reaches_its_customer_somehow(data, status):
    planned = plan(
        status,
        data.draw(st.booleans()),
        data.draw(st.booleans()),
        data.draw(st.lists(NAMES, max_size=2)),
        data.draw(st.lists(st.tuples(NAMES, st.booleans()), max_size=2)),
        data.draw(st.lists(NAMES, max_size=2)),
    )

    assert planned.recipients or planned.paper is not None
    assert planned.paperless or not planned.recipients
    if planned.paper is PaperReason.NO_VALID_EMAIL:
        assert planned.paperless and not planned.recipients
    if planned.paper is PaperReason.NO_EBILL:
        assert not planned.paperless


@given(st.lists(NAMES, max_size=4), st.lists(NAMES, max_size=4), st.lists(NAMES, max_size=2))
@examples
def test_nobody_is_left_out_and_the_first_source_is_kept(record, users, landlords):
    listed = [(address, RECORD) for address in record] + [(address, PORTAL) for address in users]
    listed += [(landlord, LANDLORD) for landlord in landlords]

    chosen = choose_recipients(record, users, landlords)

    assert {address.casefold() for address, _ in listed} == {found.mailbox for found in chosen}
    for found in chosen:
        first = next(entry for entry in listed if entry[0].casefold() == found.mailbox)
        assert first == (found.address, found.source)


def test_of_whom_no_password_is_told_the_bill_can_be_locked():
    planned = plan_delivery(
        "1", ACTIVE, ebill=True, send_paper=False, record=[ANN], portal_links=(), landlords=()
    )

    assert ([(ANN, RECORD)], None) == (mailboxes(planned), planned.paper)
