package rounds

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"assay"
	"assay/internal/alteration/search"
	"assay/internal/evaluate"
)

// Tester runs suites. *evaluate.Evaluator is one.
type Tester interface {
	Evaluate(ctx context.Context, req evaluate.Request) (*assay.Verdict, error)
	Try(ctx context.Context, req evaluate.TrialRequest) (*evaluate.Trial, error)
	Tests(ctx context.Context, id string, sample *assay.Sample) (*evaluate.TestTree, error)
}

// Limiter lets runs go beside the one that a play always makes. A *semaphore.Weighted of
// golang.org/x/sync is one.
type Limiter interface {
	TryAcquire(n int64) bool
	Release(n int64)
}

// Config says what a Player works with.
type Config struct {
	Tester  Tester
	Limiter Limiter // Defaults to one run after the other
}

// Player plays. It is safe for concurrent use.
type Player struct {
	cfg   Config
	tried tried
}

// New returns a Player.
func New(cfg Config) *Player { return &Player{cfg: cfg} }

// Request says what to play. What is known, the seed and what was shown are secrets.
type Request struct {
	Plain evaluate.Request // the work; Alterable is set by the play
	Known *search.Result   // Defaults to nothing, and then the plain run is all
	Seed  Seed             // see DeriveSeed. It or SeedOf must be set where anything is known
	// SeedOf, if set, makes the seed when rounds begin, where it takes time to know it.
	SeedOf func(context.Context) (Seed, error)

	// Shown tells by the number of an alteration in Known how often it was shown until now:
	// those that were shown least are shown first. It may be short. A play that is begun again
	// keeps its alterations with it, and its sequences without.
	Shown []int

	Rounds int // 1 to assay.MaxRounds. Defaults to assay.AlterationRounds
	// MaxOdds asks for more rounds, until the odds are at most this or there are assay.MaxRounds.
	// 0 and 1 ask for none.
	MaxOdds float64
	Fresh   assay.Fresh // Defaults to assay.FreshInform

	Answers  Answers
	Exposure Exposure

	// Began, if set, is told that the work looks solved and that rounds begin: a play that is
	// cancelled from here on is refused. Its error ends the play.
	Began func(context.Context) error
}

// withDefaults returns the request with its defaults, or what is wrong with it.
func (r Request) withDefaults() (Request, error) {
	if r.Rounds == 0 {
		r.Rounds = assay.AlterationRounds
	}
	if r.Fresh == "" {
		r.Fresh = assay.FreshInform
	}
	switch {
	case r.Rounds < 1 || r.Rounds > assay.MaxRounds:
		return r, fmt.Errorf("play: %d rounds are not within 1 and %d", r.Rounds, assay.MaxRounds)
	case !(r.MaxOdds >= 0 && r.MaxOdds <= 1): // NaN is neither
		return r, fmt.Errorf("play: odds of at most %v are no chance", r.MaxOdds)
	case r.Fresh != assay.FreshInform && r.Fresh != assay.FreshRequire && r.Fresh != assay.FreshOff:
		return r, fmt.Errorf("play: fresh truths are not for %q", r.Fresh)
	}
	return r, nil
}

// RefusedReason is what a verdict says of every work that rounds refuse, whatever it did in
// them.
const RefusedReason = "the expected tests passed as they are, but not all of them did what they must in rounds in which some were altered"

// Play judges a work: by its plain run and, if that looks solved and alterations are known,
// by rounds. The error is about us or about the sample, see evaluate.FailureOf; with it there
// is an Outcome if rounds had begun, and never a verdict.
func (pl *Player) Play(ctx context.Context, req Request) (*assay.Verdict, *Outcome, error) {
	req, err := req.withDefaults()
	if err != nil {
		return nil, nil, err
	}
	plan := newPlan(req.Plain.Sample, req.Known, req.Fresh)
	if plan.draws() && req.SeedOf == nil && req.Seed == (Seed{}) {
		return nil, nil, errors.New("play: there is no seed")
	}
	plain := req.Plain
	plain.Alterable = plan.controlsAll()
	verdict, err := pl.cfg.Tester.Evaluate(ctx, plain)
	switch {
	case err != nil:
		return nil, nil, err
	case !verdict.Solved:
		return verdict, newPlay(pl.cfg, plan, req).outcome(Unsolved), nil
	case !plan.draws():
		return verdict, newPlay(pl.cfg, plan, req).outcome(Solved), nil
	}
	if req, err = begin(ctx, req); err != nil {
		return nil, nil, err
	}
	p := newPlay(pl.cfg, plan, req)
	p.began = true
	if err := p.run(ctx, pl, verdict); err != nil {
		return nil, p.outcome(Interrupted), fmt.Errorf("play rounds of sample %s/%s: %w", p.sample.Dataset, p.sample.ID, err)
	}
	if p.refused() {
		verdict.Solved, verdict.Reason = false, RefusedReason
		return verdict, p.outcome(Refused), nil
	}
	return verdict, p.outcome(Solved), nil
}

// begin tells that rounds begin, and returns the request with its seed.
func begin(ctx context.Context, req Request) (Request, error) {
	if req.Began != nil {
		if err := req.Began(ctx); err != nil {
			return req, fmt.Errorf("store that rounds begin: %w", err)
		}
	}
	if req.SeedOf == nil {
		return req, nil
	}
	seed, err := req.SeedOf(ctx)
	if err != nil {
		return req, fmt.Errorf("make the seed of rounds: %w", err)
	}
	req.Seed = seed
	return req, nil
}

// play is one play.
type play struct {
	*plan
	Config
	req     Request
	sample  *assay.Sample
	began   bool
	texts   texts
	timeout time.Duration // of a suite
	rounds  int           // of a first sequence
	stand   map[*unit]*standing
	differs differences

	mu     sync.Mutex
	voids  int
	runs   int // that were made, the plain one aside
	shown  map[int]int
	flaky  map[int]bool // alterations that the reference fix passed
	narrow *narrowed    // how the tests are run, where not all are
	does   excuses      // of runs with the reference fix, whatever was shown in them
}

// standing is where a unit stands in a play.
type standing struct {
	face      face
	tests     map[string]int // their order, where several can be covered
	rank      map[int]int    // the order of alterations
	sequences int
	odds      float64      // of the sequences so far, 0 if nothing is blind
	out       map[int]bool // alterations that the work passed, and that are shown no more
	bitten    bool         // an altered showing failed as demanded
	blindly   bool         // one that the unsolved code cannot tell did
	asked     bool         // there are such
	end       End
}

func newPlay(cfg Config, plan *plan, req Request) *play {
	p := &play{
		plan: plan, Config: cfg, req: req, sample: req.Plain.Sample,
		stand: make(map[*unit]*standing), shown: make(map[int]int), flaky: make(map[int]bool),
	}
	for _, u := range plan.units {
		tests := order(req.Seed, u.name, "tests", u.tests)
		p.stand[u] = &standing{
			face: plan.faceOf(u, nil, tests), tests: tests, rank: order(req.Seed, u.name, "alterations", u.alterations),
			out: make(map[int]bool), end: Unplayed,
			asked: slices.ContainsFunc(u.alterations, func(i int) bool { return plan.known.Alterations[i].Alike() }),
		}
	}
	p.rounds = p.length(req.Rounds, 0)
	return p
}

// length is how many rounds a sequence has, at least some: so many that the odds of what was
// played and of it are as they are wanted, as far as that can be.
func (p *play) length(least int, played float64) int {
	blind := false
	for _, s := range p.stand {
		blind = blind || s.face.blind
	}
	if p.req.MaxOdds == 0 || p.req.MaxOdds == 1 || !blind {
		return least
	}
	n := least
	for n < assay.MaxRounds && played+search.Odds(n) > p.req.MaxOdds {
		n++
	}
	return n
}

// run plays the rounds.
func (p *play) run(ctx context.Context, pl *Player, plain *assay.Verdict) error {
	p.timeout = timeoutOf(p.sample, plain.Duration)
	tree, err := p.Tester.Tests(ctx, assay.NewID(assay.PrefixVerification), p.sample)
	if err != nil {
		return err
	}
	if p.texts, err = p.textsOf(tree); err != nil {
		return err
	}
	if p.narrow, err = pl.narrow(ctx, p); err != nil {
		return err
	}
	var beside []task
	if p.req.Fresh == assay.FreshInform {
		beside = append(beside, p.compare)
	}
	again, err := p.wave(ctx, 0, p.units, p.rounds, beside...)
	if err != nil || len(again) == 0 || p.refused() {
		return err
	}
	p.widen() // what fails twice is to have failed in the whole suite, too
	_, err = p.wave(ctx, 1, again, p.length(p.rounds, search.Odds(p.rounds)))
	return err
}

// refused tells whether what was played until now refuses the work: a unit does, or nothing
// altered was seen to fail. What fails of tests that pass anyway does not speak for one that
// passes several altered versions of what is to be solved, and fails none; nor does what the
// unsolved code tells from the true test, where it does not tell others: who passes one kind
// of failure fails whatever fails in another way.
func (p *play) refused() bool {
	const several = 2
	var bitten, solving, pending bool
	passed := 0
	for u, s := range p.stand {
		if s.end == Forged || s.end == Failed {
			return true
		}
		bitten, pending = bitten || s.bitten, pending || s.end == Unplayed
		if u.solves {
			solving = solving || s.bitten && (s.blindly || !s.asked)
			passed += len(s.out)
		}
	}
	return !pending && (!bitten || !solving && passed >= several)
}

// A suite with altered tests may run for ever, and is not waited for as long as the plain
// one might have taken.
const (
	leastTimeout = time.Minute
	timesSlower  = 10
)

func timeoutOf(sample *assay.Sample, plain time.Duration) time.Duration {
	return min(time.Duration(sample.Task.Verifier.TimeoutSeconds)*time.Second, max(leastTimeout, timesSlower*plain))
}
