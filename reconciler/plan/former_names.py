"""What specs name by a name that its campaign had before: not every line needs to change with a rename.

A former name means a campaign only where one alone ever had it. The line is shown as it stands; what is
compared is the name of now.
"""

from collections.abc import Sequence

import msgspec

from reconciler.desired.desired import Source
from reconciler.desired.retention import Retention
from state.former_names import called_now
from state.store.rows import CampaignRow


def retention_now(source: Source[Retention], rows: Sequence[CampaignRow]) -> Source[Retention]:
    """Return the rules with the checkpoints that they name under the names that their campaigns have now.

    Every list stays as long as it is, so each entry keeps its line.
    """
    spec = source.spec
    known = {row.name for row in rows}

    def named(words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(word if word.partition("@")[0] in known else called_now(rows, word) for word in words)

    now = msgspec.structs.replace(
        spec,
        pins=named(spec.pins),
        tags={tag: named(words) for tag, words in spec.tags.items()},
        acknowledged_losses=named(spec.acknowledged_losses),
    )
    return source if now == spec else msgspec.structs.replace(source, spec=now)
