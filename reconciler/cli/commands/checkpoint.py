"""`checkpoint`: a request to the loop."""

from reconciler.cli.requesting import request_command

command = request_command(
    "checkpoint",
    "Ask the trainer of CAMPAIGN (default: the active one) to save at its next update, and to go on.",
    [
        ("reconcile checkpoint --wait", "Return once the checkpoint is there."),
        ('reconcile checkpoint tiny-adamw/campaign-001 --why "before the storm"', "Of one campaign."),
    ],
)
