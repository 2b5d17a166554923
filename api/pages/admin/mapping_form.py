"""The form in which columns are pointed at: what it shows, and what was said in it."""

from __future__ import annotations

import re
from collections.abc import Mapping as Mappable
from typing import Any

from api.catalogues import Translator, text
from integrations.files.mapping import Constant, Origin, Template, Theirs
from integrations.files.pointing import Looked, Pointed, words_to_translate
from partner_cx.operations.fields import Field
from partner_cx.operations.intake import Kind

ENCODINGS = (("", "UTF-8"), ("cp1252", "Windows (cp1252)"), ("latin-1", "Latin-1"))
DELIMITERS = (
    ("", text("found by itself")),
    (",", text("comma")),
    (";", text("semicolon")),
    ("\t", text("tab")),
    ("|", text("bar")),
)
DECIMALS = ((".", text("point: 1250.50")), (",", text("comma: 1250,50")))
THOUSANDS = (
    ("", text("nothing: 1250")),
    (" ", text("space: 1 250")),
    (",", text("comma: 1,250")),
    (".", text("point: 1.250")),
    ("'", text("apostrophe: 1'250")),
)
CONSTANT = "constant"
UNPOINTED = text("Point at the column of the file, or write what stands in every row.")
NO_CONSTANT = text("Write what stands in every row.")
NO_LINE = text("Write the number of a line, from 1 to 1,000.")
WORDS_WRONG = text("Write one word of the file a line, then =, then one of: {words}.")
WORD_LONGEST = 2_000


def shown(
    kind: Kind | None,
    looked: Looked | None,
    pointed: Pointed,
    wrong: Mappable[str, str],
    say: Translator,
) -> dict[str, Any]:
    """What the form holds, finished."""
    columns = []
    if kind is not None and looked is not None:
        foreign = words_to_translate(kind, looked, pointed)
        columns = [_column(each, looked, pointed, foreign, wrong, say) for each in kind.fields]
        columns.sort(key=lambda column: not column["required"])
    return {
        "columns": columns,
        "needed": sum(column["required"] for column in columns),
        "notes": looked.notes if looked else (),
        "dates": "; ".join(pointed.dates.get("", ())),
        "decimal": pointed.decimal,
        "thousands": pointed.thousands,
        "encoding": _known_encoding(pointed.encoding),
        "delimiter": pointed.delimiter,
        "sheet": pointed.sheet,
        "header_row": pointed.header_row or "",
        "encodings": [*ENCODINGS, *_other(pointed.encoding)],
        "delimiters": [(sign, say(name)) for sign, name in DELIMITERS],
        "decimals": [(sign, say(name)) for sign, name in DECIMALS],
        "thousand_signs": [(sign, say(name)) for sign, name in THOUSANDS],
    }


def _known_encoding(encoding: str) -> str:
    return {"iso8859-1": "latin-1", "utf-8": ""}.get(encoding, encoding)


def _other(encoding: str) -> list[tuple[str, str]]:
    known = _known_encoding(encoding)
    return [] if known in [code for code, _ in ENCODINGS] else [(known, known)]


def _column(
    spec: Field,
    looked: Looked,
    pointed: Pointed,
    foreign: Mappable[str, tuple[str, ...]],
    wrong: Mappable[str, str],
    say: Translator,
) -> dict[str, Any]:
    origin = pointed.origins.get(spec.name)
    if origin is None and spec.name in looked.columns:
        origin = Theirs(spec.name)  # read under its own name, whatever a mapping leaves out
    words = pointed.values.get(spec.name, {})
    left = [word for word in foreign.get(spec.name, ()) if word not in words]
    return {
        "name": spec.name,
        "expected": spec.expected.in_(say.language),
        "required": spec.required,
        "chosen": _code(origin),
        "options": _options(spec, looked, origin, say),
        "constant": origin.text if isinstance(origin, Constant) else "",
        "allowed": ", ".join(spec.allowed),
        "words": "\n".join([*(f"{a} = {b}" for a, b in words.items()), *(f"{w} = " for w in left)]),
        "has_words": bool(spec.allowed) and (bool(words) or bool(left)),
        "error": wrong[f"from-{spec.name}"],
        "words_error": wrong[f"words-{spec.name}"],
    }


def _options(
    spec: Field, looked: Looked, origin: Origin | None, say: Translator
) -> list[tuple[str, str]]:
    own = spec.name in looked.columns
    first = [] if own else [("", say("– not in the file –"))]
    made = [(_code(origin), origin.text)] if isinstance(origin, Template) else []
    return [
        *first,
        *((f"column:{name}", _with_samples(name, looked)) for name in looked.columns),
        *made,
        (CONSTANT, say("the same in every row:")),
    ]


def _with_samples(name: str, looked: Looked) -> str:
    samples = ", ".join(_short(each) for each in looked.samples[name])
    return f"{name} ({samples})" if samples else name


def _short(value: str) -> str:
    return value if len(value) <= 24 else f"{value[:23]}…"


def _code(origin: Origin | None) -> str:
    match origin:
        case Theirs(name):
            return f"column:{name}"
        case Constant():
            return CONSTANT
        case Template(made):
            return f"template:{made}"
    return ""


# --- What was entered -----------------------------------------------------------------------------


def read(
    kind: Kind, entered: Mappable[str, str], say: Translator
) -> tuple[Pointed, list[tuple[str, str]]]:
    """What was said in the form, and what is wrong with it beside which field."""
    errors: list[tuple[str, str]] = []
    origins: dict[str, Origin] = {}
    values: dict[str, dict[str, str]] = {}
    for spec in kind.fields:
        origin = _origin(spec, entered)
        if origin == Constant(""):
            errors.append((f"from-{spec.name}", say(NO_CONSTANT)))
        elif origin is not None:
            origins[spec.name] = origin
        elif spec.required and not entered.get("again"):
            errors.append((f"from-{spec.name}", say(UNPOINTED)))
        words, sound = _words(spec, entered.get(f"words-{spec.name}", ""))
        if not sound:
            told = say(WORDS_WRONG).format(words=", ".join(spec.allowed))
            errors.append((f"words-{spec.name}", told))
        elif words:
            values[spec.name] = words
    line = entered.get("header_row", "").strip()
    if line and not re.fullmatch(r"[1-9]\d{0,2}|1000", line, re.ASCII):
        errors.append(("header_row", say(NO_LINE)))
        line = ""
    formats = tuple(each.strip() for each in entered.get("dates", "").split(";") if each.strip())
    pointed = Pointed(
        origins=origins,
        dates={"": formats} if formats else {},
        values=values,
        delimiter=entered.get("delimiter", ""),
        encoding=entered.get("encoding", ""),
        sheet=entered.get("sheet", "").strip(),
        decimal=entered.get("decimal", "."),
        thousands=entered.get("thousands", ""),
        header_row=int(line) if line else None,
    )
    return pointed, errors


def _origin(spec: Field, entered: Mappable[str, str]) -> Origin | None:
    way, _, named = entered.get(f"from-{spec.name}", "").partition(":")
    if way == CONSTANT:
        return Constant(entered.get(f"constant-{spec.name}", "").strip())
    if way == "column" and named:
        return Theirs(named)
    return Template(named) if way == "template" and named else None


def _words(spec: Field, said: str) -> tuple[dict[str, str], bool]:
    """Their words and ours, a pair a line; a line without ours is passed over."""
    words: dict[str, str] = {}
    for line in said[: 50 * WORD_LONGEST].splitlines():
        theirs, sign, ours = line.rpartition("=")
        if not line.strip() or (sign and not ours.strip()):
            continue
        if not sign or ours.strip() not in spec.allowed:
            return {}, False
        words[theirs.strip()] = ours.strip()
    return words, True
