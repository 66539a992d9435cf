"""Templates in chats: which texts are templates, and that nothing else is ever run as one."""

from __future__ import annotations

from typing import Any

import pytest
from julep import BadRequestError

from tests.conftest import Server
from tests.openai_server import ModelServer, Reply
from tests.wire.julep.conftest import client_of
from tests.wire.julep.test_chat import session, user

ATTACK = "{{ 7 * 6 }}{% for a in [1] %}{{ agent.name }}{% endfor %}{{ secrets }}"


def rendered(client: Any, ident: str, *messages: dict[str, Any], **more: Any) -> list[Any]:
    found = client.sessions.render(ident, messages=messages, **more)
    return [each.content for each in found.messages]


def test_messages_of_system_and_assistant_are_templates_and_users_are_not(chatting: Any) -> None:
    agent = chatting.agents.create(name="Ada", default_system_template="I am {{ agent.name }}.")
    messages: list[Any] = [
        {"role": "system", "content": "Say {{ metadata.word }} to {{ user.name }}."},
        {"role": "assistant", "content": [{"type": "text", "text": "{{ 1 + 1 }}"}]},
        user(ATTACK),
    ]
    ident = session(chatting, agent=agent.id, user=chatting.users.create(name="Bob").id)
    assert rendered(chatting, ident, *messages, metadata={"word": "hi"}) == [
        "I am Ada.", "Say hi to Bob.", "2", ATTACK,
    ]  # fmt: skip
    chatting.sessions.update(ident, render_templates=False)
    assert rendered(chatting, ident, *messages) == [
        "I am Ada.", messages[0]["content"], "{{ 1 + 1 }}", ATTACK,
    ]  # fmt: skip


def test_users_write_templates_where_the_session_was_said_to_render_them(chatting: Any) -> None:
    ident = session(chatting, render_templates=True)
    assert rendered(chatting, ident, user("{{ 1 + 1 }} {{ session.render_templates }}"))[1:] == ["2 True"]
    with pytest.raises(BadRequestError, match="syntax error"):
        rendered(chatting, ident, user("{% broken"))
    chatting.sessions.update(ident, render_templates=False)
    assert rendered(chatting, ident, user("{{ 1 + 1 }}"))[1:] == ["{{ 1 + 1 }}"]
    chatting.sessions.update(ident, render_templates=True)
    assert rendered(chatting, ident, user("{{ 1 + 1 }}"))[1:] == ["2"]
    assert chatting.sessions.get(ident).render_templates is True


def test_users_texts_stay_as_they_are_in_history(chatting: Any, model: ModelServer) -> None:
    ident = session(chatting)
    model.script.append(Reply(text=ATTACK))
    chatting.sessions.chat(ident, messages=[user(ATTACK)])
    chatting.sessions.chat(ident, messages=[user("{% broken"), user("}} {#")])
    said = [each["content"] for each in model.asked[-1].body["messages"][1:]]
    assert said == [ATTACK, ATTACK, "{% broken", "}} {#"], "what was said is never rendered again"


def test_nothing_in_data_is_a_template(chatting: Any) -> None:
    """Names, texts, metadata and docs are what templates show, and no templates."""
    agent = chatting.agents.create(name=ATTACK, about=ATTACK, instructions=[ATTACK], metadata={"a": ATTACK})
    chatting.agents.docs.create(agent.id, title=ATTACK, content=ATTACK, metadata={"a": ATTACK})
    bob = chatting.users.create(name=ATTACK, about=ATTACK)
    ident = session(
        chatting,
        agent=agent.id,
        user=bob.id,
        situation=ATTACK,
        metadata={"a": ATTACK},
        recall_options={"mode": "vector", "confidence": -1},
    )
    (system, _) = rendered(chatting, ident, user("x"))
    assert system.count(ATTACK) == 8
    assert "42" not in system
    template = "{{ session.metadata.a }}|{{ agent.metadata.a }}|{{ metadata.a }}|{{ docs[0].metadata.a }}"
    chatting.sessions.update(ident, system_template=template)
    (system, _) = rendered(chatting, ident, user("x"), metadata={"a": ATTACK})
    assert system == "|".join([ATTACK] * 4)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ agent.__class__.__mro__ }}", "may not"),
        ("{{ ''.__class__.__base__.__subclasses__() }}", "may not|undefined"),
        ("{{ json.loads.__globals__ }}", "may not|undefined|cannot"),
        ("{{ cycler.__init__.__globals__.os.environ }}", "undefined|may not"),
        ("{{ 'x' * 1000000000 }}", "cannot be rendered"),
        ("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}", "longer than"),
        ("{% if %}", "syntax error"),
        ("{{ missing.member }}", "undefined"),
    ],
)
def test_what_a_template_may_not_do_is_told(chatting: Any, template: str, reason: str) -> None:
    ident = session(chatting, system_template=template)
    try:
        (text, *_) = rendered(chatting, ident, user("x"))
    except BadRequestError as error:
        text = str(error)
    assert any(each in str(text) for each in reason.split("|")) or text == "x", text
    with pytest.raises(BadRequestError):
        rendered(chatting, session(chatting), {"role": "system", "content": "{% if %}"})


def test_an_operator_may_have_users_write_templates(own_server: Server, model: ModelServer) -> None:
    own_server.environment = {"STENOGRAPH_RENDER_USER_MESSAGES": "true", "STENOGRAPH_LLM_BASE_URL": model.url}
    own_server.start()
    with client_of(own_server) as client:
        ident = session(client)
        assert rendered(client, ident, user("{{ 1 + 1 }}"))[1:] == ["2"]
        with pytest.raises(BadRequestError, match="syntax error"):
            rendered(client, ident, user("{% broken"))
        client.sessions.update(ident, render_templates=False)
        assert rendered(client, ident, user("{{ 1 + 1 }}"))[1:] == ["{{ 1 + 1 }}"]
