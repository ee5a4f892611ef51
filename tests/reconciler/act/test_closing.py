"""A run is confirmed and closed once, and what was given up can never be claimed."""

import sys
import time
from typing import Any

from tiny_realm import NOW

from reconciler.act.launcher import LocalLauncher
from reconciler.act.office import enter_office
from reconciler.plan import actions as a
from state.atomic import write_json
from state.contract.status import RunStatus

CODE = "c" * 40


def run_row(realm: Any) -> Any:
    return realm.view().runs[0]


def test_confirming_writes_down_the_process(realm: Any, make: Any) -> None:
    realm.done(make.launch(), a.ConfirmRun(**make.key, pid=4242))

    assert (run_row(realm).state, run_row(realm).pid) == ("running", 4242)


def test_a_run_given_up_before_its_trainer_came_can_never_be_claimed(realm: Any, make: Any) -> None:
    realm.done(make.launch(), make.close("never_started"))

    claim = realm.json(realm.run.process)
    assert (claim["pid"], claim["cookie"]) == (0, "revoked")
    straggler, realm.has_processes = make.tiny_trainers(), True
    env = {"REALM_RUN_COOKIE": realm.cookie}
    argv = [sys.executable, "-m", "trainer", "run", "--request", str(realm.run.request)]
    straggler.spawn(argv, env=env, log=realm.run.log, cwd=realm.run.folder)
    assert _exit_codes(straggler) == [75]
    assert realm.json(realm.run.process) == claim


def test_what_was_half_written_for_a_run_is_swept_once_it_is_over_and_not_before(
    realm: Any, make: Any
) -> None:
    realm.done(make.launch())
    left = realm.run.folder / ".staging-orders.json.1"
    left.write_text("half")
    enter_office(realm.layout, NOW).close()
    assert left.exists()  # a trainer that claims it later may be writing there

    realm.done(make.close("never_started"))
    left.write_text("half")  # closing failed before it came to that
    enter_office(realm.layout, NOW).close()
    assert not left.exists()


def _exit_codes(launcher: LocalLauncher) -> list[int]:
    deadline = time.monotonic() + 100
    while not (left := launcher.reap()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return [child.exit_code for child in left]


def test_a_slow_trainer_that_claims_at_the_last_moment_is_left_alone(realm: Any, make: Any) -> None:
    realm.start_trainer()

    outcome = realm.fails(make.close("never_started"))

    assert outcome.text.startswith("claimed after all")
    assert run_row(realm).state != "ended"


def test_a_run_whose_trainer_lives_is_not_closed(realm: Any, make: Any) -> None:
    realm.start_trainer()

    assert "its trainer lives (pid " in realm.fails(make.close("lost")).text


def test_closing_writes_down_how_it_ended_and_does_so_once(realm: Any, make: Any) -> None:
    realm.done(make.launch())
    end = make.close(
        "failed", failure_class="oom", final_step=3, ended_at="2026-01-31T13:00:00Z", quest_id="sums"
    )
    realm.done(end)
    realm.done(make.close("lost"))

    row = run_row(realm)
    assert (row.state, row.end, row.failure_class, row.final_step) == ("ended", "failed", "oom", 3)
    assert (row.ended_at, row.quest_id, row.message) == ("2026-01-31T13:00:00Z", "sums", "so it was")


def test_what_the_run_took_of_memory_is_kept_with_its_end(realm: Any, make: Any) -> None:
    realm.done(make.launch())
    told = RunStatus(
        phase="exited", updated_at="2026-01-31T13:00:00Z", orders_sequence=1, step=3, peak_memory_bytes=9_000
    )
    write_json(realm.run.status, told)
    realm.done(make.close("lost"))

    assert run_row(realm).peak_memory_bytes == 9_000


def test_a_run_that_told_nothing_readable_took_nobody_knows_what(realm: Any, make: Any) -> None:
    realm.done(make.launch())
    realm.run.status.write_text("{")
    realm.done(make.close("lost"))

    assert run_row(realm).peak_memory_bytes is None


def update(step: int, seconds: float, tokens: int) -> str:
    return f'{{"kind":"update","at":"2026-01-31T12:00:00Z","step":{step},"seconds":{seconds},"tokens":{tokens}}}\n'


def test_what_the_run_did_and_in_what_time_is_kept_with_its_end(realm: Any, make: Any) -> None:
    realm.done(make.launch())
    told = "".join(update(step, 0.5, 100) for step in range(1, 13))
    told += '{"kind":"checkpoint","at":"2026-01-31T12:00:00Z","step":12,"seconds":9.0,"stall_seconds":0.25}\n'
    told += '{"kind":"evaluation","at":"2026-01-31T12:00:00Z","step":12,"seconds":0.75}\n{"kind":"upd'
    realm.run.metrics.write_text(told)
    realm.done(make.close("lost"))

    row = run_row(realm)
    assert (row.num_updates, row.num_tokens, row.busy_seconds) == (12, 1200, 7.0)
    assert row.expected_seconds is None


def test_a_run_without_metrics_is_closed_and_did_nobody_knows_what(realm: Any, make: Any) -> None:
    realm.done(make.launch(), make.close("lost"))

    assert (run_row(realm).state, run_row(realm).num_updates) == ("ended", None)


def test_what_its_gpu_took_of_energy_is_kept_only_where_every_update_tells_it(realm: Any, make: Any) -> None:
    realm.done(make.launch())
    told = [update(step, 0.5, 100).replace("}", ',"energy_joules":40.5}') for step in range(1, 5)]
    realm.run.metrics.write_text("".join(told))
    realm.done(make.close("lost"))
    assert run_row(realm).energy_joules == 162.0


def test_of_a_run_whose_counter_was_silent_once_the_energy_is_not_known(realm: Any, make: Any) -> None:
    realm.done(make.launch())
    told = update(1, 0.5, 100).replace("}", ',"energy_joules":40.5}') + update(2, 0.5, 100)
    realm.run.metrics.write_text(told)
    realm.done(make.close("lost"))
    assert (run_row(realm).num_updates, run_row(realm).energy_joules) == (2, None)
