"""`chaos`: a toy realm in a folder of its own is hurt in every way that we know, its promises checked."""
