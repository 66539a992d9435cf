"""Templates: Julep's own, what they may name, and what they may not do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stenograph.domain.templates.renderer import Renderer
from stenograph.errors import Invalid
from stenograph.model.agents import DEFAULT_SYSTEM_TEMPLATE


def rendered(*templates: str, seconds: float = 60.0, **variables: Any) -> list[str]:
    async def scenario() -> list[str]:
        renderer = Renderer(seconds=seconds)
        try:
            return await renderer.render(templates, variables)
        finally:
            await renderer.close()

    return asyncio.run(scenario())


def agent(**more: Any) -> dict[str, Any]:
    return {"name": "Ada", "about": "", "instructions": [], **more}


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        (
            {
                "agent": agent(about="a tutor", instructions=["Be brief", "Be kind"]),
                "user": {"name": "Bob", "about": "a student"},
                "session": {"situation": "first lesson"},
                "docs": [
                    {"title": "D1", "content": ["snip A"], "metadata": None},
                    {"title": "D2", "content": ["snip B"], "metadata": None},
                ],
            },
            "You are Ada. About you: a tutor. You are talking to a user  and their name is Bob. "
            "About the user: a student.\nSituation: first lesson\n\nInstructions:\n- Be brief\n- Be kind\n\n"
            "Relevant documents:\nD1\nsnip A\n---D2\nsnip B\n---",
        ),
        ({"agent": agent(), "session": {"situation": None}}, "You are Ada. \n\n\n"),
        (
            {
                "agent": agent(instructions="one string"),
                "user": {"name": "", "about": ""},
                "session": {"situation": "x"},
            },
            "You are Ada. You are talking to a user\nSituation: x\n\nInstructions:\none string\n\n",
        ),
    ],
    ids=["everything", "an agent alone", "a user without a name"],
)
def test_the_default_template_renders_as_it_always_has(variables: dict[str, Any], text: str) -> None:
    assert rendered(DEFAULT_SYSTEM_TEMPLATE, **variables) == [text]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ missing }}|", "|"),
        ("{% if true and not false and null is none %}yes{% endif %}", "yes"),
        ("{{ len([1, 2]) }}{{ NEWLINE }}{{ sum(map(abs, [-1, 2])) }}", "2\n3"),
        ("{{ json.dumps({'a': [1]}) }} {{ json.loads('[2]')[0] }}", '{"a": [1]} 2'),
        ("{{ yaml.load('a: 1').a }} {{ re.sub('o+', '0', 'foo') }}", "1 f0"),
        ("{{ datetime.date(2026, 1, 31) + datetime.timedelta(days=1) }}", "2026-02-01"),
        ("{{ math.floor(2.7) }} {{ statistics.mean([1, 3]) }}", "2 2"),
        ("{{ base64.b64encode('x'.encode()).decode() }}", "eA=="),
        ("{{ '{0.__class__}'.format(1) }}{{ json.dumps.__name__ }}", ""),
        ("{{ urllib.parse.quote('a b') }} {{ csv.parse('a,b')[0][1] }} {{ string.digits }}", "a%20b b 0123456789"),
        ("{% for one in range(3) %}\n    {{ one }}\n{% endfor %}", "    0\n    1\n    2\n"),
        ("{{ user.name }} <b>&", "Bob <b>&"),
    ],
)  # fmt: skip
def test_templates_have_the_names_that_are_documented(template: str, text: str) -> None:
    assert rendered(template, user={"name": "Bob"}) == [text]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% if %}", "syntax error"),
        ("{{ missing.attribute }}", "undefined"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ 'x' * 10 ** 9 }}", "not rendered"),
        ("{{ 2 ** 1000000 }}", "not rendered"),
        ("{{ range(10 ** 7) }}", "range"),
        ("{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}", "characters"),
        ("{{ [1].append(2) }}", "may not"),
        ("{{ ''.__class__.__mro__ }}", "may not|undefined"),
        ("{{ statistics.sys }}{{ statistics.sys.modules }}", "undefined"),
        ("{{ json.dumps.__globals__.keys() }}", "may not|undefined"),
        ("{{ ('%1000000000d' % 1) }}", "memory|characters"),
        ("{% include '/etc/passwd' %}", "cannot be rendered"),
        ("{{ lipsum.__globals__.os.popen('id').read() }}", "may not|undefined"),
        ("{{ cycler.__init__.__globals__ }}{{ self.__init__.__globals__ }}", "may not|undefined"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "deeply|cannot"),
        ("{" * 200_001, "200000"),
    ],
)
def test_what_a_template_may_not_do_is_refused_in_a_sentence(template: str, message: str) -> None:
    with pytest.raises(Invalid, match=f"(?i){message}"):
        rendered(template)


def test_a_template_that_never_ends_is_stopped_and_the_next_is_rendered() -> None:
    async def scenario() -> None:
        renderer = Renderer(most=1, seconds=1.0)
        endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{{ 1 }}"
        slow_pattern = "{{ re.match('(a+)+$', 'a' * 40 ~ 'b') }}"
        for template in (endless, slow_pattern):
            with pytest.raises(Invalid, match="longer than 1 second"):
                await renderer.render([template], {})
            assert await renderer.render(["{{ 1 + 1 }}"], {}) == ["2"]
        await renderer.close()

    asyncio.run(scenario())


def test_many_at_once_each_get_their_own() -> None:
    async def scenario() -> None:
        renderer = Renderer(most=2)
        texts = await asyncio.gather(
            *(renderer.render(["{{ n }}", "{{ n + 1 }}"], {"n": number}) for number in range(40))
        )
        assert texts == [[str(number), str(number + 1)] for number in range(40)]
        await renderer.close()

    asyncio.run(scenario())


def test_what_has_no_braces_is_not_rendered() -> None:
    assert rendered("plain { text", "plain text") == ["plain { text", "plain text"]


def test_values_are_not_rendered_again() -> None:
    assert rendered("{{ note }}", note="{{ 7 * 7 }}") == ["{{ 7 * 7 }}"]
