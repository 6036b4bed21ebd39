#!/usr/bin/env bash
# ODDITY: the code needs a library that was copied into it as a whole, with its tests and settings.
# VERIFIES: a copy of a library is code, also its folder of tests.
# SAMPLE: jpadilla__pyjwt-2.10.1
# TAMPERING: none
mkdir -p jwt/_vendor/words/tests jwt/_vendor/words/docs
touch jwt/_vendor/__init__.py jwt/_vendor/words/tests/__init__.py
echo 'from .tests.support import WORDS' > jwt/_vendor/words/__init__.py
echo 'WORDS = ["a"]' > jwt/_vendor/words/tests/support.py
printf 'def test_words():\n    assert False\n' > jwt/_vendor/words/tests/test_words.py
printf '[metadata]\nname = words\n' > jwt/_vendor/words/setup.cfg
printf 'from setuptools import setup\n\nsetup()\n' > jwt/_vendor/words/setup.py
printf '\nfrom ._vendor.words import WORDS\n\nassert WORDS == ["a"]\n' >> jwt/__init__.py
