"""The invented people, firms and streets of the demo city."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from random import Random
from typing import Final

CITY: Final = "Alder Falls"
STATE: Final = "CO"


def _listed(words: str) -> list[str]:
    return [word.strip() for word in words.split(",")]


_FIRST = _listed(
    "Abena, Anaïs, Beatriz, Bram, Calla, Cormac, Dagny, Delphine, Eamon, Élodie, Fennel, Fergus, "
    "Gwendolyn, Håkon, Imogen, Isandro, Jorunn, José, Kestrel, Leocadia, Linnea, Maëlle, Malachi, "
    "Marisol, Nadir, Noémi, Odalys, Orrin, Paloma, Quillan, Renée, Rosalind, Saoirse, Sören, "
    "Tamsin, Thaddeus, Ulla, Valentín, Wren, Xiomara, Yusuf, Zoë"
)
_LAST = _listed(
    "Abernethy, Achterberg, Bärwald, Beltrán, Brightwater, Çelik, D'Amaro, De-la-Fuente, Dunmore, "
    "Echevarría, Eriksen-Lund, Fairweather, Fløysvik, Galbraith, Grünwald, Hathersage, Ibáñez, "
    "Jørstad, Kettleburn, Kowalewska, Langstrøm, L'Estrange, Marchetti, Mbeki-Rowe, McAllaster, "
    "Núñez, O'Brannagh, O'Dellan, Okonjo, Pemberley, Quintanar, Rasmussen-Vale, Rösler, "
    "Saltonbury, Thistlewood, Ueno-Hart, Vandermolen, Villaseñor, Whitlocke, Yarborough, "
    "Zielinska"
)
_TRADES = _listed(
    "Bakery LLC, Bike Works, Car Wash LLC, Coffee Roasters, Dental PLLC, Feed & Seed, Garden "
    "Center, Hardware Co., Laundry LLC, Lodge Inc., Machine Shop, Orchards LLC, Property Holdings "
    "LLC, Townhomes HOA, Veterinary Clinic, Taproom (Downtown) LLC"
)
_PLACES = _listed(
    "Alder, Basalt, Cascade, Granite, Heron, Juniper, Mill, Osprey, Sagebrush, Summit"
)
_STREETS = _listed(
    "Alder St, Canyon Rd, Cottonwood Ln, Depot St, Heron Way, Juniper Ct, Main St, Mill Race Way, "
    "Quarry Rd, Ridgeline Dr, River St, Sawmill Ave, Spillway Dr, St. Brendan's Pl, Willow Bend"
)
_AWAY = (
    ("Copper Bend", "UT", "84999"),
    ("Fort Marlow", "NM", "88599"),
    ("Pinecrest Junction", "WY", "82999"),
)


@dataclass(frozen=True, slots=True)
class Resident:
    """Who lives or works at an address, and where the mail for it goes."""

    name: str
    last_name: str
    mailbox: str  # what stands before the @ of an e-mail address
    service_address: str
    mailing_address: str
    city: str
    state: str
    zip: str
    phone: str
    is_business: bool

    @property
    def addressee(self) -> str:
        """Return the name as it stands on an envelope: first name first."""
        return " ".join(reversed(self.name.split(", ")))


def draw_resident(name: Random, address: Random, number: int) -> Resident:
    """Invent the account holder with this running number; every draw comes from the two given."""
    is_business = name.random() < 0.08
    full, last = _business(name) if is_business else _person(name)
    service = f"{address.randrange(100, 2400)} {address.choice(_STREETS)}"
    mailing, place = service, (CITY, STATE, f"8179{address.randrange(6)}")
    if address.random() < 0.12:
        mailing, place = _elsewhere(address, place)
    return Resident(
        name=full,
        last_name=last,
        mailbox=f"{_ascii(last)}.{number}",
        service_address=service,
        mailing_address=mailing,
        city=place[0],
        state=place[1],
        zip=place[2],
        phone=f"(970) 555-{address.randrange(100, 200):04d}",
        is_business=is_business,
    )


def _person(name: Random) -> tuple[str, str]:
    first, last = name.choice(_FIRST), name.choice(_LAST)
    if name.random() < 0.15:
        partner = name.choice(_FIRST)
        first = first if partner == first else f"{first} & {partner}"
    return f"{last}, {first}", last


def _business(name: Random) -> tuple[str, str]:
    firm = f"{name.choice(_PLACES)} {name.choice(_TRADES)}"
    return firm, firm


def _elsewhere(address: Random, home: tuple[str, str, str]) -> tuple[str, tuple[str, str, str]]:
    """Return a post office box in the city, or the address of an owner who lives out of state."""
    if address.random() < 0.6:
        return f"PO Box {address.randrange(10, 990)}", home
    return f"{address.randrange(10, 990)} {address.choice(_STREETS)}", address.choice(_AWAY)


def _ascii(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words.casefold().replace("ø", "o"))
    return "".join(char for char in plain if char.isascii() and char.isalnum())
