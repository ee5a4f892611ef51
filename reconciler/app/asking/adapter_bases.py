"""Where the pretrained weights lie below a checkpoint's adapters; the trainer compares their digest."""

from pathlib import Path

from reconciler.app.surroundings.environment import Environment
from reconciler.observed.models import hub_cache_folder, observe_model
from state.contract.files import ContractError, read
from state.contract.manifest import Manifest
from state.contract.request import RunRequest
from state.ids import RunKey
from state.layout import CampaignLayout, Layout


def base_folder(
    environment: Environment, layout: Layout, places: CampaignLayout, manifest: Manifest
) -> Path | None:
    """Return the folder of the weights below a checkpoint's adapters; None where none is needed, or found.

    It is where the run had it that saved the checkpoint; else the model of that name on this machine.
    """
    base, locked = manifest.adapter_base, manifest.locked
    if base is None or base.kind != "model" or locked is None or locked.model.base_model is None:
        return None
    asked = _of_its_run(places, manifest)
    if asked is not None and asked.is_dir():
        return asked
    hub = hub_cache_folder(environment.variables, environment.home)
    facts = observe_model(locked.model.base_model, (layout.models,), layout.root, hub)
    return Path(facts.folder) if facts.folder is not None else None


def _of_its_run(places: CampaignLayout, manifest: Manifest) -> Path | None:
    files = places.run(RunKey(manifest.campaign_uid, manifest.generation, manifest.attempt))
    try:
        folder = read(files.request, RunRequest).model_dir
    except (OSError, ContractError):
        return None
    return None if folder is None else Path(folder)
