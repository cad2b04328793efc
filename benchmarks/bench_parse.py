"""How fast prompts are rendered and answers read, on one core. Run: python benchmarks/bench_parse.py."""

import json
import random
import time
from collections.abc import Callable

import polars as pl
import pyarrow as pa

from habitus_runners.datasets.dataset import MOVIES, Dataset, Level
from habitus_runners.prompts.rankings import rankings
from habitus_runners.prompts.render import Prompts
from habitus_runners.settings import Settings
from habitus_runners.tables import answers_schema, tasks_schema

TASKS, MODELS, ITEMS, K, N = 5_000, 14, 3_630, 50, 10
STYLES: dict[str, Callable[[list[str]], str]] = {
    "JSON": lambda titles: json.dumps(titles, ensure_ascii=False),
    "fenced JSON": lambda titles: f"Sure!\n```json\n{json.dumps(titles)}\n```\nEnjoy.",
    "numbered Markdown": lambda titles: "\n".join(
        f"{at}. **{title.lower()}** - nice" for at, title in enumerate(titles)
    ),
}


def dataset() -> Dataset:
    titles = [f"Invented Story {number * 7919}, The ({1920 + number % 80})" for number in range(ITEMS)]
    items = pl.DataFrame({"item_id": [str(item) for item in range(ITEMS)], "title": titles})
    return Dataset("invented", MOVIES, pl.DataFrame(), items, pl.DataFrame(), (Level("age", ("age",)),), {"age": "Age"})


def tasks(draw: random.Random) -> pa.Table:
    schema = tasks_schema(K, ("age",))
    rows = [
        {
            "task_id": str(task),
            "setup": "ABCN"[task % 4],
            "value": {"age": "25-34"},
            "history": draw.sample(range(ITEMS), 5),
            "candidates": draw.sample(range(ITEMS), K),
            "counts": [0] * K,
        }
        for task in range(TASKS)
    ]
    return pa.Table.from_pylist([dict.fromkeys(schema.names) | row for row in rows], schema)


def answers(table: pa.Table, titles: list[str], style: Callable[[list[str]], str], draw: random.Random) -> pa.Table:
    schema, candidates = answers_schema(), table["candidates"].to_pylist()
    texts = [
        style([titles[item] for item in draw.sample(candidates[task], N)])
        for _ in range(MODELS)
        for task in range(TASKS)
    ]
    ids = [str(task) for _ in range(MODELS) for task in range(TASKS)]
    numbers = pa.array([str(number) for number in range(len(ids))])
    columns = {"answer_id": numbers, "task_id": pa.array(ids), "text": pa.array(texts)}
    missing = {field.name: pa.nulls(len(ids), field.type) for field in schema if field.name not in columns}
    return pa.table({name: (columns | missing)[name] for name in schema.names}, schema=schema)


def main() -> None:
    draw = random.Random(0)  # noqa: S311 - draws titles, not keys
    data, table = dataset(), tasks(draw)
    titles = data.items["title"].to_list()
    prompts = Prompts(data, Settings())
    start = time.process_time()
    prompts.texts(table)
    print(f"{TASKS} prompts of {K} titles: {time.process_time() - start:.2f} s")
    for name, style in STYLES.items():
        written = answers(table, titles, style, draw)
        start = time.process_time()
        read = rankings(written, table, titles, N)
        seconds = time.process_time() - start
        assert min(min(row) for row in read["ranking"].to_pylist()) >= 0
        each = 1e6 * seconds / read.num_rows
        print(f"{read.num_rows} answers of {N} titles, {name}: {seconds:.2f} s, {each:.0f} us each")


if __name__ == "__main__":
    main()
