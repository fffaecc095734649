"""What each variable of a template means; docs/templates.md is written from it."""

from __future__ import annotations

COMMON = {
    "utility": "the utility's name",
    "period": "the billing period",
    "account_number": "the account's number",
    "customer_name": "a person's `O'Neil, Ann` is turned round",
    "service_address": "may be empty",
    "LatestCommunicationLink": "of the latest communication that is live; may be empty",
}
BILL = {
    "form_title": "what people call the form",
    "amount_due": "never with a minus: of a credit, say that it is one",
    "remaining_due": "what an autopay draw leaves to be paid",
    "due_date": "the day by which it is to be paid",
    "autopay_line": "names the method to its owner alone; empty without a draw",
    "password_hint": "how the PDF is opened; empty where `ebill.password` is not set",
    "bill_link": "where a bill too large for a mail is to be read; empty where it is attached",
    "is_payment_due": "true where something is owed",
    "is_credit": "true where the account is in credit",
    "is_paid_by_autopay": "true where the draw pays all of it",
}
NOTICE = {
    "open_balance": "what is owed now",
    "due_date": BILL["due_date"],
    "amount_due": "what the bill says",
    "remaining_due": BILL["remaining_due"],
    "autopay_line": BILL["autopay_line"],
    "days_overdue": "since the due date",
    "payment_amount": "of the payment; empty where there is none",
    "payment_date": "the day it was drawn, or will be; empty where there is none",
    "payment_method": "empty for whoever is not its owner",
    "retry_date": "the day it is drawn once more; empty where it is not",
    "failure_reason": "in a customer's words; empty for whoever is not the method's owner",
    "what_to_do": "a sentence or two",
    "confirmation": "the payment's number at the gateway",
    "receipt_number": "cash receipting's; empty until it is posted",
    "expires": "the day, and of a link the time; empty where it is not known",
    "title": "what it is about",
    "paragraphs": "a list of texts: `{% for paragraph in paragraphs %}`",
    "link": "a web address; may be empty",
    "unsubscribe_link": "the web address that stops communications; empty where none is set up",
    "records": "how many there are",
    "findings": "a list of sentences: `{% for finding in findings %}`",
    "is_payment_due": BILL["is_payment_due"],
    "is_paid_by_autopay": BILL["is_paid_by_autopay"],
}
