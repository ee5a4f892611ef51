"""Names of learning rate schedules: those that train here, and those that older specs may hold."""

STEADY = ("constant", "wsd")
"""Those whose rate stays after the warm-up, so that a branch can let it fall."""
FALLING = ("cosine", "linear")
"""Those whose rate falls by itself, until the update that a spec names."""
SCHEDULERS = (*STEADY, *FALLING)
OLDER_SCHEDULERS = frozenset(
    {"constant_with_warmup", "cosine_warmup_with_min_lr", "cosine_with_min_lr", "cosine_with_restarts"}
    | {"exponential", "greedy", "inverse_sqrt", "one_cycle", "polynomial", "reduce_lr_on_plateau"}
    | {"warmup_stable_decay"}
)
"""Names of transformers and of older programs: a spec with one of them loads and is not launched."""
