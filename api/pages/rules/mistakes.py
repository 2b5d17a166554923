"""What can't be read of a rule, said in the reader's language.

The strict reader says it in English, as the command line prints it. Here each of its sentences is
found again by its shape, and what it quotes is put into the same sentence in French; a test holds
this list against everything that the reader can say.
"""

from __future__ import annotations

import re
from functools import cache

from api.catalogues import text
from api.render import translator
from rewards.reading import Misread

SAYINGS = (
    text("there is nothing in it."),
    text("Fill it in."),
    text("“{name}” is empty."),
    text("Give it a value."),
    text("Give it a value, or take the line out."),
    text("“{name}” isn't a field here."),
    text("the field “{name}” is missing."),
    text("Add a line “{name}: …”."),
    text("Add a line “period: …”: month, quarter or year."),
    text("expected the fields {known}, found {shown}."),
    text("Write one field per line, as in “name: value”."),
    text("expected exactly one of {known}, found {count}."),
    text("Begin each with a dash of its own, as in “- kpi_is_green: otif”."),
    text("Write “points: 500”, or describe one scale."),
    text("expected a list, found {shown}."),
    text("Begin each item with a dash on its own line, or write [first, second]."),
    text("the list is empty."),
    text("Put something in it, or leave it out."),
    text("expected a text, found {shown}."),
    text("Put it in quotes: {quoted}."),
    text("the text is empty."),
    text("Write a few words."),
    text("the text has {count} characters."),
    text("Keep it under {most}."),
    text("the text holds an invisible control character."),
    text("Take it out."),
    text("the text has several lines."),
    text("Write one line."),
    text("{shown} isn't a code."),
    text("Use letters without accents, digits, and - _ . : between them."),
    text("{shown} isn't a group."),
    text("Write kind:reseller, tier:gold, region:Bretagne, country:FR or group:pilot."),
    text("“{about}” begins no group."),
    text("there is no KPI “{code}”."),
    text("{shown} isn't a whole number."),
    text("Write digits only, without quotes, decimals or spaces: 500."),
    text("{value} is out of bounds."),
    text("Choose from {lowest} to {highest}."),
    text("Choose from {known}."),
    text("{shown} is neither true nor false."),
    text("Write true or false."),
    text("{shown} isn't a day."),
    text("Write 2026-04-01."),
    text("{shown} isn't a choice here."),
    text("Did you mean “{near}”?"),
    text("larger than {size} kB."),
    text("A rule fits on a page: check that this is the right file."),
    text("it holds a character that doesn't belong in a text."),
    text("Save the file as UTF-8 text."),
    text("nothing in it."),
    text("Start from a rule in templates/rules."),
    text("anchors and aliases (& and *) aren't allowed."),
    text("Write the value out again; put a text that begins with & or * in quotes."),
    text("tags (!) aren't allowed."),
    text("Take the tag out; put a text that begins with ! in quotes."),
    text("a second document begins."),
    text("One rule per file."),
    text("nested more than {most} deep."),
    text("Write it more plainly."),
    text("a field's name must be a word."),
    text("Name the field."),
    text("“{name}” is given twice, first at {place}."),
    text("Keep one of them."),
    text("a tab."),
    text("Indent with spaces."),
    text("this isn't YAML ({problem})."),
    text("Check the colons, the indentation and the quotes around this place."),
    text("{shown} is below zero."),
    text("Say how much better it must be; whether better is more or less is the KPI's."),
    text("{shown} isn't a threshold."),
    text("Write 95 %."),
    text("Write a number such as 45 or 2.5."),
    text("{shown} doesn't say whether it is in percent."),
    text("Write {written} %."),
    text("{shown}: this KPI isn't a share."),
    text("Take the percent sign away."),
    text("{shown} lies outside 0 to 100 %."),
    text("{count} are too many."),
    text("Keep to {most}."),
    text("{kpi} has no interval, so it would always stay unknown."),
    text("Take “bound” out, or ask for a larger sample with n_min."),
    text("the limit limits nothing."),
    text("Add “points: 2000” or “times: 4” to it."),
    text("the rule ends on {ends}, before it starts on {starts}."),
    text("Name a later day."),
    text("a close knows partners and no persons."),
    text("Take “to” out, or let the rule be decided on an event."),
    text("the field “conditions” is missing."),
    text("Say what a period must come to, as in “- kpi_is_green: otif”."),
    text("“{name}” asks about an event, and a close is none."),
    text("Take it out, or let the rule be decided on an event."),
    text("an event is a partner's own, and so are the figures it is decided by."),
    text("Take “measured_on” out, or let the rule be decided on a close."),
    text("events are paid one by one as they come, so there is nobody to share with."),
    text("Take “when_short” out: an award that the budget can't pay whole is refused."),
    text("{shown} is neither a day nor a period."),
    text("Write 2026-04-01, or 2026Q2."),
    text("{shown} is no unit."),
    text("Write how much earns the points: 1 %."),
    text("{count} steps are too many."),
    text("lower is better for {kpi}, so nothing is earned above a threshold."),
    text("higher is better for {kpi}, so nothing is earned below a threshold."),
    text("Write “{right}” in place of “{wrong}”."),
    text("this step is no harder to reach than the one before it."),
    text("Begin with the easiest: lower is better for {kpi}."),
    text("Begin with the easiest: higher is better for {kpi}."),
    text("this step is harder to reach than the one before it and isn't worth more."),
    text("Give it more than {points} points, or leave it out."),
    text("this code names a page here."),
    text("Choose another."),
    text("the code names the rule, and stays “{code}”."),
    text("Write it again, or begin a new rule."),
    text("there is a rule “{code}” already."),
    text("Choose another code, or change that rule."),
)
# What a message quotes where the value is no text.
QUOTED = (text("nothing"), text("a list"), text("a set of fields"))


def told(misread: Misread, language: str) -> str:
    """What is wrong and what to do, without the place."""
    sentences = (said(misread.reason, language), said(misread.remedy, language))
    return " ".join(f"{each[0].upper()}{each[1:]}" for each in sentences if each)


def where(misread: Misread, language: str) -> str:
    """`line 4, column 9` of a text; empty for a field."""
    line = re.search(r"line ([0-9]+), column ([0-9]+)$", misread.place)
    if line is None:
        return ""
    say = translator(language)
    return say("line {line}, column {column}").format(line=line[1], column=line[2])


def said(sentence: str, language: str) -> str:
    """One of the reader's sentences in a language; as it is, where nobody knows its shape."""
    say = translator(language)
    for saying, shape in _shapes():
        if found := shape.fullmatch(sentence):
            quoted = {
                name: say(value) if value in QUOTED else value
                for name, value in found.groupdict().items()
            }
            return say(saying).format(**quoted)
    return sentence


@cache
def _shapes() -> list[tuple[str, re.Pattern[str]]]:
    return [(saying, re.compile(_shape(saying), re.DOTALL)) for saying in SAYINGS]


def _shape(saying: str) -> str:
    """`“{name}” is empty.` as a pattern that finds the name."""
    return re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.*)", re.escape(saying))
