"""Who plays in the demo: the partners of Aubrelle, a maker of heat pumps, and their people.

Companies, names and addresses are invented; e-mails end in `.example`, a domain nobody can own.
`story` says what becomes of them, quarter after quarter.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np

BRAND_DOMAIN = "aubrelle.example"

BAD_CARRIER_REGION = "Auvergne-Rhône-Alpes"
DECLINING = "CLIMAT-LOIRE"
SHINING = "ATELIER-KERBRAT"
CORRECTED = "THERMO-LILLE"

# Order lines a partner of that size sends in an average quarter.
SIZES = {"XL": 205, "L": 101, "M": 51, "S": 22, "XS": 7, "-": 0}

_PARTNERS = """
SANITHERMIE|Sanithermie Distribution|distributor||gold|Île-de-France|FR|fr|XL
BENEWARM|BeneWarm Distributie|distributor||gold|Antwerpen|BE|en|XL
ALPINA|Alpina Haustechnik|distributor||silver|Zürich|CH|en|XL
CHAUFFAGE-PARIS|Chauffage de Paris|reseller|SANITHERMIE|gold|Île-de-France|FR|fr|L
VERSAILLES-ENERGIE|Versailles Énergie|installer|SANITHERMIE|silver|Île-de-France|FR|fr|M
MARNE-CLIM|Marne Clim|installer|SANITHERMIE|silver|Île-de-France|FR|fr|M
SEINE-PAC|Seine Pompes à chaleur|installer|SANITHERMIE|bronze|Île-de-France|FR|fr|S
OISE-CONFORT|Oise Confort|installer|SANITHERMIE|bronze|Hauts-de-France|FR|fr|S
THERMO-LILLE|Thermo Lille|reseller|SANITHERMIE|gold|Hauts-de-France|FR|fr|L
ARTOIS-CHALEUR|Artois Chaleur|installer|SANITHERMIE|silver|Hauts-de-France|FR|fr|M
FLANDRE-PAC|Flandre PAC|installer|SANITHERMIE|bronze|Hauts-de-France|FR|fr|XS
RHIN-ENERGIE|Rhin Énergie|reseller|SANITHERMIE|silver|Grand Est|FR|fr|L
VOSGES-CHAUFFAGE|Vosges Chauffage|installer|SANITHERMIE|silver|Grand Est|FR|fr|M
REIMS-CONFORT|Reims Confort|installer|SANITHERMIE|bronze|Grand Est|FR|fr|S
LYON-THERMIQUE|Lyon Thermique|reseller|SANITHERMIE|gold|Auvergne-Rhône-Alpes|FR|fr|L
CHALEUR-ALPES|Chaleur des Alpes|installer|SANITHERMIE|silver|Auvergne-Rhône-Alpes|FR|fr|M
SAVOIE-PAC|Savoie PAC|installer|SANITHERMIE|silver|Auvergne-Rhône-Alpes|FR|fr|M
VOLCAN-ENERGIE|Volcan Énergie|installer|SANITHERMIE|silver|Auvergne-Rhône-Alpes|FR|fr|M
DROME-CLIMAT|Drôme Climat|installer|SANITHERMIE|bronze|Auvergne-Rhône-Alpes|FR|fr|S
FOREZ-CHAUFFAGE|Forez Chauffage|installer|SANITHERMIE|bronze|Auvergne-Rhône-Alpes|FR|fr|S
MARSEILLE-CLIM|Marseille Clim|reseller||silver|Provence-Alpes-Côte d'Azur|FR|fr|L
AZUR-CONFORT|Azur Confort|installer||silver|Provence-Alpes-Côte d'Azur|FR|fr|M
DURANCE-ENERGIE|Durance Énergie|installer||bronze|Provence-Alpes-Côte d'Azur|FR|fr|S
TOULOUSE-PAC|Toulouse Pompes à chaleur|reseller||gold|Occitanie|FR|fr|L
GARONNE-THERMIE|Garonne Thermie|installer||silver|Occitanie|FR|fr|M
CEVENNES-CHALEUR|Cévennes Chaleur|installer||bronze|Occitanie|FR|fr|XS
BORDEAUX-CONFORT|Bordeaux Confort|reseller||silver|Nouvelle-Aquitaine|FR|fr|M
LANDES-ENERGIE|Landes Énergie|installer||bronze|Nouvelle-Aquitaine|FR|fr|S
LIMOUSIN-PAC|Limousin PAC|installer||bronze|Nouvelle-Aquitaine|FR|fr|XS
ATELIER-KERBRAT|Atelier Kerbrat|installer||bronze|Bretagne|FR|fr|S
RENNES-THERMIQUE|Rennes Thermique|reseller||silver|Bretagne|FR|fr|M
ARMOR-CLIMAT|Armor Climat|installer||bronze|Bretagne|FR|fr|S
CLIMAT-LOIRE|Climat Service Loire|reseller||gold|Pays de la Loire|FR|fr|L
VENDEE-CHAUFFAGE|Vendée Chauffage|installer||silver|Pays de la Loire|FR|fr|M
CAEN-CONFORT|Caen Confort|installer||silver|Normandie|FR|fr|M
COTENTIN-PAC|Cotentin PAC|installer||bronze|Normandie|FR|fr|S
PIXEL-CHALEUR|Pixel & Chaleur|agency||bronze|Île-de-France|FR|fr|-
AGENCE-BOREAL|Agence Boréal|agency||bronze|Bretagne|FR|fr|-
WARMTE-GENT|Warmte Gent|reseller|BENEWARM|gold|Oost-Vlaanderen|BE|en|L
ANTWERP-COMFORT|Antwerp Comfort|installer|BENEWARM|silver|Antwerpen|BE|en|M
BRUXELLES-THERMIE|Bruxelles Thermie|reseller|BENEWARM|silver|Bruxelles|BE|fr|M
LIEGE-ENERGIE|Liège Énergie|installer|BENEWARM|silver|Wallonie|BE|fr|M
NAMUR-CHAUFFAGE|Namur Chauffage|installer|BENEWARM|bronze|Wallonie|BE|fr|S
ARDENNES-PAC|Ardennes PAC|installer|BENEWARM|bronze|Wallonie|BE|fr|XS
LUX-CONFORT|Lux Confort|reseller|BENEWARM|silver|Luxembourg|LU|fr|M
MOSELLE-CLIMA|Moselle Clima|installer|BENEWARM|bronze|Luxembourg|LU|fr|S
STUDIO-MEUSE|Studio Meuse|agency|BENEWARM|bronze|Wallonie|BE|fr|-
LEMAN-ENERGIE|Léman Énergie|reseller|ALPINA|silver|Vaud|CH|fr|M
GENEVE-THERMIQUE|Genève Thermique|installer|ALPINA|silver|Genève|CH|fr|M
JURA-CHALEUR|Jura Chaleur|installer|ALPINA|bronze|Jura|CH|fr|S
ZURI-WAERME|Züri Wärme|reseller|ALPINA|gold|Zürich|CH|en|L
BERNER-KLIMA|Berner Klima|installer|ALPINA|bronze|Bern|CH|en|S
FREIBURG-WAERME|Freiburg Wärme|reseller|ALPINA|silver|Baden-Württemberg|DE|en|M
SCHWABEN-KLIMA|Schwaben Klima|installer|ALPINA|silver|Baden-Württemberg|DE|en|M
KOELN-HEIZUNG|Köln Heizung|reseller||silver|Nordrhein-Westfalen|DE|en|L
RUHR-ENERGIE|Ruhr Energie|installer||bronze|Nordrhein-Westfalen|DE|en|S
MUENCHEN-KOMFORT|München Komfort|installer|ALPINA|silver|Bayern|DE|en|M
CLIMA-BARCELONA|Clima Barcelona|reseller||silver|Catalunya|ES|en|M
GIRONA-CONFORT|Girona Confort|installer||bronze|Catalunya|ES|en|S
MADRID-TERMICA|Madrid Térmica|installer||bronze|Madrid|ES|en|S
TORINO-CALORE|Torino Calore|reseller||silver|Piemonte|IT|en|M
MILANO-CLIMA|Milano Clima|installer||silver|Lombardia|IT|en|M
COMO-ENERGIA|Como Energia|installer||bronze|Lombardia|IT|en|XS
"""

# Who came during the eight quarters, and who went, by the quarter (0 the first) it happened in.
_JOINED = {"SEINE-PAC": 1, "GIRONA-CONFORT": 2, "MOSELLE-CLIMA": 3, "MUENCHEN-KOMFORT": 4}
_JOINED |= {"COTENTIN-PAC": 5, "RUHR-ENERGIE": 6, "COMO-ENERGIA": 7}
_LEFT = {"DURANCE-ENERGIE": 4, "BERNER-KLIMA": 5, "FOREZ-CHAUFFAGE": 7}


@dataclass(frozen=True)
class Member:
    """A partner of the demo, with the size it plays at."""

    code: str
    name: str
    kind: str
    parent_code: str
    tier: str
    region: str
    country: str
    language: str
    size: str
    joined_quarter: int | None
    left_quarter: int | None

    @property
    def domain(self) -> str:
        """The partner's own e-mail domain."""
        return f"{self.code.lower()}.example"


def _member(line: str) -> Member:
    code, name, kind, parent, tier, region, country, language, size = line.split("|")
    return Member(
        code=code,
        name=name,
        kind=kind,
        parent_code=parent,
        tier=tier,
        region=region,
        country=country,
        language=language,
        size=size,
        joined_quarter=_JOINED.get(code),
        left_quarter=_LEFT.get(code),
    )


MEMBERS: tuple[Member, ...] = tuple(_member(line) for line in _PARTNERS.strip().splitlines())

# Groups a channel manager made by hand, to compare what tier, region and country don't tell.
GROUPS = {
    "pilot-portal": "Pilot of the new portal",
    "club-chaleur": "Club Chaleur",
    "mountain": "Mountain installers",
}
GROUP_MEMBERS = {
    "pilot-portal": """
        CHAUFFAGE-PARIS THERMO-LILLE ATELIER-KERBRAT WARMTE-GENT ZURI-WAERME TOULOUSE-PAC
        LEMAN-ENERGIE KOELN-HEIZUNG""",
    "club-chaleur": """
        ATELIER-KERBRAT VENDEE-CHAUFFAGE ARTOIS-CHALEUR LIEGE-ENERGIE GENEVE-THERMIQUE
        CAEN-CONFORT CHALEUR-ALPES CLIMAT-LOIRE""",
    "mountain": """
        SAVOIE-PAC CHALEUR-ALPES VOSGES-CHAUFFAGE JURA-CHALEUR BERNER-KLIMA TORINO-CALORE
        COMO-ENERGIA""",
}

HEADQUARTERS = (
    ("claire.besson", "Claire Besson", "manager", "fr"),
    ("tom.hendricks", "Tom Hendricks", "manager", "en"),
    ("sarah.mercier", "Sarah Mercier", "admin", "fr"),
    ("julien.faure", "Julien Faure", "rep", "fr"),
    ("nadia.belkacem", "Nadia Belkacem", "rep", "fr"),
    ("pieter.claes", "Pieter Claes", "rep", "en"),
    ("lena.vogt", "Lena Vogt", "rep", "en"),
    ("marco.bellini", "Marco Bellini", "rep", "en"),
)

# The countries that each rep drives through; in France, Nadia has the South and the West.
_DRIVES = {
    "julien.faure": "FR",
    "pieter.claes": "BE LU",
    "lena.vogt": "DE CH",
    "marco.bellini": "ES IT",
}
_SOUTH_AND_WEST = (
    *("Auvergne-Rhône-Alpes", "Provence-Alpes-Côte d'Azur", "Occitanie", "Nouvelle-Aquitaine"),
    *("Bretagne", "Pays de la Loire"),
)


def rep_of(member: Member) -> str:
    """The login of the rep who visits a partner."""
    if member.region in _SOUTH_AND_WEST:
        return "nadia.belkacem"
    return next(rep for rep, countries in _DRIVES.items() if member.country in countries.split())


_GIVEN = {
    "FR": "Camille Lucas Manon Hugo Léa Thomas Chloé Antoine Sophie Karim Élodie Mathieu",
    "BE": "Lotte Jonas Noor Wout Amélie Benoît Charlotte Dries Emma Gilles Hanne Louis",
    "LU": "Anne Marc Tessy Luc Martine Claude Joëlle Yves Sandra Gilles Carole Paul",
    "CH": "Lara Noah Mia Luca Céline Fabien Nina Reto Aline Urs Delphine Beat",
    "DE": "Anna Felix Lea Jonas Katrin Stefan Julia Markus Sabine Tobias Nele Jan",
    "ES": "Marta Jordi Laura Pau Elena Sergi Carla Iván Núria Pablo Lucía Marc",
    "IT": "Giulia Marco Sara Luca Elisa Davide Chiara Paolo Anna Matteo Silvia Andrea",
}
_FAMILY = {
    "FR": "Moreau Lefèvre Garnier Roux Blanchard Perrin Chevalier Robin Masson Le Goff Diallo",
    "BE": "Peeters Janssens Dubois Wouters Lambert Claes Dupont Goossens Maes Lejeune Jacobs",
    "LU": "Weber Schmit Muller Hoffmann Thill Kieffer Faber Reuter Wagner Klein Schroeder",
    "CH": "Favre Meier Rochat Keller Monnier Frei Bovet Zimmermann Jaquet Brunner Huber",
    "DE": "Becker Krüger Schäfer Vogel Hartmann Lange Brandt Seidel Kuhn Böhm Winter",
    "ES": "Serra Ferrer Romero Vidal Ortega Puig Navarro Molina Soler Castro Ramos",
    "IT": "Ferraro Conti Galli Moretti Rinaldi Costa Greco Fontana Villa Marchetti Sala",
}
_CONTACTS = {"XL": 6, "L": 4, "M": 3, "S": 2, "XS": 1, "-": 1}


@dataclass(frozen=True)
class Contact:
    """Somebody at a partner who signs in to the portal, learns and answers."""

    email: str
    name: str
    role: str
    partner_code: str
    language: str


def contacts(rng: np.random.Generator) -> list[Contact]:
    """The partners' people. In large partners the last one is a rep of their own."""
    people = []
    for member in MEMBERS:
        count = _CONTACTS[member.size]
        names = _names(member.country, count, rng)
        for place, name in enumerate(names):
            role = "rep" if count >= 4 and place == count - 1 else "partner"
            email = f"{_plain(name)}@{member.domain}"
            people.append(Contact(email, name, role, member.code, member.language))
    return people


def _names(country: str, count: int, rng: np.random.Generator) -> list[str]:
    given = rng.choice(_GIVEN[country].split(), size=count, replace=False)
    family = rng.choice(_FAMILY[country].replace("Le Goff", "Le_Goff").split(), size=count)
    return [f"{first} {last.replace('_', ' ')}" for first, last in zip(given, family, strict=True)]


def _plain(name: str) -> str:
    """A name as an e-mail writes it: no accents, dots for spaces."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return letters.lower().replace(" ", ".")
