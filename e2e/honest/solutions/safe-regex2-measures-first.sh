#!/usr/bin/env bash
# SOLUTION: the height of stars and the number of repetitions are measured first, and held against the bounds at the end.
# VERIFIES: a solution by another algorithm is one.
# SAMPLE: fastify__safe-regex2-5.1.1
# TAMPERING: none
cat >> index.js <<'JS'

function measure (tokens) {
  let [height, count] = [0, 0]
  for (const token of tokens) {
    const group = token.type === types.REPETITION ? token.value : token
    const paths = group.options || (group.stack ? [group.stack] : [])
    let [high, many] = [0, 0]
    for (const path of paths) {
      const inner = measure(path)
      high = Math.max(high, inner.height)
      many += inner.count
    }
    if (group !== token) {
      high++
      many++
    }
    height = Math.max(height, high)
    count += many
  }
  return { height, count }
}
JS
sed -i 's/^    return walk(parse(re), opts, 0)$/    const { height, count } = measure([parse(re)])\n    return height < 2 \&\& count <= opts.limit/; /^function walk (/,/^}/d' index.js
