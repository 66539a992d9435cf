"""Whether a page is larger than its window, and what makes it so."""

from __future__ import annotations

from playwright.sync_api import Page

_BEYOND = """() => {
  const all = document.documentElement;
  if (all.scrollHeight > innerHeight) return [`the document is ${all.scrollHeight} high`];
  if (all.scrollWidth <= innerWidth) return [];
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 12)
    .map((one) => `${one.tagName}.${one.className}: ${one.textContent.slice(0, 40)}`);
}"""


def beyond(page: Page) -> list[str]:
    """Elements past the right edge, when the page can be scrolled sideways; tables may scroll within themselves. The
    document itself never scrolls, only what is below the bar at the top."""
    found: list[str] = page.evaluate(_BEYOND)
    return found
