"""What is: disk, GPUs, processes, runs, checkpoints, models, quest files. Reads only, trusts nothing."""
