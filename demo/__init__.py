"""The sample council's month, and the runs on real input: clients of the public API, like anybody else."""
