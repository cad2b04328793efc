"""Ordering answers that come within a day, at half the price; a crash at any point loses none and pays for none twice.

``lines`` reads and writes single lines, ``files`` cuts orders into files, ``service`` calls, ``orders`` places an order
and finds it again, ``harvest`` brings home what has ended, ``errand`` does all of it for one set of questions.
``openai_api/batch.py`` is the model made of them.
"""
