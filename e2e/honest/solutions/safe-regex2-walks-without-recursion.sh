#!/usr/bin/env bash
# SOLUTION: the tree is walked with a list of what is left to see, and a repetition of a repetition is seen, too.
# VERIFIES: a solution by another algorithm, that refuses a little more, is one.
# SAMPLE: fastify__safe-regex2-5.1.1
# TAMPERING: none
cat > walk.js <<'JS'
'use strict'

const { types } = require('ret')

/**
 * Every token below one, whatever holds it.
 */
function below (node) {
  const held = typeof node.value === 'object' && node.value !== null ? [node.value] : []
  return held.concat(node.stack ?? [], ...(node.options ?? []))
}

module.exports = function walk (root, opts) {
  const left = [[root, 0]]
  while (left.length > 0) {
    const [node, outside] = left.pop()
    let stars = outside
    if (node.type === types.REPETITION) {
      stars++
      if (stars === 2 || ++opts.reps > opts.limit) return false
    }
    for (const next of below(node)) left.push([next, stars])
  }
  return true
}
JS
sed -i "/^function walk (/,/^}/d; s/^const { types } = .*/const walk = require('.\/walk')/; s/walk(parse(re), opts, 0)/walk(parse(re), opts)/" index.js
