// Runs one file of tape tests and writes a JUnit report of those that ended: a
// testcase per test, not per assertion, since most assertions share one name.
//
//     node tape-junit.js FILE REPORT
'use strict'
const fs = require('fs')
const path = require('path')
const { createRequire } = require('module')
const { inspect } = require('util')

const [file, report] = process.argv.slice(2)
const resolve = createRequire(path.resolve(file))
const tape = resolve('tape')
const tests = new Map() // by tape's id, in order of their start

tape.createStream({ objectMode: true }).on('data', (row) => {
  if (row.type === 'test') {
    const parent = tests.get(row.parent)
    const name = parent ? parent.name + ' > ' + row.name : row.name
    tests.set(row.id, { name, failure: null, skipped: Boolean(row.skip), ended: false })
  } else if (row.type === 'assert' && !row.ok && !row.todo && !row.skip) {
    tests.get(row.test).failure ??= row
    process.exitCode = 1
  } else if (row.type === 'end') {
    tests.get(row.test).ended = true
  }
})

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const text = (said) => String(said)
  .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
  .replace(/[&<>"]/g, (c) => escapes[c])
const attr = (said) => '"' + text(said).replace(/[\t\n\r]/g, (c) => '&#' + c.charCodeAt(0) + ';') + '"'

// What an assertion compared, each on a line of its own, and where it stands.
const compared = (row) => ['operator: ' + row.operator, 'expected: ' + inspect(row.expected), 'actual: ' + inspect(row.actual), 'at: ' + row.at].join('\n')

// First of all listeners, because tape's own ends the process.
process.prependListener('exit', () => {
  const lines = [...tests.values()].filter((t) => t.ended).map((t) => {
    const body = t.failure !== null
      ? '<failure message=' + attr(t.failure.name) + '>' + text(compared(t.failure)) + '</failure>'
      : t.skipped ? '<skipped/>' : ''
    return '  <testcase classname=' + attr(file) + ' name=' + attr(t.name) + '>' + body + '</testcase>\n'
  })
  fs.writeFileSync(report, '<testsuite name=' + attr(file) + '>\n' + lines.join('') + '</testsuite>\n')
})

resolve(path.resolve(file))
