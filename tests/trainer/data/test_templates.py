"""What a template may do: write a conversation's text, within bounds, and nothing else."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("jinja2")

from state.contract.row_shapes import Message
from trainer.data.templates import ChatTemplate, TemplateError

HELLO = [Message("user", "hello"), Message("assistant", "there")]
ENDLESS = {
    "calls itself": ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "it calls itself without end"),
    "repeats a text": ("{{ 'x' * 100000000000 }}", "a product in it is larger than 1,050,784 characters"),
    "repeats a list": ("{{ (10000000000 * [1])|length }}", "a product in it is larger"),
    "multiplies numbers": (
        "{% set ns = namespace(n=3) %}{% for i in range(60) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
        "a product in it is larger",
    ),
    "takes a power": ("{{ 10 ** 10000000000 }}", "a product in it is larger"),
    "writes on and on": (
        "{% for i in range(40000) %}" + "x" * 5000 + "{% endfor %}",
        "it writes more than 1,050,784 characters",
    ),
    "doubles a text": (
        "{% set ns = namespace(s='x') %}{% for i in range(40) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "a text in it is larger than 1,050,784 characters",
    ),
    "doubles a sum": (
        "{% set ns = namespace(s=[1]) %}{% for i in range(40) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "a text in it is larger than 1,050,784 characters",
    ),
    "replaces more and more": (
        "{% set ns = namespace(s='x') %}{% for i in range(40) %}{% set ns.s = ns.s|replace('x', 'xxxxxxxx') %}{% endfor %}",
        "a text in it is larger than 1,050,784 characters",
    ),
}
ROUNDS = {
    "in loops": "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}",
    "over turns": "{% for a in messages %}" * 17 + "{% endfor %}" * 17,
    "that pass over everything": "{% for a in messages %}" * 16
    + "{% for c in 'xx' if false %}{% endfor %}"
    + "{% endfor %}" * 16,
    "in lists": "{% for i in range(90000) %}{% set x = range(90000)|list %}{% endfor %}",
    "in macros": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "in a loop of loops": "{% for i in messages recursive %}{{ loop(messages) if loop.depth < 60 }}{% endfor %}",
    "in calls of a block": "{% macro w() %}{{ caller() }}{{ caller() }}{% endmacro %}"
    + "{% call w() %}" * 20
    + "{% endcall %}" * 20,
}


NESTED = (
    "{% set ns = namespace(a=(), b=()) %}"
    "{% for i in range(60) %}{% set ns.a = (ns.a, ns.a) %}{% set ns.b = (ns.b, ns.b) %}{% endfor %}"
)
"""Two lists of sixty steps each, which to compare takes 2 ** 60."""
COMPARED = {
    "equal": NESTED + "{{ ns.a == ns.b }}",
    "less": NESTED + "{{ ns.a < ns.b }}",
    "in": NESTED + "{{ ns.a in [ns.b] }}",
    "sorted": NESTED + "{{ [ns.a, ns.b]|sort|length }}",
    "looked up": NESTED + "{{ {'x': 1}.get(ns.a) }}",
    "tables": NESTED.replace("(ns.a, ns.a)", "{'x': ns.a, 'y': ns.a}") + "{{ ns.a == ns.b }}",
    "lists of a macro": "{% macro f(n) %}{% if n %}{{ f(n - 1, varargs, varargs) }}{% endif %}{{ varargs == 1 }}"
    "{% endmacro %}{{ f(60, 1) }}",
    "tables of a macro": "{% macro f(n) %}{% if n %}{{ f(n - 1, a=kwargs, b=kwargs) }}{% endif %}{{ kwargs == 1 }}"
    "{% endmacro %}{{ f(60, a=1) }}",
}


LONG = "{% set long = 'x' * 1000000 %}"
MANY = LONG + "{% set many = [long] * 20000 %}"
IN_ONE_STEP = {
    "replace": LONG + "{{ long|replace('x', long)|length }}",
    "replace method": LONG + "{{ long.replace('x', long)|length }}",
    "replace of nothing": LONG + "{{ long|replace('', 'x' * 20000)|length }}",
    "replace in a map": LONG + "{{ [long]|map('replace', 'x', 'y' * 20000)|list|length }}",
    "join": MANY + "{{ many|join|length }}",
    "join method": MANY + "{{ ''.join(many)|length }}",
    "join of what is made": MANY + "{{ many|map('string')|join|length }}",
    "join by a text": LONG + "{{ range(20000)|join(long)|length }}",
    "wordwrap": LONG + "{{ long|wordwrap(1, true, 'y' * 20000)|length }}",
    "indent": "{{ ('a\n' * 200000)|indent(100000)|length }}",
    "expandtabs": "{{ ('\t' * 500000).expandtabs(40000)|length }}",
    "translate": LONG + "{{ long.translate({120: 'y' * 20000})|length }}",
    "bytes": "{{ ('x'.encode() * 20000000000)|length }}",
    "bytes of a number": "{{ (1).to_bytes(20000000000, 'big')|length }}",
    "percent": MANY + "{{ ('%s' * 20000 % many[:20000]|list)|length }}",
    "percent of one": LONG + "{{ ('%(a)s' * 20000 % {'a': long})|length }}",
    "format": LONG + "{{ ('{0}' * 20000).format(long)|length }}",
    "format of a table": LONG + "{{ ('{a}' * 20000).format_map({'a': long})|length }}",
    "format of what is in a thing": MANY
    + "{% for one in [1, many] %}{{ '{0.nextitem}'.format(loop) }}{% endfor %}",
    "concatenation": MANY + "{{ (many ~ '')|length }}",
    "concatenation of many": LONG + "{{ (" + "long ~ " * 20000 + "'')|length }}",
    "a list as a text": MANY + "{{ many|string|length }}",
    "a list that is written": MANY + "{{ many }}",
    "a view that is written": MANY + "{{ {1: many}.values() }}",
    "a list of lists": "{% set ns = namespace(l=['x']) %}"
    "{% for i in range(34) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l|tojson|length }}",
    "json far to the right": "{% set ns = namespace(l=[1]*1000) %}"
    "{% for i in range(500) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|tojson(50000)|length }}",
    "sum of lists": "{{ ([range(1000)|list * 1000] * 2000)|sum(start=[])|length }}",
    "round": "{{ 1.5|round(100000000, 'floor') }}",
    "texts that are kept": "{% set ns = namespace(l=[]) %}"
    "{% for i in range(90000) %}{% set ns.l = [ns.l, 'x' * 1000000] %}{% endfor %}",
    "lists that are kept": "{% set ns = namespace(l=[]) %}"
    "{% for i in range(90000) %}{% set ns.l = (ns.l, [" + "1, " * 20000 + "]) %}{% endfor %}",
    "parts of texts that are kept": LONG + "{% set ns = namespace(l=[]) %}"
    "{% for i in range(90000) %}{% set ns.l = (ns.l, long[1:]) %}{% endfor %}",
    "a block's text": LONG + "{% set all %}{% for i in range(20000) %}{{ long }}{% endfor %}{% endset %}",
    "a macro's text": "{% macro f() %}{% for i in range(90000) %}"
    + "x" * 200000
    + "{% endfor %}{% endmacro %}{{ f() }}",
}
RENDERS = """
import json, resource, sys, tracemalloc
from state.contract.row_shapes import Message
from trainer.data.templates import ChatTemplate, TemplateError

resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30))
template = ChatTemplate(json.load(sys.stdin))
tracemalloc.start()
try:
    made = template.render([Message("user", "hello"), Message("assistant", "there")])[:50]
except TemplateError as error:
    made = f"refused: {error}"
print(json.dumps([made, tracemalloc.get_traced_memory()[1] >> 20]))
"""


WIDTHS = {
    "filter": "{{ 'a'|center(30000000000) }}",
    "indent": "{{ 'a'|indent(30000000000, true) }}",
    "format filter": "{{ '%30000000000d'|format(1) }}",
    "method": "{{ 'a'.ljust(30000000000) }}",
    "percent": "{{ '%30000000000d' % 1 }}",
    "percent of a value": "{{ '%*d' % (30000000000, 1) }}",
    "format": "{{ '{:30000000000}'.format(1) }}",
    "format of a value": "{{ '{:{}}'.format(1, 30000000000) }}",
    "json": "{{ [1]|tojson(30000000000) }}",
}


@pytest.mark.parametrize("template", WIDTHS.values(), ids=WIDTHS)
def test_a_width_that_no_text_has_is_refused_before_anything_is_made(template: str) -> None:
    with pytest.raises(TemplateError, match="a width in it is larger than 1,050,784 characters"):
        ChatTemplate(template).render(HELLO)


@pytest.mark.parametrize("template", IN_ONE_STEP.values(), ids=IN_ONE_STEP)
def test_what_would_be_too_large_is_refused_before_there_is_memory_for_it(template: str) -> None:
    command = [sys.executable, "-c", RENDERS]
    done = subprocess.run(command, input=json.dumps(template), capture_output=True, text=True, check=True)
    made, peak_mib = json.loads(done.stdout)
    assert made.startswith("refused: the chat template refuses the conversation"), made
    assert peak_mib < 256


def test_a_namespace_is_written_without_what_is_in_it() -> None:
    assert ChatTemplate("{{ namespace(a=messages) }}").render(HELLO) == "<Namespace>"


def test_a_longer_conversation_may_have_longer_texts() -> None:
    template = (
        "{% set ns = namespace(all='') %}{% for one in messages %}{% set ns.all = ns.all ~ one.content %}"
    )
    template = ChatTemplate(template + "{% endfor %}{{ ns.all|replace('x', 'xyz')|length }}")
    assert template.render([Message("user", "x" * 10_000)] * 500) == "15000000"
    with pytest.raises(TemplateError, match="a text in it is larger than"):
        ChatTemplate("{{ ('x' * 1000000)|replace('x', 'xyz')|length }}").render(HELLO)


def test_texts_that_are_put_together_are_as_jinja_makes_them() -> None:
    template = ChatTemplate(
        "{{ '{0:>{1}}|{a[0]!r}'.format(1, 4, a=['b']) }} "
        "{{ '{a}'.format_map({'a': 1}) }} {{ '%(a)s%%' % {'a': 1} }} {{ '%s-%s'|format(1, 2) }} "
        "{{ '%(a)s'|format(a=3) }} {{ ['a', 'b']|map('upper')|join(', ') }} {{ ', '.join(['a']|map('upper')) }} "
        "{{ 'a b'.replace(' ', '', 1) }} {{ 'a\nb'|indent(2) }} {{ 'a b'|wordwrap(1) }} {{ [1, 2]|sum }} "
        "{{ [1, [2]]|tojson }} {{ 7 // 2 - 1 }} {{ 1.256|round(2) }} {{ messages[-1:][0].content[:2] }}"
    )
    assert template.render(HELLO) == ("   1|'b' 1 1% 1-2 3 A, B A ab a\n  b a\nb 3 [1, [2]] 2 1.26 th")


def test_large_numbers_that_are_no_widths_are_written() -> None:
    template = "{{ '{:>3}'.format(1700000000) }} {{ '%d' % 1700000000 }} {{ 1700000000 % 7 }}"
    assert ChatTemplate(template).render(HELLO) == "1700000000 1700000000 6"


def test_what_is_constant_is_bounded_too() -> None:
    """It would be worked out while the template is compiled, when nothing is counted."""
    template = ChatTemplate("{{ 'x'" + "|replace('x', 'xxxxxxxxxx')" * 8 + " }}")
    with pytest.raises(TemplateError, match="a text in it is larger than 1,050,784 characters"):
        template.render(HELLO)


@pytest.mark.parametrize(("template", "told"), ENDLESS.values(), ids=ENDLESS)
def test_a_template_without_end_is_refused_by_what_it_does(template: str, told: str) -> None:
    with pytest.raises(TemplateError, match=told):
        ChatTemplate(template).render(HELLO)


@pytest.mark.parametrize("template", COMPARED.values(), ids=COMPARED)
def test_lists_of_the_same_lists_are_refused_before_they_are_compared(template: str) -> None:
    with pytest.raises(TemplateError, match="a list in it has more than 1,050,784 values in its lists"):
        ChatTemplate(template).render(HELLO)


def test_lists_in_lists_that_a_conversation_needs_are_compared() -> None:
    template = (
        "{% set pairs = [['user', 'hello'], ['assistant', 'there']] %}{{ [pairs, pairs] == [pairs, pairs] }}"
    )
    assert ChatTemplate(template).render(HELLO) == "True"


@pytest.mark.parametrize("template", ROUNDS.values(), ids=ROUNDS)
def test_rounds_that_write_nothing_have_an_end(template: str) -> None:
    with pytest.raises(
        TemplateError, match="it loops without end: more than 102,000 rounds of loops and calls"
    ):
        ChatTemplate(template).render(HELLO)


def test_long_conversations_may_go_through_as_many_rounds_as_they_need() -> None:
    turns, template = (
        HELLO * 2000,
        "{% for a in messages %}{% for b in messages[:200] %}{% endfor %}.{% endfor %}",
    )
    assert ChatTemplate(template).render(turns) == "." * 4000


def test_the_allowance_is_that_of_one_conversation() -> None:
    template = ChatTemplate("{% for i in range(60000) %}{% endfor %}{{ messages[0].content }}")
    with pytest.raises(TemplateError, match="it loops without end"):
        template.render(HELLO)
    template = ChatTemplate("{% for i in range(40000) %}{% endfor %}{{ messages[0].content }}")
    assert [template.render(HELLO) for _ in range(3)] == ["hello"] * 3


def test_few_steps_over_long_texts_have_an_end_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.data.template_allowance.MOST_SECONDS", -1.0)
    with pytest.raises(TemplateError, match="it is at work without end"):
        ChatTemplate("{% for a in range(64) %}{% endfor %}").render(HELLO)


@pytest.mark.parametrize("chance", ["{{ lipsum() }}", "{{ messages|random }}"])
def test_chance_has_no_part_in_a_text(chance: str) -> None:
    with pytest.raises(TemplateError, match=r"lipsum|No filter named 'random'"):
        ChatTemplate(chance).render(HELLO)


def test_what_loops_know_of_themselves_is_as_it_was() -> None:
    template = ChatTemplate(
        "{% for a in messages if a.role != 'x' %}{{ loop.index }}/{{ loop.length }}{{ a.role }}"
        "{{ ',' if not loop.last }}{% else %}none{% endfor %}"
        "{% macro b(t) -%} <{{ t|upper ~ '!' }}> {%- endmacro %}{{ b('a') }}"
        "{% for i in range(3) %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}"
    )
    assert template.render(HELLO) == "1/2user,2/2assistant<A!>02"


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
