"""What a model reads and what its answer meant: tasks become prompts, answers become rankings. Scores nothing."""
