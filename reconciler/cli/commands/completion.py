"""`completion`: a script with which a shell completes commands, options and live ids."""

import click

from reconciler.cli.session import Session, Verb
from reconciler.cli.verbs import VERBS

_BASH = """\
# Completion of reconcile for {shell}: commands, options, and the ids that there are.
# Load it in this shell:  {load}
{begin}_reconcile_options() {{
  case "$1" in
{options}
  esac
}}
_reconcile() {{
  local line="${{COMP_LINE:0:COMP_POINT}}" current before verb="" word skip="" found prefix
  current="${{line##*[[:space:]]}}"
  before="${{line%"$current"}}"
  local -a words=()
  read -r -a words <<< "$before"
  for word in "${{words[@]:1}}"; do
    if [ -n "$skip" ]; then skip=""; continue; fi
    case "$word" in
      --repo|--root|--host) skip=1 ;;
      -*) ;;
      *) verb="$word"; break ;;
    esac
  done
  if [ -z "$verb" ]; then
    found="$(compgen -W "{verbs}" -- "$current")"
  elif [ "${{current:0:1}}" = "-" ]; then
    found="$(compgen -W "$(_reconcile_options "$verb")" -- "$current")"
  else
    found="$(reconcile __ids "$current" "${{words[@]:1}}" 2>/dev/null)"
  fi
  prefix="${{current%"${{current##*[@:=]}}"}}"
  COMPREPLY=()
  while IFS= read -r word; do
    [ -n "$word" ] && COMPREPLY+=("${{word#"$prefix"}}")
  done <<< "$found"
}}
complete -o default -F _reconcile reconcile
"""
_BEGIN = {
    "bash": "",
    "zsh": "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n",
}


@click.command(
    cls=Verb,
    examples=[
        ("reconcile completion zsh >> ~/.zshrc", "In every new zsh."),
        ("source <(reconcile completion bash)", "In this bash alone."),
    ],
)
@click.argument("shell", type=click.Choice(sorted(_BEGIN)))
@click.pass_obj
def command(session: Session, shell: str) -> None:
    """Print a script for SHELL that completes commands, options, and the ids that there are."""
    script = _BASH.format(
        shell=shell,
        load=f"source <(reconcile completion {shell})",
        begin=_BEGIN[shell],
        options="\n".join(f'    {verb}) echo "{" ".join(_options(verb))}" ;;' for verb in VERBS),
        verbs=" ".join(VERBS),
    )
    session.say_as_it_is(script.rstrip("\n"))


def _options(verb: str) -> list[str]:
    """Return the long options of a verb and of its subcommands."""
    from reconciler.cli.group import reconcile

    found = reconcile.get_command(click.Context(reconcile), verb)
    if found is None:
        return []
    commands = [found, *(found.commands.values() if isinstance(found, click.Group) else ())]
    names = {name for one in commands for parameter in one.params for name in parameter.opts}
    return sorted({name for name in names if name.startswith("--")} | {"--help"})
