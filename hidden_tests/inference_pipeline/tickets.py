"""Made-up support tickets of an online shop, with labels: what the model was trained on.

The judge draws held-out tickets here, ``exercises/inference_pipeline/make_model.py`` its training
set, from other seeds. It is kept with the hidden tests because the phrases are the answer key.

Some tickets speak of two matters, some are too short to tell, and some were labelled wrongly, so
that even a perfect reader would not agree with every label. Names are of nobody: addresses end in
``example.com`` or ``example.org``, telephone numbers are 555 ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

__all__ = ["CHANNELS", "LABELS", "LANGUAGES", "Ticket", "draw_tickets"]

LABELS = (
    "account", "billing", "bug", "cancellation", "delivery", "feature", "returns", "sales",
)  # fmt: skip
LANGUAGES = ("en", "de")
CHANNELS = ("email", "chat", "form")

_GERMAN = 0.3
_SECOND_MATTER = 0.22  # a sentence of a related matter as well
_VAGUE = 0.04  # nothing but filler
_MISLABELLED = 0.03

_RELATED = {
    "account": "bug", "billing": "cancellation", "bug": "feature", "cancellation": "billing",
    "delivery": "returns", "feature": "sales", "returns": "billing", "sales": "delivery",
}  # fmt: skip

# Sentences by language and label. Braces are slots, see _SLOTS.
_MATTERS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "account": (
            "I cannot sign in to my account since {when}",
            "The password reset e-mail never reaches {mail}",
            "My profile is locked after {n} wrong passwords",
            "Please change the address of my login to {mail}",
            "The two-factor code {num} is refused every time",
            "Someone else seems to have access to my account",
            "How do I merge two accounts under one user name?",
            "I lost the phone with my authenticator, please unlock my login",
            "My user name is taken although it was always mine",
            "I would like to delete my profile and all personal data",
            "The sign-in page says that my session has expired",
        ),
        "billing": (
            "I was charged twice for order {num}",
            "The invoice of {when} shows {amount} instead of {amount}",
            "Please send me a corrected invoice with our VAT number",
            "My credit card was debited although I paid by transfer",
            "Why is there a fee of {amount} on my statement?",
            "The discount code was not taken off the total amount",
            "Please update the card that my subscription is paid with",
            "I got a payment reminder for invoice {num}, which is settled",
            "The direct debit of {amount} failed and I see no reason",
            "Our accounting needs a receipt for the payment of {when}",
            "The currency on my bill is wrong",
        ),
        "bug": (
            "The app crashes when I open the basket",
            "Error {num} appears as soon as I press save",
            "The page {url} stays white in my browser",
            "Search results do not load since the last update",
            "The button does nothing on my tablet",
            "Uploading a photo ends with a time-out",
            "The app shows the wrong time zone after the update",
            "Filters are ignored and the list freezes",
            "Your site is so slow that the checkout breaks",
            "The barcode scanner of the app reports an exception",
            "Push messages arrive {n} times since version {n}",
        ),
        "cancellation": (
            "Please cancel my subscription at the end of the month",
            "I want to end my contract {num} as soon as possible",
            "How can I cancel the trial before it is renewed?",
            "Cancel order {num}, I do not need it any more",
            "I revoke my membership with immediate effect",
            "The notice period on your page differs from my contract",
            "Please confirm that my plan has been terminated",
            "I cancelled {when} and the renewal still went through",
            "Stop the automatic renewal of my plan",
            "We close our team and no longer need the licences",
        ),
        "delivery": (
            "My parcel {num} has not arrived yet",
            "Tracking at {url} shows no movement since {when}",
            "The courier left the package with a neighbour I do not know",
            "When will the {product} be shipped?",
            "The delivery window was missed again",
            "The parcel was sent to my old address",
            "Half of order {num} is missing from the box",
            "The driver could not find our entrance",
            "Can you hold the shipment until {when}?",
            "Customs has stopped my parcel and asks for papers",
            "The express delivery took {n} days",
        ),
        "feature": (
            "It would be great if the app had a dark mode",
            "Please add an export of my orders as a spreadsheet",
            "I suggest a wish list that can be shared",
            "Could you support passkeys in a future version?",
            "A filter for vegan products would help me",
            "Please let us sort the list by rating",
            "I miss a calendar view of all deliveries",
            "Is an interface for our stock system on your roadmap?",
            "My idea: remind me when the {product} is cheaper",
            "It should be possible to save several baskets",
        ),
        "returns": (
            "I want to send back the {product} from order {num}",
            "The {product} arrived broken and I ask for a refund",
            "Where is my refund of {amount}? You got the goods {when}",
            "Please send me a return label for the {product}",
            "The {product} is the wrong size, can I exchange it?",
            "The colour differs from the picture, I would like to return it",
            "The return portal refuses my order {num}",
            "The seal was open and a part of the {product} is damaged",
            "Warranty claim: the {product} stopped working after {n} weeks",
            "How long may I keep the {product} before I return it?",
        ),
        "sales": (
            "Do you offer a volume discount for {n} pieces of the {product}?",
            "We would like a quote for {n} licences",
            "Is the {product} still in stock in your shop?",
            "Which plan suits a team of {n} people?",
            "Can a sales person call me at {phone}?",
            "Do you ship the {product} to Switzerland and at what price?",
            "Please send your price list for resellers to {mail}",
            "Is there a cheaper offer for schools?",
            "What is the difference between the basic and the premium plan?",
            "We are interested in a demo for our buyers",
        ),
    },
    "de": {
        "account": (
            "Ich kann mich seit {when} nicht mehr anmelden",
            "Die E-Mail zum Zurücksetzen des Passworts kommt nicht an {mail}",
            "Mein Konto ist nach {n} falschen Passwörtern gesperrt",
            "Bitte ändern Sie die Adresse meines Zugangs auf {mail}",
            "Der Bestätigungscode {num} wird immer abgelehnt",
            "Jemand anderes hat offenbar Zugriff auf mein Benutzerkonto",
            "Bitte löschen Sie mein Profil und alle persönlichen Daten",
        ),
        "billing": (
            "Mir wurde die Bestellung {num} doppelt berechnet",
            "Auf der Rechnung stehen {amount} statt {amount}",
            "Bitte schicken Sie eine berichtigte Rechnung mit unserer Umsatzsteuernummer",
            "Meine Kreditkarte wurde belastet, obwohl ich überwiesen habe",
            "Warum steht eine Gebühr von {amount} auf meiner Abrechnung?",
            "Die Mahnung zur Rechnung {num} ist falsch, sie ist bezahlt",
            "Die Lastschrift über {amount} ist gescheitert",
        ),
        "bug": (
            "Die App stürzt ab, wenn ich den Warenkorb öffne",
            "Beim Speichern erscheint die Fehlermeldung {num}",
            "Die Seite {url} bleibt in meinem Browser weiß",
            "Seit dem letzten Update lädt die Suche nicht mehr",
            "Der Knopf reagiert auf meinem Tablet nicht",
            "Das Hochladen eines Fotos bricht ab",
            "Die Filter werden ignoriert und die Liste hängt",
        ),
        "cancellation": (
            "Hiermit kündige ich mein Abonnement zum Monatsende",
            "Ich möchte den Vertrag {num} so schnell wie möglich beenden",
            "Bitte stornieren Sie die Bestellung {num}",
            "Wie kündige ich den Probezeitraum, bevor er sich verlängert?",
            "Bitte bestätigen Sie die Kündigung meiner Mitgliedschaft",
            "Ich habe {when} gekündigt und es wurde trotzdem verlängert",
        ),
        "delivery": (
            "Mein Paket {num} ist noch nicht angekommen",
            "Die Sendungsverfolgung {url} zeigt seit {when} nichts Neues",
            "Der Bote hat das Päckchen bei einem fremden Nachbarn abgegeben",
            "Wann wird der Artikel {product} verschickt?",
            "Das Paket ging an meine alte Straße",
            "Die Hälfte der Bestellung {num} fehlt im Karton",
            "Der Zoll hält die Sendung fest",
        ),
        "feature": (
            "Es wäre schön, wenn die App einen dunklen Modus hätte",
            "Bitte ergänzen Sie einen Export meiner Bestellungen als Tabelle",
            "Ich schlage einen Wunschzettel vor, den man teilen kann",
            "Könnten Sie künftig Passkeys unterstützen?",
            "Ein Filter für vegane Produkte würde mir helfen",
            "Mir fehlt eine Kalenderansicht aller Lieferungen",
        ),
        "returns": (
            "Ich möchte den Artikel {product} aus Bestellung {num} zurückschicken",
            "Der Artikel {product} kam beschädigt an, ich bitte um Erstattung",
            "Wo bleibt meine Erstattung von {amount}?",
            "Bitte senden Sie mir ein Rücksendeetikett",
            "Die Größe passt nicht, kann ich umtauschen?",
            "Die Farbe weicht vom Bild ab, ich gebe den Artikel zurück",
            "Garantiefall: {product} ist nach {n} Wochen defekt",
        ),
        "sales": (
            "Gibt es einen Mengenrabatt für {n} Stück {product}?",
            "Wir hätten gern ein Angebot über {n} Lizenzen",
            "Ist der Artikel {product} noch vorrätig?",
            "Welcher Tarif passt zu einem Team von {n} Personen?",
            "Kann mich ein Verkäufer unter {phone} anrufen?",
            "Liefern Sie auch nach Österreich und zu welchem Preis?",
        ),
    },
}

# What people write around the matter, whatever it is.
_FILLER: dict[str, tuple[str, ...]] = {
    "en": (
        "I have been a customer for {n} years",
        "This is the {n}th time that I write to you",
        "Please answer soon",
        "Thank you for your help",
        "I already tried to call {phone} and nobody picked up",
        "You can reach me at {mail} or {phone}",
        "My reference is {num}",
        "I bought the {product} {when}",
        "I hope you can sort this out",
        "Your shop is usually fine",
        "My colleague had the same matter",
        "Is there anything that I can do myself?",
    ),
    "de": (
        "Ich bin seit {n} Jahren Kunde",
        "Ich schreibe Ihnen bereits zum {n}. Mal",
        "Bitte antworten Sie bald",
        "Vielen Dank für Ihre Mühe",
        "Unter {phone} hebt niemand ab",
        "Sie erreichen mich unter {mail}",
        "Meine Kundennummer lautet {num}",
        "Ich habe den Artikel {product} {when} gekauft",
        "Ich hoffe, Sie können das klären",
    ),
}
_GREETING = {
    "en": ("Dear support team,", "Hello,", "Good morning,", "Hi there,"),
    "de": ("Sehr geehrte Damen und Herren,", "Guten Tag,", "Hallo,", "Liebes Team,"),
}
_CLOSING = {
    "en": ("Kind regards", "Best wishes", "Many thanks", "Yours faithfully"),
    "de": ("Mit freundlichen Grüßen", "Viele Grüße", "Danke im Voraus"),
}
_PRODUCTS = {
    "en": (
        "kettle", "desk lamp", "rain jacket", "headphones", "bicycle pump", "bookshelf", "toaster",
        "running shoes", "garden hose", "coffee grinder", "backpack", "keyboard", "pillow", "tent",
        "blender", "winter coat", "monitor stand", "frying pan", "yoga mat", "wall clock",
    ),
    "de": (
        "Wasserkocher", "Schreibtischlampe", "Regenjacke", "Kopfhörer", "Luftpumpe", "Bücherregal",
        "Laufschuhe", "Gartenschlauch", "Kaffeemühle", "Rucksack", "Tastatur", "Kissen", "Zelt",
        "Mixer", "Wintermantel", "Bratpfanne",
    ),
}  # fmt: skip
_WHEN = {
    "en": (
        "yesterday",
        "last week",
        "Monday",
        "the update",
        "3 May",
        "two weeks ago",
        "2024-11-02",
    ),
    "de": ("gestern", "letzter Woche", "Montag", "dem Update", "dem 3. Mai", "zwei Wochen"),
}
_USERS = ("kim", "alex", "robin", "sam.t", "jo_1", "office", "team+shop")
_EMOJI = ("🙂", "😡", "👍🏽", "🙏", "👩‍💻", "📦")


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket.

    Attributes:
        text: as it came in.
        label: what a person sorted it under, sometimes wrongly.
        language: ``en`` or ``de``.
        channel: ``email``, ``chat`` or ``form``.
    """

    text: str
    label: str
    language: str
    channel: str


def draw_tickets(
    rng: np.random.Generator, count: int, *, labels: Sequence[str] = LABELS
) -> list[Ticket]:
    """Draw `count` tickets; the categories of `labels` are equally likely."""
    return [_ticket(rng, _pick(rng, labels)) for _ in range(count)]


def _pick(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _ticket(rng: np.random.Generator, label: str) -> Ticket:
    language = "de" if rng.random() < _GERMAN else "en"
    channel = _pick(rng, CHANNELS)
    sentences = _sentences(rng, label, language, channel)
    write = {"email": _as_email, "chat": _as_chat, "form": _as_form}[channel]
    text = write(rng, [_filled(rng, sentence, language) for sentence in sentences], language)
    if rng.random() < _MISLABELLED:
        label = _pick(rng, LABELS)
    return Ticket(text, label, language, channel)


def _sentences(rng: np.random.Generator, label: str, language: str, channel: str) -> list[str]:
    matters, filler = _MATTERS[language], _FILLER[language]
    if rng.random() < _VAGUE:
        return [_pick(rng, filler), _pick(rng, filler)]
    chosen = [_pick(rng, matters[label])]
    if channel != "chat" and rng.random() < 0.5:
        chosen.append(_pick(rng, matters[label]))
    if rng.random() < _SECOND_MATTER:
        chosen.append(_pick(rng, matters[_RELATED[label]]))
    chosen += [_pick(rng, filler) for _ in range(int(rng.integers(0, 3)))]
    order = [int(place) for place in rng.permutation(len(chosen))]
    return [chosen[place] for place in order]


def _filled(rng: np.random.Generator, sentence: str, language: str) -> str:
    def slot(name: str) -> str:
        if name == "product":
            return _pick(rng, _PRODUCTS[language])
        if name == "when":
            return _pick(rng, _WHEN[language])
        if name == "num":
            return f"{_pick(rng, ('', 'A-', '#'))}{int(rng.integers(10_000, 999_999))}"
        if name == "n":
            return str(int(rng.integers(2, 60)))
        if name == "amount":
            return f"{rng.uniform(3, 400):.2f} {_pick(rng, ('EUR', '€', 'CHF'))}"
        if name == "phone":
            return f"555-01{int(rng.integers(100)):02d}"
        if name == "mail":
            return f"{_pick(rng, _USERS)}@{_pick(rng, ('example.com', 'example.org'))}"
        return f"https://shop.example.com/{_pick(rng, ('cart', 'track', 'p'))}/{rng.integers(999)}"

    parts = sentence.split("{")
    return parts[0] + "".join(
        slot(name) + rest for name, _, rest in (part.partition("}") for part in parts[1:])
    )


def _as_email(rng: np.random.Generator, sentences: list[str], language: str) -> str:
    closing = f"{_pick(rng, _CLOSING[language])}\n{_pick(rng, _USERS)}@example.com"
    lines = [_pick(rng, _GREETING[language]), *(f"{_ended(text)}" for text in sentences), closing]
    if rng.random() < 0.5:
        body = "".join(f"<p>{line.replace('&', '&amp;')}</p>" for line in lines)
        return f'<div class="mail">{body.replace("ü", "&uuml;")}<br/></div>'
    return "\r\n".join(lines)


def _as_chat(rng: np.random.Generator, sentences: list[str], language: str) -> str:
    del language
    text = " ".join(sentences)
    mood = rng.random()
    text = text.upper() if mood < 0.12 else text.lower() if mood < 0.6 else text
    return f"{text} {_pick(rng, _EMOJI)}" if rng.random() < 0.4 else text


def _as_form(rng: np.random.Generator, sentences: list[str], language: str) -> str:
    del rng, language
    return " ".join(_ended(sentence) for sentence in sentences)


def _ended(sentence: str) -> str:
    return sentence if sentence[-1] in "?!." else f"{sentence}."
