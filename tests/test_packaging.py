"""What is installed: every package, every shipped spec, and names that nobody else claims."""

import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["setuptools"]


def test_the_list_of_packages_is_the_tree():
    found = {
        ".".join(path.parent.relative_to(CHECKOUT).parts)
        for top in ("reconciler", "trainer", "state")
        for path in (CHECKOUT / top).rglob("__init__.py")
    }
    assert found == set(SETTINGS["packages"])


def test_every_shipped_spec_and_schema_is_installed():
    listed = {
        path for globs in SETTINGS["data-files"].values() for glob in globs for path in CHECKOUT.glob(glob)
    }
    shipped = {p for folder in ("specs", "schemas") for p in (CHECKOUT / folder).rglob("*") if p.is_file()}
    assert {path for path in shipped - listed if path.suffix in (".yaml", ".json")} == set()


@pytest.mark.parametrize("name", ["reconciler", "trainer", "state"])
def test_no_other_distribution_claims_our_names(name):
    assert set(packages_distributions().get(name, [])) <= {"realm-reconciler"}


def test_the_installed_files_land_under_the_folder_of_their_own():
    for target, globs in SETTINGS["data-files"].items():
        folder = target.removeprefix("share/realm/")
        assert all(Path(glob).parent == Path(folder) for glob in globs)
