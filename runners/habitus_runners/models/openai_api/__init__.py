"""Models behind a service that speaks OpenAI's protocol: OpenAI, Azure, vLLM, llama.cpp, Ollama and many more.

``client`` opens connections, ``keys`` holds secrets, ``wire`` writes requests and reads completions. ``chat`` asks one
by one, ``batch`` orders many at once. Loaded only when such a model is asked.
"""

from importlib.util import find_spec

from habitus_runners.errors import HabitusError

for _package in ("openai", "stamina", "aiolimiter"):
    if find_spec(_package) is None:
        raise HabitusError(f"expected the package {_package}, found none; pip install 'habitus[openai]' brings it")
