"""What a mail says in Spanish beside its templates: reasons, remedies, ways of paying."""

from __future__ import annotations

from domain.languages import ENGLISH

_SPANISH = {
    "The PDF opens with a password: ": "El PDF se abre con una contraseña: ",
    "the first five digits of the ZIP code that the bill is addressed to.": "los primeros cinco "
    "dígitos del código postal (ZIP) al que va dirigida la factura.",
    "the postal code that the bill is addressed to, with capital letters and without blanks or"
    " dashes.": "el código postal al que va dirigida la factura, con mayúsculas y sin espacios ni"
    " guiones.",
    "the last seven digits of the phone number that you gave us for this account.": "los últimos "
    "siete dígitos del número de teléfono que nos dio para esta cuenta.",
    "There was not enough money in the account.": "No había suficiente dinero en la cuenta.",
    "Please make sure of it before the next payment, or choose another way to pay.": "Asegúrese "
    "de que lo haya antes del próximo pago, o elija otra forma de pagar.",
    "The card has expired.": "La tarjeta venció.",
    "Please end autopay and enroll again with a card that is valid.": "Cancele el pago automático "
    "y configúrelo de nuevo con una tarjeta vigente.",
    "The bank account is closed or could not be found.": "La cuenta bancaria está cerrada o no se "
    "encontró.",
    "Please end autopay and enroll again with another bank account.": "Cancele el pago automático "
    "y configúrelo de nuevo con otra cuenta bancaria.",
    "The bank says that this payment was not authorized.": "El banco dice que este pago no fue "
    "autorizado.",
    "Please call us before anything is drawn again.": "Llámenos antes de que se vuelva a cobrar "
    "algo.",
    "The payment was refused.": "El pago fue rechazado.",
    "Please ask your bank or card company why, or choose another way to pay.": "Pregunte el motivo "
    "a su banco o a la empresa de su tarjeta, o elija otra forma de pagar.",
    "This card or bank account cannot be used.": "Esta tarjeta o cuenta bancaria no se puede usar.",
    "Please end autopay and enroll again with another one.": "Cancele el pago automático y "
    "configúrelo de nuevo con otro método de pago.",
    "Your bank wants you to confirm the payment, or to lift a limit.": "Su banco quiere que "
    "confirme el pago o que aumente un límite.",
    "Your bank wanted you to confirm this payment, and that did not happen.": "Su banco quería "
    "que confirmara este pago, y eso no ocurrió.",
    "Please pay by hand: your bank then asks you on a page of its own.": "Pague usted mismo en el "
    "portal: su banco le preguntará entonces en una página propia.",
    "Please ask your bank or card company.": "Consulte a su banco o a la empresa de su tarjeta.",
    "The amount is above the maximum that was set for autopay.": "El importe supera el máximo que "
    "se fijó para el pago automático.",
    "To let autopay pay such amounts, end it and enroll again with a higher maximum.": "Para que "
    "el pago automático pague esos importes, cancélelo y configúrelo de nuevo con un máximo mayor.",
    "This card or bank account cannot be used for the account.": "Esta tarjeta o cuenta bancaria "
    "no se puede usar para la cuenta.",
    "Please call us, or end autopay and enroll again with another one.": "Llámenos, o cancele el "
    "pago automático y configúrelo de nuevo con otro método de pago.",
    "What is open is no longer the amount that came back, so that it is not drawn again.": "Lo "
    "pendiente ya no es el importe que fue devuelto, por eso no se cobra de nuevo.",
    "Your payment of {amount} will be drawn on {day} from your {method}.": "Su pago de {amount} se "
    "cobrará el {day} de su {method}.",
    "The autopay payment of {amount} will be drawn on {day}.": "El pago automático de {amount} se "
    "cobrará el {day}.",
    "Your bill shows {amount}.": "Su factura indica {amount}.",
    "We received {amount} on {day}, after it was made": "Recibimos {amount} el {day}, después de "
    "hacerla",
    "We received {amount} until {day}, after it was made": "Recibimos {amount} hasta el {day}, "
    "después de hacerla",
    "We received {amount} after it was made": "Recibimos {amount} después de hacerla",
    "{amount} that was paid before went back": "{amount} que se había pagado fue devuelto",
    "{amount} was added since": "desde entonces se agregaron {amount}",
    "{amount} was taken off": "se descontaron {amount}",
    "{amount} is left.": "quedan {amount}.",
    "{amount} is owed now.": "ahora se deben {amount}.",
    "nothing is left to pay.": "no queda nada por pagar.",
    "you have a credit of {amount}.": "tiene un saldo a favor de {amount}.",
    "The payment did not reach your bank or card company, and so long after its day we do not "
    "draw it any more.": "El pago no llegó a su banco o a la empresa de su tarjeta, y tanto tiempo "
    "después de su fecha ya no se cobra.",
    "Your bank returned %(amount)s on %(day)s: nothing of that was paid, and it is owed "
    "again.": "Su banco devolvió %(amount)s el %(day)s: nada de eso quedó pagado y se debe "
    "de nuevo.",
    "Your card's bank took %(amount)s back on %(day)s because the payment was disputed. It is owed "
    "again, unless the bank decides otherwise.": "El banco de su tarjeta retiró %(amount)s el "
    "%(day)s porque se disputó el pago. Se debe de nuevo, salvo que el banco decida otra cosa.",
    "We gave %(amount)s back to you on %(day)s, the way you paid it. It may take some days to "
    "arrive, and no longer counts as paid.": "Le devolvimos %(amount)s el %(day)s, por el mismo "
    "medio con que pagó. Puede tardar unos días en llegar y ya no cuenta como pagado.",
    "The bank gave us %(amount)s back on %(day)s: it counts as paid again.": "El banco nos "
    "devolvió %(amount)s el %(day)s: cuenta otra vez como pagado.",
    "Your bank did not take %(amount)s that we gave back to you on %(day)s. It counts as paid "
    "again; please call us.": "Su banco no aceptó %(amount)s que le devolvimos el %(day)s. Cuenta "
    "otra vez como pagado; llámenos, por favor.",
    "Account %(account)s: %(amount)s": "Cuenta %(account)s: %(amount)s",
    "utility bill": "factura de servicios",
    "final bill": "factura final",
    "delinquent notice": "aviso de mora",
    "invoice": "factura",
    "day": "día",
    "days": "días",
    "usage record": "registro de consumo",
    "usage records": "registros de consumo",
    "The amount is as before: {now}.": "El importe es el mismo de antes: {now}.",
    "The amount is now {now}; it was {before}.": "El importe es ahora {now}; antes era {before}.",
    "The due date is as before: {now}.": "La fecha de vencimiento es la misma de antes: {now}.",
    "The due date is now {now}; it was {before}.": "La fecha de vencimiento es ahora el {now}; "
    "antes era el {before}.",
    "We have received {amount} since the bill was made.": "Desde que se hizo la factura hemos "
    "recibido {amount}.",
    "Your account has a credit of {amount}. Nothing needs to be paid.": "Su cuenta tiene un saldo "
    "a favor de {amount}. No tiene que pagar nada.",
    "Nothing is left to be paid.": "No queda nada por pagar.",
    "There is nothing else you need to do.": "No tiene que hacer nada más.",
    "Please pay the remaining {amount} by {day}.": "Pague los {amount} restantes a más tardar el "
    "{day}.",
    "{amount} is left, which autopay does not draw: please pay it by {day}.": "Quedan {amount}, "
    "que el pago automático no cobra: páguelos a más tardar el {day}.",
    "Please pay {amount} by {day}.": "Pague {amount} a más tardar el {day}.",
    "a credit of {amount}": "un saldo a favor de {amount}",
    "": "",
}


def in_language(text: str, language: str) -> str:
    """Return one of our own texts in a language; a text of the office's stays as it is."""
    return text if language == ENGLISH else _SPANISH.get(text, text)
