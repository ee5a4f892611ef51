"""`stop`: a request to the loop."""

from reconciler.cli.requesting import request_command

command = request_command(
    "stop",
    "Ask the trainer of CAMPAIGN (default: the active one) to save and leave, until resume.",
    [
        ('reconcile stop --why "the card is needed" --wait', "Free the GPU; nothing is lost."),
        ("reconcile stop tiny-adamw/campaign-001", "Stop one campaign."),
    ],
)
