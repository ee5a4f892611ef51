"""One update: how its gradient is clipped, and what of the weights it reaches."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from builders import Realm, a_config, a_training, orders
from seen import metrics

from trainer.engine.run import run


def stepped(realm: Realm, clip: float) -> list[float]:
    """Make one update by AdamW without memory; return the norms that were told."""
    training = a_training(clip=clip, warmup_steps=0, adam_beta1=0.0, adam_beta2=0.0, adam_epsilon=0.9)
    files = realm.run(orders(realm.quest(), goal_updates=1), a_config(training=training))
    assert run(files.request) == 0
    return [one.gradient_norm or 0.0 for one in metrics(files, "update")]


def moments(realm: Realm) -> dict[str, Any]:
    from safetensors.torch import load_file

    found = load_file(realm.campaign.checkpoint(1) / "optimizer.safetensors")
    return {name: tensor for name, tensor in found.items() if name.endswith("/exp_avg")}


@pytest.mark.parametrize("clip", [0.25, 1e6])
def test_the_gradient_that_the_optimizer_sees_is_no_longer_than_the_clip(realm: Realm, clip: float) -> None:
    """Without memory AdamW's first moment is the gradient itself, as it was clipped."""
    (told,) = stepped(realm, clip)
    seen = torch.stack([tensor.norm() for tensor in moments(realm).values()]).norm()
    assert told > 0.25  # what is told is the norm before clipping
    assert float(seen) == pytest.approx(min(told, clip), rel=1e-4)
