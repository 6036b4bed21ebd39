#!/usr/bin/env bash
# ODDITY: documents, licences and settings of other tools are gone.
# VERIFIES: what tests do not need may go.
# SAMPLE: jpadilla__pyjwt-2.10.1
# TAMPERING: none
rm -r docs README.rst CHANGELOG.rst LICENSE .pre-commit-config.yaml .readthedocs.yaml ruff.toml
