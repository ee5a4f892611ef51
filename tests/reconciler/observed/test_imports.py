import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
HEAVY = "csv git jsonschema pydantic pynvml rich ruamel.yaml shutil subprocess torch trainer transformers"


def test_observing_a_machine_without_gpus_loads_nothing_heavy() -> None:
    modules = sorted(path.stem for path in (REPOSITORY / "reconciler" / "observed").glob("*.py"))
    light = [name for name in modules if name not in ("__init__", "nvml", "nvidia_smi")]
    script = (
        "import sys, importlib\n"
        f"for name in {light!r}: importlib.import_module('reconciler.observed.' + name)\n"
        f"print(*[name for name in {HEAVY.split()!r} if name in sys.modules])"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert outcome.stdout.split() == []
