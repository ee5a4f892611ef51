"""A process is searched for by its cookie once; what is known is not searched for again."""

from reconciler.observed.bearers import Bearers


def test_all_processes_are_looked_at_once_for_several_cookies_and_not_again(fake_proc, monkeypatch) -> None:
    from reconciler.observed import processes

    fake_proc.add(41, cookie="biscuit")
    fake_proc.add(42, cookie="crumb")
    looks = []
    own_pids = processes._own_pids
    monkeypatch.setattr(processes, "_own_pids", lambda proc: looks.append(proc) or own_pids(proc))
    bearers = Bearers(fake_proc.folder)

    assert bearers.living({"biscuit", "crumb"}) == {"biscuit", "crumb"}
    assert bearers.living({"biscuit", "crumb"}) == {"biscuit", "crumb"}
    assert bearers.living(set()) == frozenset()
    assert len(looks) == 1


def test_a_process_that_ended_or_whose_number_another_one_has_is_not_taken_for_it(fake_proc) -> None:
    fake_proc.add(42, cookie="biscuit")
    bearers = Bearers(fake_proc.folder)
    assert bearers.living({"biscuit"}) == {"biscuit"}

    (fake_proc.folder / "42" / "environ").write_bytes(b"HOME=/")

    assert bearers.living({"biscuit"}) == frozenset()
