"""Going through a page by the Tab key alone: what a mouse can use, and what the keys reach."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Page

# A date is a field of three, with a button beside: Tab stops at each part of it.
PARTS_MAX = 5


@dataclass
class Walk:
    """What stands on a page to be reached, in its order, and where Tab led, stop by stop."""

    page: Page
    wanted: list[str]
    unreachable: list[str]
    menu: int | None
    stops: list[dict[str, object]] = field(default_factory=list)

    def faults(self) -> list[str]:
        """What keeps somebody with a keyboard out of the page; best nothing at all."""
        numbers = _without_repeats(each["number"] for each in self.stops)
        missed = [
            f"not reached: {html}" for at, html in enumerate(self.wanted) if at not in numbers
        ]
        if not missed and numbers[: len(self.wanted)] != list(range(len(self.wanted))):
            missed = [f"out of order: {numbers}"]
        if self.stops[-1]["number"] == len(self.wanted) - 1:
            missed.append("never left again")
        return (
            [f"cannot be scrolled: {each}" for each in self.unreachable] + missed + self._unseen()
        )

    def _unseen(self) -> list[str]:
        return [
            f"{each['fault']}: {each['html']}"
            for each in self.stops
            if each["number"] is not None and each["fault"]
        ]


def tab_through(page: Page, *, scripts: bool = True) -> list[str]:
    """Press Tab from the top of a page to its end, with all there is to open opened; the faults.

    On the way the menu is opened by its button, where it has one. Without scripts the page can't
    note by itself where the focus is, and is asked at each stop.
    """
    walk = Walk(page, **page.evaluate(_PREPARED))
    asks_itself = scripts and not page.locator("iframe").count()
    if asks_itself:
        page.evaluate("noteStops()")
    _press(walk, asks_itself=asks_itself)
    if asks_itself:
        walk.stops = page.evaluate("stops")
    return walk.faults()


def _press(walk: Walk, *, asks_itself: bool) -> None:
    page = walk.page
    most = 1 + len(walk.wanted) + PARTS_MAX * page.locator("input[type=date], iframe").count()
    for pressed in range(most):
        page.keyboard.press("Tab")
        if not asks_itself:
            walk.stops.append(page.evaluate("stop()"))
        if pressed == walk.menu:
            page.keyboard.press("Enter")  # opens it


def _without_repeats(numbers: object) -> list[int]:
    """The stops by number, each once where it was several in a row; those at nothing left out."""
    once: list[int] = []
    for number in numbers:  # type: ignore[attr-defined]
        if number is not None and once[-1:] != [number]:
            once.append(number)
    return once


# Numbers all that can be used, with everything opened that opens, and puts the menu back. Of a
# group of radio buttons the keys stop at one, and the arrows lead to the others.
_PREPARED = r"""() => {
  const USED = `a[href], button, input:not([type=hidden]), select, textarea, summary, iframe,
    [tabindex], [contenteditable]`;
  const told = each => each.outerHTML.slice(0, 120);
  const all = selector => [...document.querySelectorAll(selector)];
  for (const each of all("details")) each.open = true;
  const button = all("button[popovertarget]").find(each => each.checkVisibility());
  const menu = button && document.getElementById(button.getAttribute("popovertarget"));
  menu?.showPopover();

  const groups = new Set();
  const isFirst = each => {
    const group = all("input[type=radio]").filter(other => other.name === each.name);
    return each === (group.find(other => other.checked) ?? group[0]);
  };
  const wanted = all(USED)
    .filter(each => each.checkVisibility({visibilityProperty: true}))
    .filter(each => each.tabIndex >= 0 && !each.disabled)
    .filter(each => each.type !== "radio" || isFirst(each));
  const numbers = new Map(wanted.map((each, number) => [each, number]));
  const overflows = each => {
    const {overflowX, overflowY} = getComputedStyle(each);
    const moves = /auto|scroll/;
    return moves.test(overflowX) && each.scrollWidth > each.clientWidth
      || moves.test(overflowY) && each.scrollHeight > each.clientHeight;
  };
  const unreachable = all("body, body *")
    .filter(each => each.checkVisibility() && overflows(each))
    .filter(each => !numbers.has(each) && each.id !== "menu");
  const at = wanted.indexOf(button);
  menu?.hidePopover();

  const inSight = each => [...each.getClientRects()].some(box => {
    const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
    const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
    if (right - left < 1 || bottom - top < 1) return false;
    const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return (each.closest("label") ?? each).contains(there);
  });
  const isMarked = each => {
    const {outlineStyle, outlineWidth} = getComputedStyle(each);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  };
  window.stop = () => {
    const here = document.activeElement;
    // Within a frame the focus is marked by the page that is shown there.
    const fault = here.localName === "iframe" ? ""
      : !inSight(here) ? "hidden" : !isMarked(here) ? "not marked" : "";
    return {number: numbers.get(here) ?? null, fault, html: told(here)};
  };
  document.body.tabIndex = -1;  // from the top, wherever the focus was
  document.body.focus();
  document.body.removeAttribute("tabindex");
  window.stops = [];
  window.noteStops = () =>
    document.addEventListener("keyup", ({key}) => key === "Tab" && stops.push(stop()));
  return {
    wanted: wanted.map(told), unreachable: unreachable.map(told), menu: at < 0 ? null : at
  };
}"""
