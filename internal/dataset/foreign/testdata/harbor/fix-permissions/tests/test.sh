#!/bin/bash
if [ "$(cat /tests/data/want.txt)" = "$MODE" ]; then echo 1; else echo 0; fi > /logs/verifier/reward.txt
