"""What a template may do: write a conversation's text, within bounds, and nothing else."""

import pytest

pytest.importorskip("jinja2")

from state.contract.row_shapes import Message
from trainer.data.templates import ChatTemplate, TemplateError

HELLO = [Message("user", "hello"), Message("assistant", "there")]
ENDLESS = {
    "calls itself": ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "it calls itself without end"),
    "repeats a text": ("{{ 'x' * 100000000000 }}", "a product in it is larger than 67,108,864 characters"),
    "repeats a list": ("{{ (10000000000 * [1])|length }}", "a product in it is larger"),
    "takes a power": ("{{ 10 ** 10000000000 }}", "a product in it is larger"),
    "writes on and on": (
        "{% for i in range(90000) %}{% for j in range(90000) %}" + "x" * 5000 + "{% endfor %}{% endfor %}",
        "it writes more than 67,108,864 characters",
    ),
}


@pytest.mark.parametrize(("template", "told"), ENDLESS.values(), ids=ENDLESS)
def test_a_template_without_end_is_refused_by_what_it_does(template: str, told: str) -> None:
    with pytest.raises(TemplateError, match=told):
        ChatTemplate(template).render(HELLO)


def test_a_template_for_which_memory_is_short_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*_: object) -> str:
        raise MemoryError

    template = ChatTemplate("{{ messages[0].content | tojson }}")
    monkeypatch.setitem(template._compiled.environment.filters, "tojson", short)
    with pytest.raises(TemplateError, match="there is not enough memory for its text"):
        template.render(HELLO)


def test_what_templates_multiply_in_earnest_is_left_to_them() -> None:
    template = ChatTemplate("{{ '-' * 3 }}{{ 2 ** 3 * 4 }}{{ 0.5 * 2 }}{{ messages[0].content * 2 }}")
    assert template.render(HELLO) == "---321.0hellohello"
