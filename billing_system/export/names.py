"""Names that are nearly ours: which heading, key or file was probably meant (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping

# Words that say nothing more of a column than its name does: "phone number" is the phone.
_FILLERS = frozenset(
    (
        *("number", "no", "num", "nr", "id", "address", "addr", "amount", "amt", "customer"),
        *("cust", "account", "acct", "code", "value", "text", "field", "flag", "the", "of"),
    )
)
SYNONYMS: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        # columns
        "account_number": "account acct acctno acctnum customernumber customerno customerid",
        "name": "customername fullname accountname",
        "last_name": "surname familyname lname",
        "service_address": "serviceaddr propertyaddress premise premiseaddress location",
        "mailing_address": "mailaddress mailaddr billingaddress postaladdress",
        "city": "town",
        "state": "province",
        "zip": "zipcode postalcode postcode",
        "phone": "telephone tel mobile cell cellphone mobilephone phone1",
        "email": "mail emails emailaddress emailaddresses mailaddress",
        "ebill": "paperless electronicbill ebilling einvoice paperlessbilling",
        "send_paper": "paper paperbill printbill printedbill papercopy",
        "status": "accountstatus state",
        "opening_balance": "previousbalance prevbalance startbalance beginningbalance priorbalance",
        "closing_balance": "endbalance endingbalance balance currentbalance balancedue amountdue",
        "equal_pay_amount": "equalpay equalized levelized averaged budget budgetamount "
        "budgetbilling budgetbill levelpay "
        "levelpayment budgetpay equalpayment averagebilling",
        "direct_pay": "directdebit bankdraft",
        "block_ach": "achblock noach achblocked blockbank",
        "block_card": "cardblock nocard cardblocked blockcc blockcreditcard",
        "cosigner_id": "cosigner cosignor landlord landlordid guarantor",
        "district": "zone area sector servicezone servicearea",
        "deposit_held": "deposit depositamount securitydeposit",
        "date": "posted postedon postedat postingdate transactiondate trandate",
        "service": "servicetype utilityservice",
        "description": "desc memo text",
        "type": "kind transactiontype trantype transtype",
        "amount": "amt total value",
        "usage": "consumption consumed quantity qty used unitsused usageamount usageqty",
        "unit": "uom unitofmeasure",
        "days": "billingdays servicedays daysofservice numberofdays",
        "reference": "ref refno receipt receiptno receiptnumber confirmation confirm conf "
        "confirmationnumber paymentreference",
        "meter": "meterno meternumber meterid serial",
        "read_type": "readtype readingtype readcode",
        "previous_read": "prevread previousreading prevreading lastread lastreading startread",
        "current_read": "curread currentreading curreading presentread presentreading endread",
        "rate_code": "tariff ratecategory rateclass rateschedule",
        "portal_user": "user username login email useremail portalemail",
        "paperless": "ebill paperlessbilling",
        "token": "paymenttoken methodtoken cardtoken",
        "method_token": "token paymenttoken paymentmethod cardtoken",
        "kind": "type methodtype paymenttype",
        "last4": "lastfour last4digits lastfourdigits digits",
        "days_prior": "daysbefore daysbeforedue dayspriortodue leaddays daysinadvance",
        "maximum": "max maxamount maximumamount maxpayment maximumpayment limit maxdraw cap "
        "nottoexceed ceiling maxamt maxpmt paymentlimit amountlimit maxpaymentamount "
        "maximumpaymentamount autopaymax",
        "enrolled_on": "enrolled enrolleddate enrollmentdate enrolldate signupdate startdate",
        # columns of the feed
        "movement_id": "movement transactionid tranid transid entryid movementno",
        "posted_at": "posttime postedtime postingtime timestamp postedtimestamp postdatetime",
        "in_balance_due": "inbalance included includedinbalance includedinbalancedue "
        "includeinbalance includeinbalancedue countsinbalance "
        "affectsbalance affectsbalancedue inamountdue",
        # files
        "accounts": "customers customer account accountlist",
        "transactions": "transaction trans movements history activity ledger",
        "portal_users": "portallogins portalcustomers users webusers logins",
        "portal_links": "userlinks portaluseraccounts links accountlinks useraccounts "
        "portalaccounts",
        "cosigners": "landlords owners guarantors",
        "payment_methods": "card paymethod storedmethod savedmethod savedpaymentmethod "
        "storedpaymentmethod paymenttoken wallet wallets methods tokens paymentmethods",
        "autopay": "directdebit bankdraft mandate autopays autopayments automaticpayments "
        "enrollments mandates recurring "
        "recurringpayments autopayenrollments",
        # keys of bundle.toml
        "control_totals": "totals controls",
        "documents": "document bills pdfs files",
        "columns": "headings column fields",
        "values": "value codes",
        "due_date": "due dueon duedate",
        "start": "from begin starts startdate startson",
        "end": "to until ends enddate endson",
        "cycle": "route book billingcycle",
        "timezone": "zone tz",
        "amount_due": "amount total amountdue",
        "separator": "divider",
        "region": "area box",
        "written_at": "written writtenon createdat",
        "encoding": "charset codepage",
    }.items()
}

# Words that say nothing more of one name, though they may mean much beside another.
_SPARE: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "maximum": "autopay auto draw debit pmt payment pay withdrawal upper dollar monthly "
        "allowed per",
        "email": "contact primary billing list electronic home work main",
        "phone": "contact primary home work main day daytime evening",
        "equal_pay_amount": "monthly plan",
        "portal_user": "portal web",
        "reference": "payment",
        "usage": "total metered",
        "meter": "serial",
        "deposit_held": "security held balance on hand",
        "district": "service name",
        "days": "in period billed",
        "previous_read": "meter",
        "current_read": "meter",
        "cosigner_id": "property",
    }.items()
}
_OF_FILES = frozenset(("list", "export", "file", "extract"))
_SAME_WORD = {
    **dict.fromkeys(("prev", "prior", "last", "begin", "beginning", "start"), "previous"),
    **dict.fromkeys(("curr", "cur", "present", "this", "end", "ending"), "current"),
    "reading": "read",
}


SHORT = 2  # letters: what is left of a name must say something


def plain(name: str) -> str:
    """Return a name's letters and digits alone, letters' case ignored."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


def nearest(written: str, ours: Iterable[str]) -> str | None:
    """
    Return the one of our names that a written one nearly is, if it is nearly any.

    Nearly is: in other letters or with other marks between them, in the plural, a synonym, with a
    word more that says nothing ("phone number"), or one or two letters off. Names of up to four
    letters must agree but for the plural: "rate" is no "date".
    """
    names = list(ours)
    for is_near in (_is_same, _is_synonym, _has_fillers, _means, _is_misspelled):
        found = [name for name in names if is_near(written, name)]
        if found:
            return min(found, key=lambda name: distance(plain(written), plain(name)))
    return None


def suggest(written: str, ours: Collection[str]) -> str:
    """Return "; did you mean …?" where a written name is nearly one of ours, else nothing."""
    near = nearest(written, ours)
    return f'; did you mean "{near}"?' if near else ""


def distance(one: str, other: str) -> int:
    """Count the letters that are put in, left out, changed or swapped with their neighbor."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        before, last, row = row, before, [place]
        for column, known in enumerate(other, start=1):
            costs = [before[column] + 1, row[-1] + 1, before[column - 1] + (letter != known)]
            is_swapped = place > 1 and column > 1 and one[place - 2] == known
            if is_swapped and letter == other[column - 2]:
                costs.append(last[column - 2] + 1)
            row.append(min(costs))
    return row[-1]


def _is_same(written: str, name: str) -> bool:
    return bool(_numbers(plain(written)) & _numbers(plain(name)))


def _numbers(word: str) -> set[str]:
    """Return a word with and without the endings of the plural."""
    singular = word[:-3] + "y" if word.endswith("ies") else word
    return {word, singular, word.removesuffix("s"), word.removesuffix("es")} - {""}


def _is_synonym(written: str, name: str) -> bool:
    words = SYNONYMS.get(name, frozenset())
    return any(_numbers(plain(written)) & _numbers(word) for word in words)


def _has_fillers(written: str, name: str) -> bool:
    words, own = _words(written), _words(name)
    return bool(own) and own < words and words - own <= _FILLERS


def _means(written: str, name: str) -> bool:
    """Tell whether a name, or a word for it, is left where what says nothing is left out."""
    spare = _FILLERS - {"flag"} | _SPARE.get(name, frozenset()) | _OF_FILES
    words = [word for word in _in_order(written) if word not in spare and not word.isdigit()]
    own = _in_order(name)
    if not words:
        return False
    said = "".join(words)
    known = SYNONYMS.get(name, frozenset()) | {"".join(own)}
    if len(said) > SHORT and any(_numbers(said) & _numbers(word) for word in known):
        return True
    return len(own) > 1 and {_same(word) for word in words} == {_same(word) for word in own}


def _same(word: str) -> str:
    return _SAME_WORD.get(word, word)


def _in_order(name: str) -> list[str]:
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[\W_]+", parts.casefold()) if word]


def _words(name: str) -> set[str]:
    return {word.removesuffix("s") for word in _in_order(name)}


def _is_misspelled(written: str, name: str) -> bool:
    ours, theirs = plain(name), plain(written)
    if len(ours) <= 4 or not theirs:
        return False
    return distance(theirs, ours) <= (1 if len(ours) == 5 else 2)
