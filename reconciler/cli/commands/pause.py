"""`pause`: a request to the loop."""

from reconciler.cli.requesting import request_command

command = request_command(
    "pause",
    "Ask the trainer of CAMPAIGN (default: the active one) to save and wait with the model loaded.",
    [
        ('reconcile pause --why "the room is too warm"', "Pause the active campaign."),
        ("reconcile pause tiny-adamw/campaign-001 --wait", "Return once its trainer has paused."),
    ],
)
