"""`python bare_client.py URL QUESTIONS CONCURRENCY`: OpenAI's own client and a semaphore, and nothing else."""

import asyncio
import json
import sys
from pathlib import Path

from openai import AsyncOpenAI


async def ask(url: str, prompts: list[str], concurrency: int) -> int:
    """Answers that came."""
    slots = asyncio.Semaphore(concurrency)
    async with AsyncOpenAI(base_url=url, api_key="not-needed", max_retries=0) as client:

        async def one(prompt: str) -> str | None:
            async with slots:
                answer = await client.chat.completions.create(
                    model="small",
                    messages=[{"role": "user", "content": prompt}],
                    temperature=0,
                    seed=0,
                    max_tokens=1024,
                )
            return answer.choices[0].message.content

        return sum(text is not None for text in await asyncio.gather(*map(one, prompts)))


if __name__ == "__main__":
    _, url, questions, concurrency = sys.argv
    lines = Path(questions).read_text("utf-8").splitlines()
    print(asyncio.run(ask(url, [json.loads(line)["prompt"] for line in lines], int(concurrency))))
