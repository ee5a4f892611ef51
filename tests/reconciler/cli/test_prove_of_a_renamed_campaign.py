"""`prove` of a campaign that was renamed: it is one, and called as it is now."""

import msgspec

NOW, BEFORE = "pip/first-light", "pip/campaign-001"


def test_what_was_saved_under_a_former_name_is_of_the_same_campaign(run, store, rows, manifest) -> None:
    uid = rows.campaign().uid
    store.write([rows.campaign(name=NOW)])
    old = manifest(uid, 10, campaign=BEFORE)
    new = manifest(uid, 20, campaign=NOW, parent_step=10, parent_digest=old.digest)
    for sequence, one in enumerate((old, new), start=1):
        folder = store.layout.campaign(NOW).checkpoints / f"checkpoint-{one.step}"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"weights")
        (folder / "manifest.json").write_bytes(msgspec.json.encode(one))
        store.write([rows.ledger(step=one.step, sequence=sequence, digest=one.digest)])

    told = run("prove", f"{NOW}@20").stdout.splitlines()[0]

    assert told.partition("): ")[2] == f"2 checkpoints, from {NOW}@10 on"
