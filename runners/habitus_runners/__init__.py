"""Programs around the engine: data -> tasks -> prompts -> answers -> rankings -> scores -> report."""
