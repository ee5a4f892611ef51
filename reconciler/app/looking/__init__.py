"""How the realm is: `status`, `get`, `history`, `logs`, `events`, `wait`. Reads only."""
