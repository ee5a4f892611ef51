"""`new check`: what a forge, or git itself, runs before an edit of the specs is merged."""

from typing import Literal

from reconciler.app.committing.new import Written, write_new
from reconciler.app.surroundings.environment import Environment
from reconciler.app.surroundings.ground import work_tree_of
from reconciler.app.surroundings.place import Options

Kind = Literal["github", "gitea", "gitlab", "pre-commit"]

_STEPS = """\
{lead}python -m pip install --quiet "$REALM_SOFTWARE"
{lead}reconcile validate --ref HEAD
{lead}# What the realm's machine saw last. It publishes it, such as once an hour:
{lead}#   reconcile observe --out facts.json && git -C facts commit -qam facts && git -C facts push -q
{lead}# ("facts" being a clone of the branch realm-facts). Without it the check ends here.
{lead}git fetch --quiet origin realm-facts && git show FETCH_HEAD:facts.json > facts.json || exit 0
{lead}reconcile plan "origin/$BASE...HEAD" --facts facts.json --format markdown > plan.md
{lead}cat plan.md
"""

GITHUB = """\
# Checks an edit of the specs, and puts the plan under the pull request: one comment, kept up to date.
name: realm
on:
  pull_request:
    paths: ["specs/**"]
permissions:
  contents: read
  pull-requests: write
jobs:
  plan:
    runs-on: ubuntu-latest
    env:
      REALM_SOFTWARE: realm-reconciler # or git+https://... of the commit that your machine runs
      BASE: ${{ github.base_ref }}
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0, persist-credentials: false}
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      - name: Validate and plan
        run: |
%(steps)s
      - name: Comment
        if: hashFiles('plan.md') != ''
        continue-on-error: true          # a fork's token may not write
        env:
          REALM_FORGE_TOKEN: ${{ github.token }}
          REPOSITORY: ${{ github.repository }}
          NUMBER: ${{ github.event.number }}
        run: >-
          reconcile comment --forge github --repository "$REPOSITORY" --number "$NUMBER" --file plan.md
"""

GITEA = """\
# Checks an edit of the specs, and puts the plan under the pull request: one comment, kept up to date.
name: realm
on:
  pull_request:
    paths: ["specs/**"]
jobs:
  plan:
    runs-on: ubuntu-latest
    env:
      REALM_SOFTWARE: realm-reconciler # or git+https://... of the commit that your machine runs
      BASE: ${{ github.base_ref }}
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0}
      - uses: actions/setup-python@v5
        with: {python-version: "3.12"}
      - name: Validate and plan
        run: |
%(steps)s
      - name: Comment
        continue-on-error: true
        env:
          REALM_FORGE_TOKEN: ${{ secrets.REALM_FORGE_TOKEN }}
          API: ${{ github.server_url }}/api/v1
          REPOSITORY: ${{ github.repository }}
          NUMBER: ${{ github.event.number }}
        run: >-
          test ! -f plan.md ||
          reconcile comment --forge gitea --api "$API" --repository "$REPOSITORY"
          --number "$NUMBER" --file plan.md
"""

GITLAB = """\
# Checks an edit of the specs, and puts the plan under the merge request: one note, kept up to date.
# REALM_FORGE_TOKEN: a project access token with the scope api, as a masked variable of the project.
realm:
  image: python:3.12
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
      changes: ["specs/**/*"]
  variables:
    GIT_DEPTH: "0"
    REALM_SOFTWARE: realm-reconciler   # or git+https://... of the commit that your machine runs
    BASE: $CI_MERGE_REQUEST_TARGET_BRANCH_NAME
  script:
    - |
%(steps)s
    - >-
      test ! -f plan.md -o -z "$REALM_FORGE_TOKEN" ||
      reconcile comment --forge gitlab --api "$CI_API_V4_URL" --repository "$CI_PROJECT_PATH"
      --number "$CI_MERGE_REQUEST_IID" --file plan.md
"""

PRE_COMMIT = """\
# pre-commit install: no commit with a mistake in the specs.
repos:
  - repo: local
    hooks:
      - id: realm-validate
        name: specs are right
        entry: reconcile validate
        language: system
        files: ^specs/
        pass_filenames: false
"""

_FILES: dict[Kind, tuple[str, str, int]] = {
    "github": (".github/workflows/realm.yml", GITHUB, 10),
    "gitea": (".gitea/workflows/realm.yml", GITEA, 10),
    "gitlab": (".gitlab-ci.yml", GITLAB, 6),
    "pre-commit": (".pre-commit-config.yaml", PRE_COMMIT, 0),
}


def new_check(environment: Environment, options: Options, kind: Kind) -> Written:
    """Write the check into the specs repository.

    Raises:
        Blocked: there is such a file.
    """
    name, text, indent = _FILES[kind]
    steps = _STEPS.format(lead=" " * indent).rstrip("\n")
    path = work_tree_of(environment, options) / name
    write_new(path, text % {"steps": steps} if indent else text)
    return Written(path=str(path), name=kind)
