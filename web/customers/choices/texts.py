"""How a customer is told of due dates and autopay: by e-mail, or by text message (rule 103)."""

from __future__ import annotations

from starlette.responses import Response

from domain.phones import ending, say_phone, to_phone
from office.equipment.texts import are_texts_offered
from office.procedures.texting.choosing import (
    NoCode,
    begin_proof,
    choose_mails,
    end_proof,
    how_told,
    phone_in_proof,
)
from web.layout import missing, newest_utility_name, show
from web.visits import Visit, redirect

CONSENT = (
    "I agree to get text messages from %(utility)s at this number about my bills, payments and "
    "autopay, and news of my service, some of them sent automatically. How many there are depends "
    "on my bills. Message and data rates may apply. I can end them at any time by answering STOP, "
    "or on this page."
)
PHONE = "Enter the phone number with its area code, ten digits."
AGREE = "Tick the box to agree. Without it we send no text messages."
REFUSALS = {
    NoCode.STOPPED: "That phone has answered STOP, so we send it nothing. Send START from it to "
    "the number that our texts came from, then try again.",
    NoCode.TOO_OFTEN: "Too many codes were sent. Please try again in 24 hours.",
}
WRONG_CODE = (
    "That is not the code of our text, or it is over. Look at the newest text; after five wrong "
    "codes ask for another one."
)
DONE = {
    "texts": "From now on you are told by text message. Bills themselves come as you have chosen.",
    "mails": "From now on you are told by e-mail. No more texts are sent to you.",
}


def show_texts(visit: Visit, status: int = 200, **values: object) -> Response:
    if not are_texts_offered(visit.office):
        return missing(visit)
    phone, given, has_stopped = how_told(visit.office, visit.user.number)
    return show(
        visit,
        "texts.html",
        status,
        phone=say_phone(phone),
        given=visit.form.get("phone", say_phone(to_phone(given))),
        has_stopped=has_stopped,
        consent=_consent(visit),
        done=DONE.get(visit.request.query_params.get("done", ""), ""),
        **values,
    )


def take_phone_for_texts(visit: Visit) -> Response:
    """Send a code to the phone; nothing is chosen before it has come back."""
    if not are_texts_offered(visit.office):
        return missing(visit)
    phone, problems = to_phone(visit.text("phone")), dict[str, str]()
    if not phone:
        problems["phone"] = visit.say(PHONE)
    if visit.form.get("agree") != "yes":
        problems["agree"] = visit.say(AGREE)
    if problems:
        return show_texts(visit, 422, problems=problems)
    user, network = visit.user.number, visit.network
    refused = begin_proof(visit.office, user, phone, visit.language, network)
    if refused is not None:
        status = 429 if refused is NoCode.TOO_OFTEN else 422
        return show_texts(visit, status, problems={"phone": visit.say(REFUSALS[refused])})
    visit.wake_mail()
    return redirect("/account/texts/code")


def show_code(visit: Visit, status: int = 200, **values: object) -> Response:
    phone = phone_in_proof(visit.office, visit.user.number)
    if not phone:
        return redirect("/account/texts")
    return show(
        visit, "texts-code.html", status, ending=ending(phone), consent=_consent(visit), **values
    )


def take_code(visit: Visit) -> Response:
    """Keep the consent, with the sentence that stood above the button."""
    if end_proof(visit.office, visit.user.number, visit.text("code"), _consent(visit)):
        return redirect("/account/texts?done=texts")
    if not phone_in_proof(visit.office, visit.user.number):
        return show_texts(visit, 422, problems={"": visit.say(WRONG_CODE)})
    return show_code(visit, 422, problems={"code": visit.say(WRONG_CODE)})


def take_mails(visit: Visit) -> Response:
    """Go back to e-mail; it holds at once."""
    choose_mails(visit.office, visit.user.number)
    return redirect("/account/texts?done=mails")


def _consent(visit: Visit) -> str:
    return visit.say(CONSENT, utility=newest_utility_name(visit))
