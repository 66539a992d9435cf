"""A page that was opened before the server was upgraded, and one that breaks."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from tests.page.conftest import Visitor

_A_PART = re.compile(r"/ui/assets/QueuesArea-.*\.js")


def test_parts_that_are_gone_load_the_page_anew(visit: Visitor) -> None:
    tab = visit(expected=("404", "dynamically imported"))
    asked: list[str] = []

    def gone_at_first(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.fulfill(status=404)
        else:
            route.continue_()

    tab.page.route(_A_PART, gone_at_first)
    page = tab.go("/ui/datasets")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Queues").click()
    expect(page.get_by_role("heading", name="Queues", exact=True)).to_be_visible()
    assert len(asked) == 2
    assert page.url.endswith("/ui/queues")


def test_a_part_that_stays_away_is_said_and_the_rest_goes_on(visit: Visitor) -> None:
    tab = visit(expected=("404", "dynamically imported"))
    tab.page.route(_A_PART, lambda route: route.fulfill(status=404))
    page = tab.go("/ui/datasets")
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="Queues").click()
    expect(page.get_by_role("alert")).to_contain_text("That did not work")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    pages.get_by_role("link", name="Datasets").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("button", name="New dataset").first).to_be_visible()
    tab.page.unroute(_A_PART)
    pages.get_by_role("link", name="Queues").click()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Queues", exact=True)).to_be_visible()
