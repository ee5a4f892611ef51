"""Sources of training problems and their checkers. Nothing here imports torch."""
