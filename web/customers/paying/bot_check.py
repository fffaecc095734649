"""What a guest's browser is asked before the pages on which guests pay (rule 190)."""

from __future__ import annotations

from functools import partial

from web.customers import persons, persons_by_mail

ASKING = persons.Asking(
    check="/guest/check",
    first="/guest",
    title="Before you pay",
    why="Who pays without signing in shows first that a person sits there. Your browser does it by "
    "itself.",
    without="This check needs JavaScript, and your browser does not run it. You can pay without "
    "it: by a link that we mail to you, or sign in.",
    mail="/guest/check/mail",
    not_now="The service that tells people from programs does not answer now. Nothing was taken. "
    "Please try again in some minutes, or sign in and pay there.",
)
CHECK, MAIL = ASKING.check, ASKING.mail
for_persons = partial(persons.guard, asking=ASKING)
show_check = partial(persons.show_check, asking=ASKING)
show_mailing = partial(persons_by_mail.show_mailing, asking=ASKING)
take_mailing = partial(persons_by_mail.take_mailing, asking=ASKING)
take_check = partial(persons.take_check, asking=ASKING)
