"""`resume`: a request to the loop."""

from reconciler.cli.requesting import request_command

command = request_command(
    "resume",
    "Lift a pause or a stop of CAMPAIGN (default: the active one), and forgive earlier failures.",
    [
        ("reconcile resume", "Let the active campaign go on."),
        ("reconcile resume tiny-adamw/campaign-001 --wait", "Return once the loop has taken it up."),
    ],
)
