"""Properties of putting layers together: in any grouping the same, the later one wins, each value keeps its line."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.layers import Layer, Setting, resolve

NAMES = ("built in", "realm", "hero", "campaign", "host", "command line")
KEYS = st.sampled_from(["learning_rate", "clip", "seed", "evaluation.max_rows"])
VALUES = st.one_of(st.integers(0, 3), st.none(), st.booleans(), st.text("ab", max_size=2))


@st.composite
def stacks(draw: st.DrawFn) -> list[Layer]:
    """Return some layers, weakest first; each setting knows the place that it was given at."""
    stack = []
    for place, name in enumerate(
        sorted(draw(st.lists(st.sampled_from(NAMES), unique=True)), key=NAMES.index)
    ):
        given_here = draw(st.dictionaries(KEYS, VALUES))
        settings = {
            key: Setting(value=value, origin=f"{name}:{place}:{key}", layer=name)
            for key, value in given_here.items()
        }
        stack.append(Layer(name=name, settings=settings))
    return stack


def merged(layers: Sequence[Layer]) -> Layer:
    """Return several layers as one, which gives what they give together."""
    settings = {
        key: Setting(value=found.value, origin=found.origin, layer=found.layer)
        for key, found in resolve(layers).items()
    }
    return Layer(name="several", settings=settings)


def values(layers: Sequence[Layer]) -> dict[str, tuple[object, str, str]]:
    return {key: (found.value, found.origin, found.layer) for key, found in resolve(layers).items()}


@given(stacks(), st.integers(0, 6), st.integers(0, 6))
def test_layers_may_be_grouped_in_any_way(stack: list[Layer], one: int, two: int) -> None:
    first, second = sorted((one, two))
    left = (merged((merged(stack[:first]), *stack[first:second])), *stack[second:])
    right = (*stack[:first], merged((*stack[first:second], merged(stack[second:]))))
    assert values(left) == values(right) == values(stack)


@given(stacks())
def test_the_last_layer_that_gives_a_key_wins_with_its_own_place(stack: list[Layer]) -> None:
    found = resolve(stack)
    assert set(found) == {key for layer in stack for key in layer.settings}
    for key, one in found.items():
        giving = [layer.settings[key] for layer in stack if key in layer.settings]
        assert (one.value, one.origin, one.layer) == (giving[-1].value, giving[-1].origin, giving[-1].layer)


@given(stacks())
def test_every_hidden_value_is_told_nearest_first_but_the_built_in_one(stack: list[Layer]) -> None:
    for key, one in resolve(stack).items():
        hidden = [layer.settings[key] for layer in stack if key in layer.settings][:-1]
        assert list(one.shadowed) == [each for each in reversed(hidden) if each.layer != "built in"]


@given(stacks())
def test_an_empty_layer_changes_nothing_wherever_it_stands(stack: list[Layer]) -> None:
    empty = Layer(name="empty", settings={})
    for place in range(len(stack) + 1):
        assert resolve((*stack[:place], empty, *stack[place:])) == resolve(stack)


@given(stacks())
def test_settings_come_sorted_whatever_the_order_of_the_files(stack: list[Layer]) -> None:
    assert list(resolve(stack)) == sorted(resolve(stack))
