"""The sign-in link, for whoever asked for one. The link is made when the letter is sent."""

from __future__ import annotations

from integrations.mail import addresses
from integrations.mail.letters.desk import About, Desk, Letter
from integrations.mail.written import Aside, Button, Text, Written
from partner_cx.network.sign_in_links import make_link
from partner_cx.settings import Settings
from partner_cx.words import Words


def written(address: str) -> Written:
    """address: the link itself."""
    return Written(
        subject=Words("Your sign-in link", "Votre lien de connexion"),
        first=Words(
            "It works once, for half an hour.", "Il sert une fois, pendant une demi-heure."
        ),
        title=Words("Sign in to Partner CX", "Se connecter à Partner CX"),
        blocks=(
            Text(
                Words(
                    "Here is the link you asked for. It works once, for half an hour from when "
                    "this letter was sent.",
                    "Voici le lien que vous avez demandé. Il sert une fois, pendant une "
                    "demi-heure à partir de l’envoi de ce courriel.",
                )
            ),
            Button(Words("Sign in", "Se connecter"), address),
            Aside(
                Words(
                    "You didn't ask for it? Then leave it: nothing happens as long as nobody "
                    "opens the link. Don't pass it on: whoever opens it is signed in as you.",
                    "Vous ne l’avez pas demandé\u202f? Laissez-le\u202f: rien ne se passe tant que "
                    "personne n’ouvre le lien. Ne le transmettez pas\u202f: qui l’ouvre est "
                    "connecté à votre place.",
                )
            ),
        ),
    )


def _write(desk: Desk, about: About) -> Written:
    """about: `to`, the page that the reader asked for, if it was one."""
    token = make_link(desk.session, desk.reader.email, now=desk.now)
    return written(addresses.sign_in(desk.settings, token, str(about.get("to", "/"))))


def _preview(settings: Settings) -> Written:
    return written(addresses.sign_in(settings, "an-example-that-opens-nothing"))


SIGN_IN_LINK = Letter(
    name="sign_in_link",
    topic=None,
    what=Words("a link that signs its reader in", "un lien qui connecte son lecteur"),
    because=Words(
        "You get this letter because somebody asked for a sign-in link for your address.",
        "Vous recevez ce courriel car un lien de connexion a été demandé pour votre adresse.",
    ),
    write=_write,
    preview=_preview,
    lasts_hours=2,
    puts_down=True,
)
