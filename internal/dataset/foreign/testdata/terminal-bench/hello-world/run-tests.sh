#!/bin/bash
cat "$TEST_DIR/summary.txt"
