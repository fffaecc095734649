"""A process that sends the texts that are due until it is done or killed."""

from __future__ import annotations

from multiprocessing.process import BaseProcess

from database.books import Database
from database.owners import this_process
from domain.deliveries import MessageKind
from mail.texts.sending import send_due_texts
from mail.texts.twilio import TwilioAccount, TwilioSender
from tests.builders import NOW
from tests.forked import forks, load_before_forks

load_before_forks(__name__)


def start_text_sender(url: str, account: TwilioAccount) -> BaseProcess:
    process = forks().Process(target=send, args=(url, account))
    process.start()
    return process


def send(url: str, account: TwilioAccount) -> None:
    send_due_texts(
        Database(url),
        TwilioSender(account),
        lambda _row: "Due soon.",
        clock=lambda: NOW,
        owner=this_process(),
        kinds=(MessageKind.PAYMENT_DUE,),
    )
