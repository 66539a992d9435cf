"""Whether a page is larger than its window, and what makes it so; and what is cut off at its sides."""

from __future__ import annotations

from playwright.sync_api import Page

_BEYOND = """() => {
  const all = document.documentElement;
  if (all.scrollHeight > innerHeight) return [`the document is ${all.scrollHeight} high`];
  const said = (one) => `${one.tagName}.${one.className}: ${one.textContent.slice(0, 40)}`;
  const right = (one) => one.getBoundingClientRect().right > innerWidth + 1;
  const left = (one) => one.getBoundingClientRect().left < -1;
  const cut = [...document.querySelectorAll(".panel, [role=dialog]")].filter((one) => left(one) || right(one));
  if (all.scrollWidth <= innerWidth) return cut.map(said);
  return [...document.querySelectorAll("body *")].filter(right).slice(0, 12).map(said);
}"""


def beyond(page: Page) -> list[str]:
    """Elements past the right edge, when the page can be scrolled sideways; tables may scroll within themselves. Panels
    and dialogs past either edge. The document itself never scrolls, only what is below the bar at the top."""
    found: list[str] = page.evaluate(_BEYOND)
    return found
