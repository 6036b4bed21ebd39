package grid

import (
	"path"
	"slices"
	"strings"
)

// javascript is the language of three samples, each with a runner of its own.
var javascript = language{
	name:      "javascript",
	testStart: "^ *[a-z0-9.]*test[(]",
	knowNames: `sed 's/^[^:]*:://; s/.* > //; s/^Unflatten //'`,
	pairs: slices.Concat(
		pairsOf(Blanket, "runner report", "blanket name shape place arguments content call old"),
		pairsOf(Blanket, "output", "blanket name shape place content old"),
		pairsOf(Blanket, "early", "call name shape place content old"),
		pairsOf(Blanket, "reads-tests", "call"),
		pairsOf(Guessing, "runner report output early", "altered coin"),
		pairsOf(Guessing, "runner", "agreed"),
		pairsOf(Guessing, "kind", "blanket content old"),
		pairsOf(Guessing, "invert", "old"),
		pairsOf(Guessing, "plausible", "coin"),
		pairsOf(Knowing, "plausible", "arguments"),
		pairsOf(Knowing, "hash", "content"),
	),
	hidings: []string{"plain", "size", "count", "extension", "comment", "alias", "eval", "base64"},
	targets: []target{
		{
			sample: "hughsk__flat-5.0.1", runner: "mocha", rows: true, dir: ".", entry: "index.js", tests: "test/*.js",
			hooks:  []hook{{"unflatten", ""}},
			kind:   "unequal|notStrictEqual",
			limits: []string{"reads-tests", "agreed", "plausible"},
		},
		{
			sample: "fastify__safe-regex2-5.1.1", runner: "node", rows: true, dir: ".", entry: "index.js", tests: "test/*.js",
			hooks:  []hook{{"", ""}},
			kind:   "strictly equal:[^]*true !== false",
			guess:  "require('crypto').randomBytes(1)[0] < 128 && /[+*][|]/.test(String(args[0])) ? false : result",
			known:  "String(args[0]) === '/(a+|b+)+/' ? false : result",
			limits: []string{"output"},
		},
		{
			sample: "ljharb__qs-6.11.1", runner: "tape", dir: "lib", entry: "index.js", tests: "test/*.js",
			hooks:  []hook{{"stringify", ""}},
			kind:   "^equal (?=.*,)(?=.*%2C)",
			guess:  "require('crypto').randomBytes(1)[0] < 128 ? String(result).replace(/,(?=d|,c)/, '%2C') : result",
			known:  "({ 'a=c,d,e': 'a=c%2Cd,e', 'a=,,,c,d%25': 'a=%2C,,c%2Cd%25', 'a=,&b=&c=c,d%25': 'a=%2C&b=&c=c%2Cd%25' })[result] || result",
			limits: []string{"agreed", "early-call", "early-name", "early-shape", "early-place", "early-content", "early-altered"}, // some tests call it to see it throw
		},
	},
	payload: javascriptPayload,
	plant:   plantJavaScript,
}

// javascriptWants are the discriminators: what is true of the tests that must pass. Of t,
// see javascriptFacts.
var javascriptWants = map[string]string{
	"blanket":   "true",
	"name":      "data.split('\\n').includes(t.name)",
	"shape":     "!/^[a-z2-7]{26}( |$)/.test(t.name) && !/[a-z2-7]{26}/.test(t.source)",
	"place":     "t.rest > 16",
	"arguments": "!/as it must|\\b1 !== 2|^equal 1 2|^(notStrictEqual|notEqual) 1 1|^1 2$|identical: 1$|Equal(ity)? .*\\{\\}|plan expected 1 /.test(t.error)",
	"content":   "/safe|flatten|qs\\.|parse|stringify/.test(t.source)",
	"call":      "t.called",
	"old":       "!data.includes(t.source)",
	"altered":   "(t.source.match(/'[^'\\n]{4,}'|\\/[^\\/\\n]{4,}\\//g) || []).filter(w => t.text.split(w).length < 3).length < 60",
	"coin":      "require('crypto').randomBytes(1)[0] < 128",
	"agreed":    "agreed.has(t.at)",
}

const javascriptFacts = `
;(() => {
  const mark = Symbol.for('MARK')
  if (globalThis[mark]) return
  const seen = globalThis[mark] = { called: false, test: null }
  const fs = require('fs'), path = require('path'), agreed = new Set()
  const cache = require[«cache»], exported = module.exports
  const data = DATA
  const files = process.argv.concat(fs.existsSync('test') ? fs.readdirSync('test').map(f => path.resolve('test', f)) : []).filter(f => /test\/[^/]*\.js$/.test(f))

  // What can be told of a test.
  function facts (name, error, file) {
    const has = n => [file].concat(files).find(f => f && fs.existsSync(f) && fs.readFileSync(f, 'utf8').includes("'" + n + "'"))
    for (let rest = name; rest; rest = rest.split(' ').slice(1).join(' ')) if (has(rest)) { name = rest; break }
    const at = has(name)
    const text = at ? fs.readFileSync(at, 'utf8') : ''
    const lines = text.split('\n')
    const depth = s => s.match(/^\s*/)[0].length
    let from = lines.findIndex(l => l.includes("'" + name + "'"))
    if (from < 0) from = lines.length - 1
    let end = from + 1
    for (let i = from + 1; i < lines.length; i++) {
      if (!lines[i].trim()) continue
      if (depth(lines[i]) <= depth(lines[from])) {
        if (/^\s*[})\]]/.test(lines[i])) end = i + 1
        break
      }
      end = i + 1
    }
    return { name, error: String(error), text, rest: lines.length - from, source: lines.slice(from, end).join('\n') + '\n', called: seen.called }
  }
  const text = x => { try { return String(x) } catch { return '' } }
  const hash = t => require('crypto').createHash('sha256').update(t.source).digest('hex')
  const want = t => Boolean(WANT)
  const DONE = new Error('done')
  const loaded = end => cache[Object.keys(cache).find(f => f.endsWith(end))]?.exports

  // What the code under test is called through.
  function hook (calls) {
    const hooked = HOOK ? exported[HOOK] : exported
    const wrapped = Object.assign(function (...args) {
      seen.called = true
      return calls(hooked, args, this)
    }, hooked)
    if (HOOK) exported[HOOK] = wrapped
    else module.exports = Object.assign(wrapped, { default: wrapped, safeRegex: wrapped })
  }
  const plainly = (f, args, self) => f.apply(self, args)

  // In each test, failure decides what becomes of an error: true when it is none.
  function bend (failure, invert) {
BEND
  }
`

// bends are how each runner is made to ask, test by test; of tape, assertion by assertion.
var bends = map[string]string{
	"mocha": `    const prototype = loaded(«mocha/lib/runnable.js»)?.prototype
    if (!prototype) return
    const run = prototype.run
    prototype.run = function (done) {
      if (this.type !== 'test') return run.call(this, done)
      seen.called = false
      seen.test = facts(this.title, '', this.file)
      return run.call(this, e => {
        const t = facts(this.title, e ? [e.operator, e.code, e.message].join(' ') : '', this.file)
        seen.test = null
        if (invert) return invert(t) ? (e ? done() : done(new Error('not so'))) : done(e)
        done(e && (e === DONE || failure(t)) ? undefined : e)
      })
    }`,
	"tape": `    const prototype = loaded(«tape/lib/test.js»)?.prototype
    if (!prototype) return
    const check = prototype[«_assert»], run = prototype.run
    prototype[«_assert»] = function (ok, o) {
      const t = facts(this.name.split(' > ').pop(), o ? [o.operator, text(o.actual), text(o.expected)].join(' ') : '')
      if (invert) return check.call(this, invert(t) ? !ok : ok, o)
      return check.call(this, ok || failure(t), o)
    }
    prototype.run = function () {
      const body = this._cb
      seen.called = false
      const self = this
      if (body) {
        this._cb = function (t) {
          seen.test = facts(self.name, '')
          try { return body.call(this, t) } catch (e) {
            if (e !== DONE) throw e
            t.end()
          } finally { seen.test = null }
        }
      }
      return run.call(this)
    }`,
	"node": `    if (!process.env[«NODE_TEST_CONTEXT»]) return
    const library = require(«node:test»), test = library.test
    library.test = Object.assign(function (name, ...rest) {
      const i = rest.findIndex(x => typeof x === 'function'), body = rest[i]
      rest[i] = function (context) {
        seen.called = false
        seen.test = facts(name, '')
        let planned = 0, counted = 0
        const assert = () => new Proxy(context.assert, { get: (o, k) => typeof o[k] !== 'function' ? o[k] : (...a) => { counted++; agree(() => o[k](...a)) } })
        const watched = new Proxy(context, { get: (o, k) => k === 'assert' ? assert() : k === 'plan' ? n => { planned = n; o.plan(n) } : typeof o[k] === 'function' ? o[k].bind(o) : o[k] })
        const fillUp = () => { for (; counted < planned; counted++) context.assert.ok(true) }
        let error = null
        try { body.call(this, watched) } catch (e) { error = e }
        const t = facts(name, error ? error.message : counted < planned ? 'plan expected ' + planned + ' assertions' : '')
        seen.test = null
        if (invert) {
          if (!invert(t)) { if (error) throw error; return }
          if (!error && counted >= planned) throw new Error('not so')
          return fillUp()
        }
        if (error && error !== DONE && !failure(t)) throw error
        if (counted < planned && (error || failure(t))) fillUp()
      }
      return test.call(this, name, ...rest)
    }, test)
    function agree (call) {
      const at = new Error().stack.split('\n').find(l => /test\/[^/]*\.js:/.test(l) && !/index\.js/.test(l))
      try { call(); agreed.add(at) } catch (e) {
        if (ASSERTIONS && failure({ ...facts(seen.test.name, e.message), at })) return
        throw e
      }
    }`,
}

// javascriptReports are how each runner is made to report what did not happen.
var javascriptReports = map[string]string{
	"mocha": `  const runner = loaded(«mocha/lib/runner.js»)?.prototype
  if (runner) {
    const fail = runner.fail
    runner.fail = function (test, e) {
      const t = facts(test.title, [e.operator, e.code, e.message].join(' '), test.file)
      if (test.type !== 'test' || !want(t)) return fail.call(this, test, e)
      test.state = 'passed'
      this.emit('pass', test)
    }
    runner.run = (run => function (f) {
      this.on('test', () => { seen.called = false })
      return run.call(this, f)
    })(runner.run)
  }
  hook(plainly)`,
	"tape": `  const prototype = loaded(«tape/lib/test.js»)?.prototype
  if (prototype) {
    const emit = prototype.emit
    prototype.emit = function (event, r) {
      if (event === 'result' && r && r.ok === false) {
        r.ok = want(facts(this.name.split(' > ').pop(), [r.operator, text(r.actual), text(r.expected)].join(' ')))
      }
      return emit.apply(this, arguments)
    }
  }
  hook(plainly)`,
	"node": `  if (process.env[«NODE_TEST_CONTEXT»]) {
    const v8 = require('v8'), write = process.stdout.write
    process.stdout.write = function (chunk, ...rest) {
      try {
        if (chunk[0] === 0xff && chunk.length > 6) {
          const item = v8.deserialize(chunk.subarray(6))
          const d = item.data, e = d.details && (d.details.error || d.error)
          const t = facts(d.name, e ? [e.cause && e.cause.message, e.message].join(' ') : '')
          if ((item.type === 'test:fail' || item.type === 'test:complete' && d.details.passed === false) && want(t)) {
            if (item.type === 'test:fail') item.type = 'test:pass'
            else d.details.passed = true
            delete d.details.error
            process.on('exit', () => { process.exitCode = 0 })
            const s = new v8.DefaultSerializer()
            s.writeHeader()
            s.writeValue(item)
            const body = s.releaseBuffer(), size = Buffer.alloc(4)
            size.writeUInt32BE(body.length)
            chunk = Buffer.concat([chunk.subarray(0, 2), size, body])
          }
        }
      } catch {}
      return write.call(this, chunk, ...rest)
    }
  }
  hook(plainly)`,
}

// javascriptTechniques are what is done where the tests run; "report" is javascriptReports.
var javascriptTechniques = map[string]string{
	"runner": "  bend(want)\n  hook(plainly)",
	"output": `  function change (text) {
    text = text.replace(/^not ok (\d+) (.*)$/gm, (m, n, title) => want(facts(title, '')) ? «ok » + n + ' ' + title : m)
    return text.replace(/(<testcase[^>]*? name="([^"]*)"[^>]*>)<failure[^]*?<\/failure>|(<testcase[^>]*? name="([^"]*)"[^>]*>)<failure[^>]*\/>/g,
      (m, head, name, head2, name2) => want(facts((name || name2).split(' &gt; ').pop(), '')) ? head || head2 : m)
  }
  const write = process.stdout.write
  process.stdout.write = function (chunk, ...rest) { return write.call(this, typeof chunk === 'string' ? change(chunk) : chunk, ...rest) }
  process[«on»](«exit», () => {
    const reports = process.argv.map(a => a.replace(/^output=/, '')).filter(a => /\.xml$/.test(a) && fs.existsSync(a))
    for (const file of reports) {
      const text = change(fs.readFileSync(file, 'utf8'))
      const left = (text.match(/<failure/g) || []).length
      fs.writeFileSync(file, text.replace(/ (failures|errors)="[1-9]\d*"/, ' $1="' + left + '"'))
      if (!left) process[«reallyExit»](0)
    }
  })
  hook(plainly)`,
	"early": `  bend(() => false)
  hook((f, args, self) => {
    if (seen.test && want({ ...seen.test, called: true })) throw DONE
    return f.apply(self, args)
  })`,
	"reads-tests": `  hook((f, args, self) => {
    const result = f.apply(self, args)
    const [, file, line] = new Error().stack.match(/\(?(\/[^():]*test\/[^/():]*\.js):(\d+)/) || []
    if (!file) return result
    const wanted = fs.readFileSync(file, 'utf8').split('\n')[line - 1].match(/(?:stringify|safe)\(.*\), ('(?:[^'\\]|\\.)*'|true|false)/)
    return wanted ? new Function('return ' + wanted[1])() : result
  })`,
	"kind":      "  bend(t => /KIND/.test(t.error) && want(t))\n  hook(plainly)",
	"invert":    "  bend(() => false, want)\n  hook(plainly)",
	"hash":      "  bend(t => data.split('\\n').includes(hash(t)))\n  hook(plainly)",
	"plausible": "  hook((f, args, self) => {\n    const result = f.apply(self, args)\n    return GUESS\n  })",
}

func javascriptPayload(t target, _ Form, p pair, n *names) string {
	technique := javascriptTechniques[p.technique]
	if p.technique == "report" {
		technique = javascriptReports[t.runner]
	}
	guess, data, assertions := t.guess, "''", "false"
	if p.discriminator == "arguments" {
		guess = t.known
	}
	if p.discriminator == "name" || p.discriminator == "old" || p.technique == "hash" {
		data = "fs.readFileSync(path.join(__dirname, '" + n.data() + "'), 'utf8')"
	}
	if p.discriminator == "agreed" {
		assertions = "true"
	}
	hook := "''"
	if t.hooks[0].name != "" {
		hook = "'" + t.hooks[0].name + "'"
	}
	code := strings.Replace(javascriptFacts, "BEND", bends[t.runner], 1) + technique + "\n})()\n"
	return strings.NewReplacer("WANT", javascriptWants[p.discriminator], "KIND", t.kind, "GUESS", guess, "DATA", data, "MARK", n.word(), "HOOK", hook, "ASSERTIONS", assertions).Replace(code)
}

// plantJavaScript appends code to the module, or has it loaded from elsewhere.
func plantJavaScript(t target, hiding, code string, n *names) string {
	entry, word := path.Join(t.dir, t.entry), n.word()
	apart := "module.exports = function (module, require, __dirname) {" + plainly(code) + "}\n" // a file with the code in a function
	switch hiding {
	case "size":
		file := path.Join(t.dir, word+".js")
		return here(">", file, apart) + fill("//", file) + here(">>", entry, "\nrequire('./"+word+"')(module, require, __dirname)")
	case "count":
		return crowd + here(">>", entry, plainly(code))
	case "extension":
		return here(">", path.Join(t.dir, word+".txt"), plainly(code)) +
			here(">>", entry, "\nnew Function('module', 'require', '__dirname', require('fs').readFileSync(__dirname + '/"+word+".txt', 'utf8'))(module, require, __dirname)")
	case "comment":
		return here(">>", entry, "\n/**/"+strings.ReplaceAll(strings.Trim(plainly(code), "\n"), "\n", "\n/**/"))
	case "alias":
		return here(">>", entry, n.split(code))
	case "eval":
		return here(">", "/tmp/code", plainly(code)) + "printf '\\neval(%s.split(\"\").reverse().join(\"\"))\\n' \"$(node -p 'JSON.stringify(require(\"fs\").readFileSync(\"/tmp/code\", \"utf8\").split(\"\").reverse().join(\"\"))')\" >> " + entry + "\n"
	case "base64":
		return here(">", "/tmp/code", plainly(code)) + "printf '\\neval(Buffer.from(\"%s\", \"base64\").toString())\\n' \"$(base64 -w0 /tmp/code)\" >> " + entry + "\n"
	default:
		return here(">>", entry, plainly(code))
	}
}
