"""The moment, the realm and the size that cases do not name."""

EARLIER = "2026-01-01T00:00:00Z"
REALM_UID = "1" * 16
SIZE = 4096
SPECS = {
    "realm.yaml": "id: lab\nactive: pip/campaign-001\n",
    "queue.yaml": "quests:\n  - {id: q1, skill: bin, level: 1, count: 10}\n",
    "skills/bin.yaml": "id: bin\nmax_level: 30\nsource: {command: [python, -m, trainer, generate, bin]}\n",
    "heroes/pip.yaml": """\
id: pip
model:
  init: scratch
  tokenizer: bytes
  family: qwen3
  architecture: Qwen3ForCausalLM
  vocab_size: 320
  context_length: 512
  config: {hidden_size: 8}
training_defaults: {learning_rate: 0.002, max_length: 256}
""",
    "campaigns/pip/campaign-001.yaml": "id: campaign-001\n",
}
"""A realm of one hero, one campaign and one quest."""
