"""`make demo`: two tiny heroes, trained by the reconcile loop, switched by a commit. Types the commands that a
person would type and shows what they print.

Everything lies under one folder (REALM_DEMO, by default ~/realm-demo), a numbered realm for each finished
demo. Interrupted, the next `make demo` goes on where this one was; `--clean` stops and removes it all.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

HOME = Path(os.environ.get("REALM_DEMO") or Path.home() / "realm-demo")
MARKER = ".made-by-the-realm-demo"
SOFTWARE = Path(__file__).resolve().parents[2]
RECONCILE = Path(sys.executable).parent / "reconcile"
ADAMW, MUON = "tiny-adamw/campaign-001", "tiny-muon/campaign-001"
STOP_SECONDS = 90
SAID_AGAIN_SECONDS = 20
NUM_UNSEEN, SEED_OF_UNSEEN = 200, 99


class Demo:
    """One numbered realm: a specs repository and, beside it, its root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.specs = folder / "specs-repository"
        self.root = folder / "root"
        self.finished = folder / "finished"

    def reconcile(self, *arguments: str) -> None:
        """Type a `reconcile` command in the specs repository."""
        print(f"\n$ reconcile {' '.join(arguments)}", flush=True)
        run([str(RECONCILE), *arguments], cwd=self.specs, env=self.environment())

    def git(self, *arguments: str) -> None:
        """Type a `git` command in the specs repository."""
        shown = (f'"{word}"' if " " in word else word for word in arguments)
        print(f"\n$ git {' '.join(shown)}", flush=True)
        identity = ("-c", "user.name=Realm demo", "-c", "user.email=demo@localhost")
        run(["git", *identity, *arguments], cwd=self.specs)

    def environment(self) -> dict[str, str]:
        """Return an environment in which nothing is left outside the demo's folder, caches included."""
        return {**os.environ, "REALM_ROOT": str(self.root), "XDG_CACHE_HOME": str(self.folder / "cache")}

    def campaign(self, name: str) -> Path:
        return self.root / "campaigns" / name

    def metrics(self, name: str) -> list[dict[str, object]]:
        """Return every record that the campaign's runs have written, oldest first."""
        files = sorted(
            self.campaign(name).glob("runs/*/metrics.jsonl"), key=lambda path: path.stat().st_mtime
        )
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]

    def prompts(self, name: str, problems: Iterable[str]) -> Path:
        """Write questions where the trainer reads them."""
        file = self.folder / f"{name}.jsonl"
        rows = (json.dumps({"prompt": question}, ensure_ascii=False) for question in problems)
        file.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return file

    def newest_checkpoint(self, name: str) -> Path:
        folders = self.campaign(name).glob("checkpoints/checkpoint-*")
        return max(folders, key=lambda path: int(path.name.split("-")[1]))


def main() -> int:
    """Run the demo, or go on with the one that was interrupted."""
    if sys.argv[1:] == ["--clean"]:
        return clean()
    begun = time.monotonic()
    demo = newest_or_new()
    try:
        play(demo)
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing is lost: `make demo` goes on, `make demo-clean` stops and removes it.")
        return 130
    demo.finished.touch()
    print(f"\nLook around:  cd {demo.specs} && {RECONCILE} --root {demo.root} status")
    print("Next:         the README's tour by hand")
    print(
        f"\nDone in {time.monotonic() - begun:.0f} s. The realm stays in {demo.folder}; `make demo-clean` removes it."
    )
    return 0


def newest_or_new() -> Demo:
    """Return the newest demo that is not finished, or a new one."""
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / MARKER).touch()
    numbers = sorted(int(path.name) for path in HOME.iterdir() if path.name.isdigit())
    if numbers and not (found := Demo(HOME / str(numbers[-1]))).finished.exists():
        print(f"Going on with the realm in {found.folder}, where an earlier demo was interrupted.")
        return found
    demo = Demo(HOME / str(numbers[-1] + 1 if numbers else 1))
    demo.folder.mkdir()
    return demo


def play(demo: Demo) -> None:
    """Go through the story; each part does only what is not done yet."""
    say(f"A realm of two tiny heroes, in {demo.folder}")
    if (demo.specs / ".git").exists():
        print("\nIt is there already; the demo goes on with it.", flush=True)
    else:
        shutil.rmtree(demo.specs, ignore_errors=True)
        print(f"\n$ reconcile init {demo.specs} --id home-lab", flush=True)
        command = [str(RECONCILE), "init", str(demo.specs), "--id", "home-lab"]
        run(command, cwd=demo.folder, env=demo.environment())
    if not is_switched(demo):
        say("What apply would do")
        demo.reconcile("plan")
        say("The loop trains the AdamW hero; Ctrl-C would not stop training")
        demo.reconcile("apply", "--until-converged")
    say("What the AdamW hero has learnt")
    show_exact_match(demo, ADAMW)
    if not is_switched(demo):
        switch(demo)
    say("The loop follows: the Muon hero trains its own quest")
    demo.reconcile("apply", "--until-converged")
    say("What the Muon hero has learnt")
    show_exact_match(demo, MUON)
    say("Nothing is left to do, and every run is on record")
    demo.reconcile("plan")
    demo.reconcile("history")


def switch(demo: Demo) -> None:
    """Propose the other hero on a branch, look at the plan, merge."""
    say("Switch heroes: one line on a branch, as in a pull request")
    demo.git("switch", "-C", "switch-to-muon")
    realm = demo.specs / "specs" / "realm.yaml"
    realm.write_text(realm.read_text().replace(f"active: {ADAMW}", f"active: {MUON}"))
    demo.git("diff", "--unified=0")
    demo.git("commit", "--quiet", "--all", "--message", "Train tiny-muon")
    demo.git("switch", "--quiet", "main")
    demo.reconcile("plan", "switch-to-muon")
    demo.git("merge", "--ff-only", "switch-to-muon")


def is_switched(demo: Demo) -> bool:
    shown = subprocess.run(
        ["git", "show", "main:specs/realm.yaml"], cwd=demo.specs, capture_output=True, text=True, check=False
    )
    return f"active: {MUON}" in shown.stdout


def show_time(demo: Demo, name: str) -> None:
    """Print how long the runs trained, from the model loaded to the last word, measuring and saving included."""
    seconds, on = 0.0, ""
    for file in demo.campaign(name).glob("runs/*/metrics.jsonl"):
        told = [json.loads(line) for line in file.read_text().splitlines()]
        at = [datetime.fromisoformat(one["at"]) for one in told]
        for moment, one in zip(at, told, strict=True):
            if one["kind"] == "started":
                seconds, on = seconds + (at[-1] - moment).total_seconds(), one["note"]
    print(f"  trained for {seconds:.0f} s, on {on}")


def show_losses(demo: Demo, name: str) -> None:
    """Print the first and last training and held-out loss of a campaign."""
    records = demo.metrics(name)
    for kind, key, words in (("update", "loss", "training"), ("evaluation", "val_loss", "held-out")):
        values = [(record["step"], record[key]) for record in records if record["kind"] == kind]
        (first_step, first), (last_step, last) = values[0], values[-1]
        print(f"  {words:8} loss  {first:.3f} at step {first_step}  →  {last:.3f} at step {last_step}")


def show_exact_match(demo: Demo, name: str) -> None:
    """Print losses, exact match before and after, of what was learnt and of what was not, and three answers."""
    sys.path.insert(0, str(SOFTWARE))
    from trainer.skills.registry import find_skill

    skill = find_skill("bin")
    known = {problem.prompt: problem.answer for problem in skill.problem_space(1)}
    harder = unseen(skill, known)
    show_time(demo, name)
    show_losses(demo, name)
    request = sorted(demo.campaign(name).glob("runs/*/request.json"))[0]
    checkpoint = demo.newest_checkpoint(name)
    kept = demo.folder / f"answers-{name.replace('/', '-')}"
    level_1, both = demo.prompts("level-1", known), demo.prompts("both-levels", known | harder)
    asked = f"  asking {len(known)} problems at step 0"
    before = answers(asked, kept, level_1, "--request", str(request), "--initial")
    asked = f"  asking {len(known) + len(harder)} problems with {checkpoint.name}"
    after = answers(asked, kept, both, "--checkpoint", str(checkpoint))

    def num_right(given: list[dict[str, str]], expected: dict[str, str]) -> int:
        return sum(
            skill.exact_match(a["answer"], expected[a["prompt"]]) for a in given if a["prompt"] in expected
        )

    right = num_right(after, known)
    print(
        f"  exact match over all {len(known)} problems of level 1: {num_right(before, known)} at step 0  →  {right}"
        f" ({right / len(known):.0%}) with {checkpoint.name}\n  The quest's rows are drawn from these very problems:"
        " this is memorising, and allowed by name\n  (allow_leakage in specs/queue.yaml).\n"
        f"  On {len(harder)} problems of level 2, none of which it has ever seen: {num_right(after, harder)} right."
    )
    learnt = [answer for answer in after if answer["prompt"] in known]
    for answer in learnt[:: len(learnt) // 3][:3]:
        wanted = known[answer["prompt"]]
        mark = "✓" if skill.exact_match(answer["answer"], wanted) else "✗"
        print(
            f"    {answer['prompt']}\n      {mark} hero:   {shown(answer['answer'])}\n      expected: {shown(wanted)}"
        )


def unseen(skill: Any, known: dict[str, str]) -> dict[str, str]:
    """Return problems of level 2 that are not problems of level 1, too: question and answer."""
    rows = (row["messages"] for row in skill.generate(2, NUM_UNSEEN, SEED_OF_UNSEEN))
    problems = {user["content"]: assistant["content"] for user, assistant in rows}
    return {question: answer for question, answer in problems.items() if question not in known}


def answers(told: str, kept: Path, prompts: Path, *source: str) -> list[dict[str, str]]:
    """Return the answers to the prompts; those that an interrupted demo got already are not asked again."""
    kept.mkdir(exist_ok=True)
    file = kept / f"{Path(source[1]).name}.jsonl"
    if file.exists():
        print(f"{told}: answered before", flush=True)
    else:
        temporary = file.with_suffix(".part")
        ask(told, temporary, ["answer", *source, "--prompts", str(prompts), "--json"])
        temporary.replace(file)
    return [json.loads(line) for line in file.read_text().splitlines()]


def ask(told: str, file: Path, arguments: list[str]) -> None:
    """Let the trainer answer into a file; say every SAID_AGAIN_SECONDS that it is still at it."""
    command = [sys.executable, "-m", "trainer", *arguments, "--max-new-tokens", "160"]
    print(f"{told} (seconds on an idle machine, minutes on a busy one)", flush=True)
    begun = time.monotonic()
    with file.open("w") as out, subprocess.Popen(command, cwd=SOFTWARE, stdout=out) as process:
        while True:
            try:
                code = process.wait(SAID_AGAIN_SECONDS)
                break
            except subprocess.TimeoutExpired:
                print(f"    still at it after {time.monotonic() - begun:.0f} s", flush=True)
    if code != 0:
        raise SystemExit(f"`{' '.join(command)}` ended with {code}")


def shown(text: str) -> str:
    """Return an answer on one line; what is not printable, a terminal never sees."""
    return "".join(char if char.isprintable() else "⏎" if char == "\n" else "�" for char in text)


def clean() -> int:
    """Stop the trainers that the demo started and remove its folder; only a folder that the demo made."""
    if not HOME.exists():
        print(f"There is no demo in {HOME}.")
        return 0
    if not (HOME / MARKER).exists():
        print(
            f"{HOME} was not made by the demo, so it stays; give another folder in REALM_DEMO.",
            file=sys.stderr,
        )
        return 1
    for pid in running():
        print(f"Stopping the trainer {pid}; it saves first.")
        stop(pid)
    shutil.rmtree(HOME)
    print(f"Removed {HOME}.")
    return 0


def running() -> Iterator[int]:
    """Yield the living trainers of the demo, known by the cookie in their environment."""
    for path in HOME.glob("*/root/campaigns/*/*/runs/*/process.json"):
        claim = json.loads(path.read_text())
        try:
            environment = Path(f"/proc/{claim['pid']}/environ").read_bytes()
        except OSError:
            continue
        if f"REALM_RUN_COOKIE={claim['cookie']}".encode() in environment.split(b"\0"):
            yield claim["pid"]


def stop(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while lives(pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    if lives(pid):
        os.kill(pid, signal.SIGKILL)


def lives(pid: int) -> bool:
    """Is there such a process, and is it more than a name that its parent has not yet struck off?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def say(title: str) -> None:
    print(f"\n── {title} {'─' * max(2, 76 - len(title))}", flush=True)


def run(command: list[str], **options: object) -> None:
    code = subprocess.run(command, check=False, **options).returncode
    if code == 130:
        raise KeyboardInterrupt
    if code != 0:
        raise SystemExit(f"`{' '.join(command)}` ended with {code}")


if __name__ == "__main__":
    sys.exit(main())
